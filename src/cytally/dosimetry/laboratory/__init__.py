"""What a laboratory does with counts and doses; needs neither images nor networks.

tables -> samples, series -> triage, assays; validation and disagreement: what is known of the
detector that counted.
"""
