"""Arrays only; no door.

poisson        exact limits, dispersion
distributions  tails without the whole of SciPy
robust         robust means and z scores (ISO 13528)
growth         doubling times
trajectories   clouds of points that a training moves: alignment, axes, CKA, entropy, centroids
walks          paths beside random walks of the same steps
shares         how many of many doubtful candidates are real, none decided
ranks          area under the ROC curve, limits by clusters
"""
