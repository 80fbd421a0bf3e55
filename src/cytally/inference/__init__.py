"""Density + ensemble -> heatmaps and votes; knows no door.

card      card.json: what an ensemble is and how it decides
ensemble  a folder -> networks that are ready to look
members   stored weights -> a network, when it first looks
views     a verifier's eight views of a place, and what some of them say
runtime   networks in PyTorch
graph     networks in OpenVINO, built from the weights without PyTorch
windows   only where something is stained
votes     members' heatmaps and votes of a whole image
"""
