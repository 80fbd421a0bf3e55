"""path -> Image -> Density: finding, reading, writing, background, normalisation.

find                   which files are images, and what was left out
read, formats/         the border through which every image enters
write                  Image -> file, whole or not at all
background, normalise  brightfield -> density at nominal size
flatten                phase contrast and fluorescence -> even contrast
masks, tracks, stacks  numbered objects, sequences of them, many planes in one file
register, movie        two pictures laid over each other; pictures in a row
"""
