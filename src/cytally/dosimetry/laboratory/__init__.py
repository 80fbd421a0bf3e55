"""What a laboratory does with counts and doses; needs neither images nor networks.

columns     headings as laboratories write them
tables      a table of counts -> points of a curve
samples     a table of many people -> samples, each with its dose
series      runs -> points of a curve; the one dose of a run
triage      samples sorted by dose
planning    cells to score; a count beside a control or a suspected dose
exercise    laboratories side by side
validation  what is known of the detector that counted
"""
