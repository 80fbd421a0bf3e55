"""Pieces of chromosomes -> what a camera sees.

shape    piece -> body: centreline, chromatids, constrictions
layout   bodies -> places in the spread
drawing  bodies -> optical density and masks
scenery  nuclei, specks, fibres, smears, rings
optics   optical density -> camera image
"""
