"""Second reading: every place that the members propose is looked at again, closely.

In a laboratory a second person confirms each dicentric. Here the members of the ensemble
propose, under thresholds that let few objects escape, and the readers, which see nothing
but the place itself, say what it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cytally.inference.ensemble import Ensemble
from cytally.types import Detections, FloatArray

Float32 = NDArray[np.float32]
#: Crops looked at together: little memory, whatever a nucleus of 1,000 alarms brings.
_BATCH = 64


def crops_at(density: Float32, row: FloatArray, col: FloatArray, side: int) -> Float32:
    """Crops (n, side, side) around places; outside the image is empty slide.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    row, col : ndarray of shape (n,)
        Middles, in pixels of the density.
    side : int
    """
    half = side // 2
    crops = np.zeros((len(row), side, side), np.float32)
    for crop, r, c in zip(crops, np.rint(row).astype(int), np.rint(col).astype(int), strict=True):
        top, left = max(r - half, 0), max(c - half, 0)
        part = density[top : max(r + half, 0), left : max(c + half, 0)]
        down, right = top - (r - half), left - (c - half)
        crop[down : down + part.shape[0], right : right + part.shape[1]] = part
    return crops


def read_again(density: Float32, found: Detections, ensemble: Ensemble) -> Float32:
    """What the readers say of every proposed place.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    found : Detections
        In pixels of the density.
    ensemble : Ensemble
        With readers.

    Returns
    -------
    ndarray of float32, shape (n, classes + 1)
        Mean probability over readers, turns and mirrors; the last column means none.
    """
    answers = np.zeros((len(found), len(ensemble.classes) + 1), np.float32)
    side = ensemble.readers[0].side
    for start in range(0, len(found), _BATCH):
        part = slice(start, start + _BATCH)
        crops = crops_at(density, found.row[part], found.col[part], side)
        answers[part] = np.mean([reader(crops) for reader in ensemble.readers], axis=0)
    return answers


def second_reading(density: Float32, found: Detections, ensemble: Ensemble) -> Detections:
    """Keep what the readers confirm; without readers, everything.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    found : Detections
        Proposals, in pixels of the density.
    ensemble : Ensemble
        Its thresholds say, for each class, what probability must be exceeded.
    """
    if not ensemble.readers or not len(found):
        return found
    own = np.array([ensemble.classes.index(name) for name in found.names])
    probability = read_again(density, found, ensemble)[np.arange(len(found)), own].astype(float)
    limits = np.asarray(ensemble.card.thresholds.reading, float)[own]
    return replace(found, reading=probability).keep(probability > limits)
