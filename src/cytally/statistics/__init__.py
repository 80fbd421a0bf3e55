"""Arrays only; no door.

poisson        exact limits, dispersion
distributions  tails without the whole of SciPy
robust         robust means and z scores (ISO 13528)
growth         doubling times
"""
