"""Labelled cells made of real ones that nobody labelled (copy-paste augmentation).

field      one unexposed metaphase: its single chromosomes, upright
join       chromosomes -> dicentrics, fragments, rings
sheet      the picture without some chromosomes, and with others
rearrange  all are lifted first, then laid in each other's places
cell       fields -> one labelled cell
folder     cells -> a labelled folder
"""
