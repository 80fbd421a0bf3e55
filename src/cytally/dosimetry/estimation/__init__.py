"""Counts and a curve -> a dose.

dose          counts and Curve -> Dose
notes         what must be said beside a dose
whole_body    estimate and limits by each method
partial_dose  an exposure of a part of the body, where it is asked for
given         what a person gives beside counts: exposure, prior
limits/       the mathematics of limits, arrays only
"""
