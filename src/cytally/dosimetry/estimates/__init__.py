"""How a dose and its limits follow from a count and a curve.

given         duration of the exposure, repair, D0; what is asked for
partial_body  the distribution over cells, a part of the body
whole_body    one count, the whole body: by each of the methods
"""
