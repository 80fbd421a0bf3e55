"""Nuclei of a sequence -> tracks.

drift    by how much the stage came back beside its place
links    nuclei of one frame to the next, over gaps and through divisions (laptrack)
lineage  links -> Cell Tracking Challenge tracks without gaps, parents, tables
"""
