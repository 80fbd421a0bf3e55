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

calibration/   what a curve is made of, its checks, quality and file
estimates/     how a dose and its limits follow
laboratory/    tables, series, many samples, triage, other assays, validation
simulate/      metaphases with full truth
compose/       labelled cells out of unlabelled unexposed ones
detector/      making an ensemble
measure/       measuring it
certificate/   a sample's report to sign, in several languages
"""

#: Dose in Gy that leaves 37 % of the lymphocytes able to divide (2.7 to 3.5 Gy, IAEA 2011).
D0_GY = 2.7
#: Mean time in which breaks are repaired (Lea and Catcheside; IAEA 2011, 9.7.5.6).
REPAIR_HOURS = 2.0
