"""How a network's features of dicentrics, fragments and background move while it is trained.

In the order in which data meets them:

checkpoints  a training run -> its networks, epoch by epoch, and the path of their weights
places       simulated cells -> densities and places whose kind is known
layers       a network and a cell -> features and confidences at places
follow       features of all epochs -> aligned, in one plane, classified, gathered into centroids
judged       does latent entropy tell false detections from true ones, in other cells
probe        nuclei against chromosomes, layer by layer, and what the layers see in colours
study        the main job: a run folder and settings -> all of it
telling/     what was found -> arrays, numbers, sentences and a page
"""
