"""Cheap evidence -> targets: points and their heatmaps."""
