"""The command line: packages by group, a file per commands that belong together.

main         the group that holds all; which files join it
progress     bars with time left, and what was skipped
command      the command line of a call, for the record
options      numbers with limits, tables and pictures by their ending; several options as one
demo         `cytally demo`
doctor       `cytally doctor`
batch        large jobs as shards
dosimetry/   score, calibrate, curve, dose, report, simulate
detector/    train, evaluate, verify, compose, adapt
laboratory/  triage, plan, compare, interlab, the rarer assays
livecell/    label, train, count, track, run, experts
flow/        simulate
"""
