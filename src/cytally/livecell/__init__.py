"""Living cells: from fluorescence and phase contrast to counts and tracks, without a click.

simulate/    time-lapses with full truth
sequences    file names -> wells, positions, times
evidence/    pairs of images -> labels fit to learn from
learn        labels -> an ensemble of the best epochs
nuclei       phase contrast + ensemble -> single nuclei
run, journal the run folder: masks, a line per image
counts       nuclei per field and time, with limits; growth
motion/      the camera's drift; nuclei -> tracks
measure/     figures against labels, and two experts' review
report       the page; pipeline: all of it as one function
"""
