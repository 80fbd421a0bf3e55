"""Where an ensemble does not know: the entropy of the mean of its heatmaps, place by place (thesis, 4.1.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray


def heatmap_entropy(maps: NDArray[np.floating]) -> FloatArray:
    """Entropy in bits of the ensemble's mean answer: 0 where it is sure, 1 where it is 1/2.

    Parameters
    ----------
    maps : ndarray of shape (members, classes, h, w)
        In [0, 1]; each class is a question of its own, answered yes or no.

    Returns
    -------
    ndarray of shape (classes, h, w)
        -p log2 p - (1 - p) log2 (1 - p), with p the mean over members.

    Examples
    --------
    >>> heatmap_entropy(np.array([0.0, 1.0]).reshape(2, 1, 1, 1)).item()
    1.0
    >>> heatmap_entropy(np.zeros((3, 1, 1, 1))).item()
    0.0
    """
    mean = np.clip(np.asarray(maps, float).mean(axis=0), 0.0, 1.0)
    both = np.stack([mean, 1 - mean])
    return np.asarray(-(both * np.log2(np.maximum(both, 1e-12))).sum(axis=0) + 0.0)
