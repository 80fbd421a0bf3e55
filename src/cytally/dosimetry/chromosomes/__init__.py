"""Single chromosomes of a metaphase.

segment  density -> objects, and which of them are one chromosome
upright  one chromosome -> the same upright: centreline, width profile, centromere
"""
