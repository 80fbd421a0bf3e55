"""Which detections hit: by components (thesis eq. 4.10-4.13), and one to one.

The two differ. Components count an overlap twice where a prediction meets two
truths, or two parts of one; one-to-one assignment gives each truth at most one
detection. The tables show both.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from cytally.labels.points import TRUTH_LEVEL
from cytally.types import FloatArray


@dataclass(frozen=True)
class Hits:
    """True positives, false positives, false negatives; hits add up."""

    true: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: Hits) -> Hits:
        return Hits(self.true + other.true, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """TP / (TP + FP); NaN without any detection."""
        total = self.true + self.false
        return self.true / total if total else float("nan")

    @property
    def recall(self) -> float:
        """TP / (TP + FN); NaN without any truth."""
        total = self.true + self.missed
        return self.true / total if total else float("nan")


def match_components(predicted: NDArray[np.bool_], truth: FloatArray) -> Hits:
    """Count connected components as the thesis does (eq. 4.10-4.13).

    Parameters
    ----------
    predicted : ndarray of bool, shape (h, w)
        Binary decision of one class.
    truth : ndarray of shape (h, w)
        Heatmap of the labels; above 0.01 counts.

    Notes
    -----
    TP is the number of components of the intersection, so two spots under one
    prediction are two hits, and max(0, .) hides the surplus. Truth spots that
    merge are one truth.
    """
    real = np.asarray(truth) > TRUTH_LEVEL
    hit = components(predicted & real)
    return Hits(hit, max(0, components(predicted) - hit), max(0, components(real) - hit))


def components(mask: NDArray[np.bool_]) -> int:
    """Number of 8-connected components."""
    return int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0]) - 1


def match_one_to_one(found: FloatArray, truth: FloatArray, radius: float) -> Hits:
    """Assign detections to truths, each at most once, within a radius.

    Parameters
    ----------
    found, truth : ndarray of shape (n, 2) and (m, 2)
        (row, col), same unit as the radius.
    radius : float

    Examples
    --------
    >>> match_one_to_one(np.array([[0, 0], [1, 0.]]), np.array([[0, 0.5]]), 3)
    Hits(true=1, false=1, missed=0)
    """
    pairs = assign(found, truth, radius)
    return Hits(len(pairs), len(found) - len(pairs), len(truth) - len(pairs))


def assign(found: FloatArray, truth: FloatArray, radius: float) -> list[tuple[int, int]]:
    """Pairs (detection, truth) of most hits, and among those of least total distance."""
    if not len(found) or not len(truth):
        return []
    distance = np.linalg.norm(np.asarray(found)[:, None] - np.asarray(truth)[None], axis=2)
    cost = np.where(distance <= radius, distance - 1e6, 0.0)
    rows, cols = linear_sum_assignment(cost)
    return [(int(r), int(c)) for r, c in zip(rows, cols, strict=True) if distance[r, c] <= radius]


def match_boxes(inside: NDArray[np.bool_]) -> Hits:
    """Hits where a detection lies in a box; each box takes one, each detection hits one.

    Parameters
    ----------
    inside : ndarray of bool, shape (detections, boxes)
        Whether each detection lies in each box.
    """
    if not inside.size:
        return Hits(0, inside.shape[0], inside.shape[1])
    rows, cols = linear_sum_assignment(inside, maximize=True)
    true = int(inside[rows, cols].sum())
    return Hits(true, inside.shape[0] - true, inside.shape[1] - true)
