"""Cells -> examples -> checkpoints.

examples     a cell and its labels, small enough to keep thousands
augment      turns, shifts, stains: drawn first, then the same for image and labels
pool         the cells at hand, exchanged as they are understood
devices      one processor, one GPU, or several processes
folder       a training run's folder: settings, lock, curve
checkpoints  weights and states on disk
loop         heatmaps: L2 + Sparse Variation
masks        masks of nuclei: focal cross-entropy, stopped by validation
reading      crops: what lies in the middle of each
"""
