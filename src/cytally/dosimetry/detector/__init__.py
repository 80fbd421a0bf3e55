"""Making an ensemble and measuring it, in the order in which data meets the files.

sources   simulated cells and labelled folders -> training cells
train     training cells -> a trained run -> an ensemble folder
assemble  checkpoints -> members and thresholds
evaluate  an ensemble on labelled cells -> precision, recall, false detections per cell
"""
