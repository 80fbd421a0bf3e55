"""A density -> detections: who proposes, who verifies, what else the cell holds.

ensemble      the ensemble that ships, or a folder
candidates    maxima of the mean heatmap, and what the verifiers say of each
cooccurrence  a probability weighed by what was found elsewhere in the cell
"""
