"""Round nuclei on a grid, and a network and a course small enough to learn them in a test."""

import numpy as np

from cytally.nets.unet import Architecture
from cytally.training.tasks.masks import MaskSettings

TINY = Architecture(classes=2, filters=4, depth=3, stride=2, sharp=True, widest=16)
QUICK = MaskSettings(epochs=3, patience=3, steps=4, batch=2, side=64, rate=5e-3, members=2)


def grid(count=6, shape=(96, 96), radius=8):
    """A label image of `count` discs, three in a row."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int32)
    for k in range(count):
        centre = (16 + 30 * (k // 3), 16 + 30 * (k % 3))
        labels[(rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 <= radius**2] = k + 1
    return labels
