"""Averages of checkpoints, and networks drawn around them.

gaussian       SWA and SWAG: mean and scatter of a run's late checkpoints, draws from them
normalisation  means and variances of normalisation layers, counted anew for such weights
"""
