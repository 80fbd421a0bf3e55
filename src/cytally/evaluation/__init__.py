"""Answers against truth.

matching      places with places, components with components, boxes with places
detection     precision and recall over thresholds, with bands
segmentation  objects and pixels: Dice, panoptic quality
agreement     two experts: kappa, alpha
"""
