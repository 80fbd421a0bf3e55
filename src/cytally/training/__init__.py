"""Examples -> a trained network, by one loop that knows no network, no loss and no images.

task         what a learner must answer: network, examples of an epoch, loss
loop         `fit`: epochs that are kept whole, one or several devices; an interrupted run resumes
tasks/       the learners: heatmaps of points, small networks from large ones, masks of nuclei, crops for verifiers
banked/      the same from what lies on a device, for a GPU
posterior/   averages of checkpoints (SWA), and networks drawn around them (SWAG)
examples     cells to learn from, and how a crop of one becomes an example
augment      turns, size, stain, focus and noise, for image, points and mask alike
pool         cells at hand, made by other processes, some exchanged after each epoch
checkpoints  weights and state on disk, and beginning from other weights
folder       run.json and curves.csv of a run
devices      processors and GPUs
"""
