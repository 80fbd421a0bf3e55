"""Dicentric chromosomes in Giemsa metaphases: images in, a dose with limits out.

In the order in which data meets them:

simulate/      metaphases with full truth
density        Image -> optical density at nominal size
stained        what looks like a chromosome in it: number, size, stain
phrases        every sentence on a dose, in English and French
possible       what no cell can hold, checked wherever counts come in
chromosomes/   single chromosomes of a metaphase
compose/       labelled cells out of unlabelled unexposed ones
training/      making an ensemble
detectors/     a density -> detections
selection/     which cells can be scored, and why not
scoring/       images -> scored cells, in a run folder
measure/       measuring an ensemble
trajectories/  how features move while a network is trained
curves/        counts at known doses -> a calibration curve
estimation/    counts and a curve -> a dose
assays/        other questions on the same curves
laboratory/    tables, many samples, planning, exercises
reporting/     pages on a dose
pipeline       the main job: images -> counts (and a dose) and their report
demonstration  the whole road on simulated cells
"""

#: Dose in Gy that leaves 37 % of the lymphocytes able to divide (2.7 to 3.5 Gy, IAEA 2011).
D0_GY = 2.7
#: Mean time in which breaks are repaired (Lea and Catcheside; IAEA 2011, 9.7.5.6).
REPAIR_HOURS = 2.0
