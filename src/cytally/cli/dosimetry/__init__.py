"""`cytally dosimetry`, the road from images to a dose.

group   the group that its commands join
given   counts, errors and doses: how they are given and how they are said
score   simulate and score
select  select: which cells can be scored
curves  calibrate and curve
dose    dose
report  report
"""
