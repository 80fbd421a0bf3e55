"""What a laboratory does with counts and doses; needs neither images nor networks.

tables -> samples, series -> triage, planning, assays; exercise: laboratories side by side;
validation and disagreement: what is known of the detector that counted.
"""
