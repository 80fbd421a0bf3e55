"""`cytally livecell`.

group    the group that its commands join
label    simulate, label, train, evaluate, unstack
follow   count, track, run, names
experts  experts: pages to review, agreement of two experts
"""
