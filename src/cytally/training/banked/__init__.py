"""Training on what lies on a device: for a GPU, which waits for nobody there.

bank   images on a device -> crops, turned, restained and labelled
tasks  heatmaps and verifiers learnt from a bank
"""
