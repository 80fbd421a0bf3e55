"""A run over images: what it will do, what it did, how many nuclei.

plan     positions and frames, hours, what stands in the way, before any work
run      the run folder: masks, a line per image
journal  such a line
counts   nuclei per field and time, with limits; growth
"""
