"""Labelled cells made of real ones that nobody labelled.

segment -> upright -> join -> sheet -> cell -> folder: single chromosomes are cut
out of an unexposed metaphase, set upright, joined into dicentrics and cut into
fragments, and laid back into the picture that they came from. Background, optics
and the untouched chromosomes stay as the camera saw them.
"""
