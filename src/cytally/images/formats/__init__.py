"""The border for bytes that call themselves an image: everything is decided before anything is decoded.

limits       what an image may be, and what a decoder hands back
directories  the pages of a TIFF, walked once, loops and all
segments     whether every strip and tile of a page is there, whole
colour       samples as stored -> grey or RGB
calibration  pixel size and number of planes, from OME, ImageJ and plain tags
orientation  turned as TIFF and EXIF say
tiff, plain  one file -> one decoded image
"""
