"""`cytally dosimetry`, what needs counts alone.

samples   triage, plan, compare: many samples
tables    a table of samples read, and what was left out said
interlab  interlab: laboratories side by side
assays    heterogeneous, qdr, mixed-field, translocations
"""
