"""Which cells can be scored, and why not; blind to what aberrations they carry.

traits  a normalised cell in a dozen numbers
model   traits -> how likely a cell is whole, and what is wrong with it otherwise
choose  images -> cells.csv
page    the same to look at
"""
