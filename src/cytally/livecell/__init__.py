"""Living cells: from fluorescence and phase contrast to counts and tracks, without a click.

simulate/    time-lapses with full truth
names/       file names -> wells, positions, channels, times
sequences    images -> positions with their frames in time, and hours
labelling/   pairs of images -> labels fit to learn from
labelled     a labelled folder, written and read back
learn        labels -> an ensemble of the best epochs
nuclei       phase contrast + ensemble -> single nuclei
counting/    what a run will do, its folder, nuclei per field and time with limits, growth
motion/      the camera's drift; nuclei -> tracks
measure/     figures against labels, and two experts' review
report       the page; pipeline: all of it as one function
"""
