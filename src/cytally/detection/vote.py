"""Votes -> Detections: more than T_A votes, connected components (preprint eq. 6-7)."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import Detections, FloatArray

Float32 = NDArray[np.float32]


def binary_votes(maps: Float32, confidence: FloatArray) -> NDArray[np.uint8]:
    """Sum of the members' binary maps (preprint eq. 6).

    Parameters
    ----------
    maps : ndarray of shape (members, classes, h, w)
    confidence : ndarray of shape (members, classes)
        T_C of each member, to be exceeded.

    Returns
    -------
    ndarray of uint8, shape (classes, h, w)
    """
    limits = np.asarray(confidence, np.float32)[:, :, None, None]
    return np.asarray((maps > limits).sum(axis=0), np.uint8)


def detect(
    votes: NDArray[np.uint8], maps: Float32, agreement: Sequence[int], classes: Sequence[str], stride: int
) -> Detections:
    """Places with more than T_A votes (preprint eq. 7), one detection per connected component.

    Parameters
    ----------
    votes : ndarray of shape (classes, h, w)
    maps : ndarray of shape (members, classes, h, w)
        For position, confidence and spread.
    agreement : sequence of int
        T_A of each class, to be exceeded.
    classes : sequence of str
    stride : int
        Pixels of the normalised image per pixel of the map.

    Returns
    -------
    Detections
        Places in the normalised image: the centroid of the component weighted by
        the mean heatmap. Components touch at edges or corners; ties and flat
        tops do not split them.
    """
    members = maps.shape[0]
    rows: list[tuple[float, float, str, int, float, float]] = []
    for channel, name in enumerate(classes):
        won = (votes[channel] > agreement[channel]).astype(np.uint8)
        if not won.any():
            continue
        number, labels, stats, _ = cv2.connectedComponentsWithStats(won, connectivity=8)
        for label in range(1, number):
            left, top, width, height = (int(v) for v in stats[label, :4])
            window = (slice(top, top + height), slice(left, left + width))
            inside = labels[window] == label
            found = _describe(maps[:, channel, *window], votes[channel][window], inside)
            row, col = ((found[0] + top + 0.5) * stride - 0.5, (found[1] + left + 0.5) * stride - 0.5)
            rows.append((row, col, name, *found[2:]))
    return _table(rows, members)


def _describe(
    maps: Float32, votes: NDArray[np.uint8], inside: NDArray[np.bool_]
) -> tuple[float, float, int, float, float]:
    """Row, col, votes, confidence and spread of one component."""
    where = np.argwhere(inside)
    values = maps[:, inside].astype(np.float64)
    weight = values.mean(axis=0) + 1e-9
    row, col = (where * weight[:, None]).sum(axis=0) / weight.sum()
    peak = values.max(axis=1)
    return float(row), float(col), int(votes[inside].max()), float(peak.mean()), float(peak.std())


def _table(rows: list[tuple[float, float, str, int, float, float]], members: int) -> Detections:
    if not rows:
        return Detections.empty(members)
    row, col, names, votes, confidence, spread = zip(*rows, strict=True)
    return Detections(
        np.array(row),
        np.array(col),
        tuple(names),
        np.array(votes, dtype=int),
        np.array(confidence),
        np.array(spread),
        members,
        np.full(len(rows), np.nan),
    )


def co_occurring(found: Detections, needed: str = "fragment", counted: str = "dicentric") -> Detections:
    """Drop dicentrics of a cell without a fragment (preprint section 2.3)."""
    if found.count(needed):
        return found
    return found.keep(np.array([name != counted for name in found.names], dtype=bool))
