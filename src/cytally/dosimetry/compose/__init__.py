"""Labelled cells made of real ones that nobody labelled (copy-paste augmentation).

field      one unexposed metaphase: its single chromosomes, upright
join       chromosomes -> dicentrics, fragments, rings
sheet      the picture without some chromosomes, and with others
outlined   fields with given outlines; chromosomes drawn where real ones lay
restyle    a cell in the look of another laboratory
rearrange  all are lifted first, then laid in each other's places
cell       fields -> one labelled cell
folder     cells -> a labelled folder
"""
