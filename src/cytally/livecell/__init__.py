"""Living cells: from fluorescence and phase contrast to counts and tracks, without a click.

simulate/   time-lapses with full truth
names/      file names -> wells, positions, channels, times
sequences   images -> positions with their frames in time, and hours
labelling/  pairs of images -> labels fit to learn from
labelled    a labelled folder, written and read back
ensemble    what an ensemble for nuclei must be
learn       labels -> an ensemble of the best epochs
nuclei      phase contrast + ensemble -> single nuclei
counting/   the plan of a run, its folder, nuclei per field and time
motion/     the camera's drift; nuclei -> tracks
measure/    figures against labels, and two experts' review
report      the page
pipeline    all of it as one function
"""
