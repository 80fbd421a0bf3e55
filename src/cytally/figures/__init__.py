"""Nouns -> pictures; nothing is computed here.

style       ink, colours, the same bytes each time
curves      calibration curve, precision and recall, learning
laboratory  plans and exercises
triage      doses of many samples
sequences   counts and lineages through time
overlays    an image with its detections
masks       outlines, numbers, contact sheets
latent/     what a network makes of places, epoch by epoch
motion/     flow as colours and on frames
pages       templates -> HTML
"""
