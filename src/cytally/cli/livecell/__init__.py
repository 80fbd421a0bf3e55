"""`cytally livecell`.

group    the group that its commands join
options  what several of them take, written once
images   simulate, unstack, names
label    label
train    train, evaluate
follow   count, track, run
experts  experts: pages to review, agreement of two experts
"""
