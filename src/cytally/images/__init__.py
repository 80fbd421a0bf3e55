"""path -> Image: the border through which every image enters, and what serves more than one door.

find        which files are images, and what was left out
inputs      what a command was given -> images by name, copies among them
read        one file -> Image
formats/    how each format is read
write       Image -> file, whole or not at all
masks       numbered objects
sequences/  many planes in one file, many files of one field
background  brightfield -> its empty slide
flatten     phase contrast and fluorescence -> even contrast
register    two pictures laid over each other
"""
