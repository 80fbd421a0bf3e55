"""The learners, one a file; each answers what `training.task.Task` asks.

heatmaps   points -> heatmaps of small objects: L2 + Sparse Variation
distilled  heatmaps of large networks -> a small one that answers as they do
masks      label images -> masks of nuclei and their cores: focal cross-entropy, stopped by validation
crops      labelled crops -> what lies in the middle of each: the verifier
"""
