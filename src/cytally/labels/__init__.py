"""Annotations -> targets.

points  labels.csv and heatmaps of it
boxes   YOLO boxes
known   cells.csv: what is known of images beside them
"""
