"""Choosing thresholds on cells that neither training nor evaluation sees.

cells     labelled cells as an ensemble sees them, and the goal that thresholds keep
votes     T_C and T_A of members that vote
verifier  probabilities, and how much co-occurrence weighs
"""
