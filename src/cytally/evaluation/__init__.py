"""Answers against truth.

matching      places with places, components with components, boxes with places
detection     precision and recall over thresholds, with bands
islands       heatmaps of many models where any of them answers, decided in thousands of ways
bands         precision and recall of many models; differences with paired bootstrap limits
flow          cells and motion in a frame against their truth
segmentation  objects and pixels: Dice, panoptic quality
agreement     two experts: kappa, alpha
"""
