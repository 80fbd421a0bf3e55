"""Pieces of chromosomes -> what a camera sees.

shape    piece -> body: centreline, chromatids, constrictions
lobes    the same for contracted bodies: every arm of a chromatid one lobe
layout   bodies -> places in the spread
drawing  bodies -> optical density and masks
rods     density of a body whose chromatids are rods seen through
scenery  nuclei, specks, fibres, smears, rings
optics   optical density -> camera image
"""
