"""Stained images -> numbered objects: arrays only.

contrast   whether there is anything but noise
threshold  block-wise Otsu
declump    touching objects -> single ones
outline    outlines at half height
regions    border pixels and centroids of numbered objects
"""
