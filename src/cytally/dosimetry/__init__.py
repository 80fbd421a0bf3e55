"""Dicentric chromosomes in Giemsa metaphases: images in, a dose with limits out.

In the order in which data meets the files:

score          one image -> detections; company: what else the cell holds
sampled        the same by many ensembles drawn from the members
cells, run     one scored cell, in memory and as a line of the journal; the run folder and its tables
pictures       each cell with its detections
pipeline       the main job: images -> counts (and a dose) and their report
calibrate      counts at known doses -> Curve
dose           counts and Curve -> Dose
report         all of it -> one page
demonstration  the whole road on simulated cells

laboratory/    tables, series, many samples, triage, other assays, validation
simulate/      metaphases with full truth
compose/       labelled cells out of unlabelled unexposed ones
detector/      making an ensemble
measure/       measuring it
certificate/   a sample's report to sign, in several languages
"""
