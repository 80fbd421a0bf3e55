"""Dicentric chromosomes in Giemsa metaphases: images in, a dose with limits out.

In the order in which data meets the files:

score          one image -> detections
run            the run folder: journal, tables, lock
pipeline       the main job: images -> counts (and a dose) and their report
series         several runs -> counts per dose; a run -> its dose
calibrate      counts at known doses -> Curve
dose           counts and Curve -> Dose
report         all of it -> one page
tables         CSV and XLSX -> counts
triage         many samples -> doses, sorted into classes
assays         two doses in one body, mixed radiation, translocations
cells          names and hashes of images; one scored cell
demonstration  the whole road on simulated cells

simulate/      metaphases with full truth
compose/       labelled cells out of unlabelled unexposed ones
detector/      making an ensemble
measure/       measuring it
certificate/   a sample's report to sign, in several languages
"""
