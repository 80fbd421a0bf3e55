"""Pairs of images -> labels that a network may learn from.

pairs    files of the two channels that belong together, and the offset between the cameras
rejects  what is no nucleus, and labels that are no good, each with its reason
crops    pieces to train on, split by well or position; leaks found by content
tiles    parts of one field, where there are no three to keep apart
folder   the labelled folder on disk, with its contact sheet
unchanged  settings, images and labels that a network learnt from, refused where they changed
"""
