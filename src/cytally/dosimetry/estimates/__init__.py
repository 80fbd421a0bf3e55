"""How a dose and its limits follow from a count and a curve.

whole_body    one count, the whole body: by each of the methods
"""
