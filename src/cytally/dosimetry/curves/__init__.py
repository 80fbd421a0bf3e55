"""Counts at known doses -> a calibration curve.

points     cells and dicentrics at one dose; what is known about a curve
fit        constrained Poisson maximum likelihood of Y = C + alpha D + beta D^2
controls   few aberrations in the controls: what is known of C
quality    dispersion per dose, lack of fit, p, AIC, correlations
checks     what no curve may be
file       the JSON of a curve, read strictly
calibrate  all of it: points -> Curve
"""
