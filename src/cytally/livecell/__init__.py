"""Living cells: from fluorescence and phase contrast to counts and tracks, without a click.

simulate/    time-lapses with full truth
names/       file names -> wells, positions, channels, times
sequences    images -> positions with their frames in time, and hours
plan         what a run will do, and what stands in its way, before any work
evidence/    pairs of images -> labels fit to learn from
learn        labels -> an ensemble of the best epochs
nuclei       phase contrast + ensemble -> single nuclei
run, journal the run folder: masks, a line per image
counts       nuclei per field and time, with limits; growth
motion/      the camera's drift; nuclei -> tracks
measure/     figures against labels, and two experts' review
report       the page; pipeline: all of it as one function
"""
