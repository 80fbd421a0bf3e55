"""Precision and recall over confidence: of single members, and of sampled ensembles.

One pass over the cells; what is kept are hits, never maps, so that memory stays
flat. Bands are 5-95 % quantiles over members and over sampled ensembles, as in
the thesis (section 4.3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.evaluation.matching import match_components
from cytally.labels.points import SIGMA, spots
from cytally.types import FloatArray

Float32 = NDArray[np.float32]

CONFIDENCES = tuple(round(0.1 * k, 1) for k in range(1, 10))


@dataclass(frozen=True)
class Labelled:
    """One cell as evaluation needs it.

    Attributes
    ----------
    maps : ndarray of shape (members, classes, h, w)
    places : tuple of ndarray (n, 2), one per class
        Truth in pixels of the normalised image.
    """

    maps: Float32
    places: tuple[FloatArray, ...]


@dataclass(frozen=True)
class Band:
    """Median and 5-95 % band over models, at each confidence; arrays of shape (t,), (2, t)."""

    precision: FloatArray
    precision_band: FloatArray
    recall: FloatArray
    recall_band: FloatArray


@dataclass(frozen=True)
class Sweep:
    """Hits (models, confidences, classes, 3) of single members and of ensembles."""

    singles: NDArray[np.int64]
    ensembles: NDArray[np.int64]
    confidences: tuple[float, ...]

    def band(self, kind: str, channel: int) -> Band:
        """Precision and recall of "singles" or "ensembles" for one class.

        Where nothing is predicted precision is 1 and recall 0, as in the thesis.
        """
        true, false, missed = np.moveaxis(getattr(self, kind)[:, :, channel], -1, 0).astype(float)
        found, real = true + false, true + missed
        precision = np.where(found > 0, true / np.maximum(found, 1), 1.0)
        recall = true / np.maximum(real, 1)
        low, high = np.quantile([precision, recall], (0.05, 0.95), axis=1)
        return Band(
            np.median(precision, 0),
            np.stack([low[0], high[0]]),
            np.median(recall, 0),
            np.stack([low[1], high[1]]),
        )


@dataclass(frozen=True)
class Draws:
    """Ensembles drawn from the members that there are.

    Attributes
    ----------
    size : int
        Members of each, drawn without replacement.
    agreement : int
        Their T_A, to be exceeded.
    count : int
        How many are drawn.
    seed : int
    """

    size: int
    agreement: int
    count: int = 100
    seed: int = 0

    def of(self, members: int) -> NDArray[np.int64]:
        """Numbers of the members of each, shape (count, size)."""
        rng = np.random.default_rng(self.seed)
        return np.stack([rng.permutation(members)[: self.size] for _ in range(self.count)])


def sweep(
    cells: Iterable[Labelled],
    draws: Draws,
    *,
    stride: int,
    sigma: float = SIGMA,
    confidences: Sequence[float] = CONFIDENCES,
) -> Sweep:
    """Run over cells once and count hits by components (thesis eq. 4.10-4.13).

    Parameters
    ----------
    cells : iterable of Labelled
    draws : Draws
        Ensembles to sample.
    stride : int
        Pixels per place of the heatmaps.
    sigma : float
        Width of a label's spot, places of the heatmap.
    confidences : sequence of float
        T_C, the same for all members here.

    Raises
    ------
    ValueError
        No cell.
    """
    singles: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None
    ensembles: NDArray[np.int64] | None = None
    for cell in cells:
        members, classes = cell.maps.shape[:2]
        if singles is None or ensembles is None or groups is None:
            groups = draws.of(members)
            singles = np.zeros((members, len(confidences), classes, 3), np.int64)
            ensembles = np.zeros((draws.count, len(confidences), classes, 3), np.int64)
        for channel in range(classes):
            truth = spots(cell.places[channel], cell.maps.shape[2:], stride, sigma)
            _count(cell.maps[:, channel], truth, confidences, singles[:, :, channel])
            _count_groups(cell.maps[:, channel], truth, confidences, groups, draws.agreement, ensembles[:, :, channel])
    if singles is None or ensembles is None:
        raise ValueError("expected at least one labelled cell")
    return Sweep(singles, ensembles, tuple(confidences))


def _count(maps: Float32, truth: Float32, confidences: Sequence[float], into: NDArray[np.int64]) -> None:
    for t, level in enumerate(confidences):
        for m, heat in enumerate(maps):
            hits = match_components(heat > level, truth)
            into[m, t] += (hits.true, hits.false, hits.missed)


def _count_groups(
    maps: Float32,
    truth: Float32,
    confidences: Sequence[float],
    groups: NDArray[np.int64],
    agreement: int,
    into: NDArray[np.int64],
) -> None:
    for t, level in enumerate(confidences):
        binary = (maps > level).astype(np.uint8)
        for g, members in enumerate(groups):
            hits = match_components(binary[members].sum(axis=0) > agreement, truth)
            into[g, t] += (hits.true, hits.false, hits.missed)
