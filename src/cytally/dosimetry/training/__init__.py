"""Making an ensemble.

sources      cells to learn from: simulated, composed, labelled, mixed
train        sources -> members, with thresholds
average      late checkpoints of a run -> one network of their mean weights
assemble     checkpoints of a run -> an ensemble folder
candidates   what an ensemble proposes in labelled cells: what a verifier learns from
verifier     an ensemble -> the same with verifiers
adapt        an ensemble -> one for a laboratory's own cells
thresholds/  choosing them
"""
