"""Masks against masks: pixel by pixel, object by object, and one to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from cytally.evaluation.matching import Hits
from cytally.types import FloatArray, IntArray

#: IoU levels over which average precision is taken.
LEVELS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))


@dataclass(frozen=True)
class PixelHits:
    """Pixels that are nucleus in both, in the prediction only, in the truth only, in neither."""

    true: int = 0
    false: int = 0
    missed: int = 0
    ground: int = 0

    def __add__(self, other: PixelHits) -> PixelHits:
        return PixelHits(
            self.true + other.true, self.false + other.false, self.missed + other.missed, self.ground + other.ground
        )

    @property
    def accuracy(self) -> float:
        """Share of pixels that agree (Salomon-Sorensen 2023, eq. 2.30); NaN without any."""
        return _share(self.true + self.ground, self.true + self.false + self.missed + self.ground)

    @property
    def scores(self) -> Scores:
        """Precision, recall, Dice and IoU (eq. 2.28-2.32)."""
        return scores(Hits(self.true, self.false, self.missed))


@dataclass(frozen=True)
class Scores:
    """Precision, recall, Dice (F1) and IoU; NaN where nothing was there to judge."""

    precision: float
    recall: float
    dice: float
    iou: float


def scores(hits: Hits) -> Scores:
    """Scores of counted hits (Salomon-Sorensen 2023, eq. 2.28-2.32).

    Examples
    --------
    >>> scores(Hits(true=8, false=2, missed=0))
    Scores(precision=0.8, recall=1.0, dice=0.8888888888888888, iou=0.8)
    """
    return Scores(
        hits.precision,
        hits.recall,
        _share(2 * hits.true, 2 * hits.true + hits.false + hits.missed),
        _share(hits.true, hits.true + hits.false + hits.missed),
    )


def pixel_hits(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> PixelHits:
    """Compare two masks pixel by pixel (section 5.4.1)."""
    both = int(np.count_nonzero(predicted & truth))
    found, real = int(np.count_nonzero(predicted)), int(np.count_nonzero(truth))
    return PixelHits(both, found - both, real - both, predicted.size - found - real + both)


def touched(predicted: IntArray, truth: IntArray) -> Hits:
    """Objects that touch one of the other mask (section 5.4.2).

    An object of the truth that shares no pixel with the prediction is missed; an object of the
    prediction that shares none with the truth is false; the others of the truth are true. One
    prediction over three nuclei counts as three hits: this is the thesis's score and kind to
    clumps; `matched` is not.
    """
    overlap = (predicted > 0) & (truth > 0)
    found, real = _present(predicted), _present(truth)
    hit_found, hit_real = _present(predicted[overlap]), _present(truth[overlap])
    return Hits(hit_real, found - hit_found, real - hit_real)


@dataclass(frozen=True)
class Matched:
    """Objects assigned one to one at an IoU level.

    Attributes
    ----------
    hits : Hits
    overlap : float
        Sum of the IoU of the matched pairs.
    """

    hits: Hits
    overlap: float

    def __add__(self, other: Matched) -> Matched:
        return Matched(self.hits + other.hits, self.overlap + other.overlap)

    @property
    def average_precision(self) -> float:
        """TP / (TP + FP + FN), as the Data Science Bowl 2018 and StarDist define it; NaN without objects."""
        return scores(self.hits).iou

    @property
    def panoptic_quality(self) -> float:
        """Sum of IoU / (TP + FP / 2 + FN / 2) (Kirillov et al. 2019); NaN without objects."""
        hits = self.hits
        total = hits.true + (hits.false + hits.missed) / 2
        return self.overlap / total if total else float("nan")


def matched(predicted: IntArray, truth: IntArray, level: float = 0.5) -> Matched:
    """Assign objects one to one, only pairs whose IoU exceeds `level`: most pairs, then most overlap."""
    return match_levels(predicted, truth, (level,))[0]


def match_levels(predicted: IntArray, truth: IntArray, levels: tuple[float, ...] = LEVELS) -> list[Matched]:
    """`matched` at several levels from one table of overlaps."""
    iou = overlaps(predicted, truth)
    result = []
    for level in levels:
        good = iou > level
        rows, cols = linear_sum_assignment(good + 1e-3 * np.where(good, iou, 0), maximize=True)
        pairs = good[rows, cols]
        true = int(pairs.sum())
        result.append(Matched(Hits(true, len(iou) - true, iou.shape[1] - true), float(iou[rows, cols][pairs].sum())))
    return result


def overlaps(predicted: IntArray, truth: IntArray) -> FloatArray:
    """IoU of each predicted object with each true one, (n, m), in the order of their numbers."""
    found, left = np.unique(predicted, return_inverse=True)
    real, right = np.unique(truth, return_inverse=True)
    table = np.bincount(left.ravel() * len(real) + right.ravel(), minlength=len(found) * len(real))
    table = table.reshape(len(found), len(real)).astype(float)
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    iou = table / np.maximum(union, 1)
    return np.asarray(iou[int(found[0] == 0) :, int(real[0] == 0) :])


def _present(labels: IntArray) -> int:
    numbers = np.unique(labels)
    return int(np.count_nonzero(numbers))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
