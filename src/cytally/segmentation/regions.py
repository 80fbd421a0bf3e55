"""Label images: 0 is background, 1 to n are objects -> what can be measured of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from cytally.types import FloatArray, IntArray


def inner_boundaries(labels: IntArray) -> NDArray[np.bool_]:
    """Border pixels that belong to an object, also between two that touch, (h, w)."""
    return np.asarray(find_boundaries(labels, connectivity=1, mode="inner"), bool)


def centres(labels: IntArray) -> FloatArray:
    """Centroid (row, col) of each object 1..n, (n, 2)."""
    count = int(labels.max(initial=0))
    pixels = np.maximum(np.bincount(labels.ravel(), minlength=count + 1), 1)
    rows = np.bincount(labels.ravel(), np.repeat(np.arange(labels.shape[0]), labels.shape[1]), count + 1)
    cols = np.bincount(labels.ravel(), np.tile(np.arange(labels.shape[1]), labels.shape[0]), count + 1)
    return np.stack([rows / pixels, cols / pixels], axis=1)[1:]
