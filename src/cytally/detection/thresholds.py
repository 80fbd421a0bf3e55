"""Thresholds per member from a quantile of its own maxima (preprint section 2.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytally.types import FloatArray


def maxima(maps: FloatArray) -> FloatArray:
    """Largest heatmap value of an image: (members, classes, h, w) -> (members, classes)."""
    return np.asarray(np.max(maps, axis=(2, 3)))


def member_thresholds(highest: FloatArray, quantile: Sequence[float]) -> FloatArray:
    """T_C of each member and class.

    Members differ in how high their heatmaps reach. The same quantile of each
    one's own maxima, over images of the highest dose, brings them in step.

    Parameters
    ----------
    highest : ndarray of shape (images, members, classes)
        From `maxima`.
    quantile : sequence of float
        One per class, in [0, 1].

    Returns
    -------
    ndarray of shape (members, classes), within [0.02, 0.98]
    """
    chosen = [np.quantile(highest[:, :, k], q, axis=0) for k, q in enumerate(quantile)]
    return np.clip(np.stack(chosen, axis=1), 0.02, 0.98)
