"""path -> Image -> Density: reading, writing, background, normalisation."""
