"""Metaphases with full truth, in the order in which a cell is made.

karyotype  46 chromosomes, and the pieces they break into
breakage   dose -> damage -> pieces wrongly rejoined
styles     the look of a cell, drawn from named ranges
shape      piece -> body: centreline, chromatids, waists
layout     bodies -> places in the spread
drawing    bodies -> optical density and masks
scenery    nuclei, specks, fibres, smears, rings
optics     optical density -> camera image
cell       all of it: one cell with its truth
folder     cells -> a labelled folder
"""
