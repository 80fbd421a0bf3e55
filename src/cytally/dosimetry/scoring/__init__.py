"""Images -> scored cells, in a run folder.

score         one file -> ScoredCell
workers       several files at a time, in processes of one thread
cells         what became of an image, in memory and as a line of the journal
run           the run folder: settings, journal, tables
pictures      each cell with its detections
entropy_maps  each cell with what the members do not know
resampling    the same cells counted by many ensembles drawn from the members
disagreement  how far those counts lie apart
"""
