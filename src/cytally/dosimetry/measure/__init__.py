"""Measuring an ensemble.

evaluate  on labelled cells: precision, recall, false detections per cell by dose
boxed     on images with labels in boxes
normal    on unexposed cells without labels: false detections, and what they read as in dose
"""
