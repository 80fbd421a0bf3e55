"""Limits of a dose: arrays only.

merkle           two confidence regions that meet; the delta method
counting         the distribution of a count whose mean is known with an error
prior            what was believed of the dose before
calibrative      the density of the dose given the count: likelihood ratio, highest density
detector_errors  the same with recall and false detections that are only estimated
partial_body     contaminated Poisson by Dolphin; Qdr; mixtures of two Poissons
contaminated     contaminated Poisson by profile likelihood
"""
