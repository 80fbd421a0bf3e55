"""`cytally dosimetry`, a detector of one's own.

train         train and evaluate
verify        verify: a second stage for an ensemble
compose       compose and adapt
trajectories  trajectories: features of a training, epoch by epoch
"""
