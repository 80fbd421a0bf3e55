"""Metaphases with full truth, in the order in which a cell is made.

karyotype  46 chromosomes, and the pieces they break into
breakage   dose -> damage -> pieces wrongly rejoined
lobed      contracted chromatids, drawn jointly as they occur together
styles     the appearance of a cell, drawn from named ranges
picture/   pieces -> bodies -> places -> optical density -> camera image
cell       all of it: one cell with its truth
folder     cells -> a labelled folder
"""
