"""Counts at known doses -> a calibration curve.

points     cells and dicentrics at one dose; what is known about a curve
fit        constrained Poisson maximum likelihood of Y = C + alpha D + beta D^2
controls   few aberrations in the controls: what is known of C
quality    dispersion per dose, lack of fit, p, AIC, correlations
choice     linear or not, Poisson or not, where that is left to the counts
checks     what no curve may be, and what it must count
file       the JSON of a curve, read strictly
calibrate  all of it: points -> Curve
"""
