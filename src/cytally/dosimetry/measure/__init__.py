"""Measuring an ensemble.

evaluate  on labelled cells: precision, recall, false detections per cell by dose
boxes     on images with labels in boxes
normal    on unexposed cells without labels: false detections, and what they read as in dose
causes    why a detection is false: what lies there in a simulated cell
gallery   pictures of what was missed, wrongly raised and found
"""
