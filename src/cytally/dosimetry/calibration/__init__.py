"""What a calibration curve is made of, how good it is, and its file.

points   counts at known doses; the conditions of a curve
checks   what no curve may be
quality  how the counts scatter: dispersion per dose, residuals, goodness of fit, in words
file     the curve's file: read strictly, written whole
"""
