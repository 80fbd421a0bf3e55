"""Pairs of images -> labels fit to learn from.

pairs          phase and fluorescence by their names; the offset of two cameras
nuclear_stain  fluorescence -> masks of single nuclei
sizes          how large nuclei are, and nuclei of that size
quality        which labels are no good, and why
folder         pairs -> a labelled folder
unchanged      whether a labelled folder is still what was learnt from
split          fields -> training, validation, test, without leaks
subfields      one or two fields cut in parts
"""
