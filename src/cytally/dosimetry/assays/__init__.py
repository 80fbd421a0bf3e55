"""Other assays on the same curves: each question a file with its equation.

low_dose        a low count beside a control or a suspected dose; cells to score
heterogeneous   two doses in one body
qdr             dose to the exposed part of a body
mixed_field     neutrons with gamma rays
translocations  painted chromosomes: part of the genome seen, background by age or by a control
"""
