"""A density -> detections: each detector is one class behind one protocol.

protocol      what scoring and evaluation ask of a detector
ensemble      the ensemble that ships, or a folder
verified      its verifiers decide: propose, judge, confirm
heatmap       its members vote
candidates    maxima of the mean heatmap, and what the verifiers say of each
cooccurrence  a probability weighed by what was found elsewhere in the cell
"""
