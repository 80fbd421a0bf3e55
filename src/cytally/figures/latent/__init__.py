"""What a network makes of places, epoch by epoch, as pictures.

clouds  points of several epochs, and paths of their middles on a map
shares  explained shares beside chance, similarity of epochs, areas under ROC curves
"""
