"""Nuclei of a sequence -> tracks.

follow   masks of a position -> tracks in a Cell Tracking Challenge folder
drift    by how much the stage came back beside its place
links    nuclei of one frame to the next, over gaps and through divisions (laptrack)
gaps     what links leave open: short gaps, merged nuclei
lineage  links -> tracks without gaps, parents, tables
"""
