"""Parts of the scripts on selection: simulated cells of every kind, and what can be measured of them."""
