"""Precision and recall of many models with bands, and differences between two ways with paired bootstrap limits.

Hits are kept by cell, (cells, models, ...), so that cells can be drawn again: two ways of deciding
meet the same cells in every draw, and what is common to both falls out of their difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Scored:
    """Hits of several models, one decision each.

    Attributes
    ----------
    met, false : ndarray of int, shape (cells, models)
        TP and FP of each cell (thesis eq. 4.10-4.12).
    objects : ndarray of int, shape (cells,)
        Truths of each cell.
    """

    met: Counts
    false: Counts
    objects: Counts

    def precision(self, weights: FloatArray | None = None) -> FloatArray:
        """TP / (TP + FP) of each model; 1 where nothing is predicted, as in the thesis.

        Parameters
        ----------
        weights : ndarray of shape (draws, cells), optional
            How often each cell counts; the result is then (draws, models).
        """
        met, false = self._sum(self.met, weights), self._sum(self.false, weights)
        return np.where(met + false > 0, met / np.maximum(met + false, 1), 1.0)

    def recall(self, weights: FloatArray | None = None) -> FloatArray:
        """Share of the truths that are met, at most 1: two parts of one spot may both be met."""
        objects = self._sum(self.objects[:, None], weights)
        return self._sum(np.minimum(self.met, self.objects[:, None]), weights) / np.maximum(objects, 1)

    def f1(self, weights: FloatArray | None = None) -> FloatArray:
        """Harmonic mean of precision and recall; 0 where both are 0."""
        p, r = self.precision(weights), self.recall(weights)
        return 2 * p * r / np.maximum(p + r, 1e-12)

    def false_per_cell(self, weights: FloatArray | None = None) -> FloatArray:
        """False detections per cell of each model."""
        cells = len(self.objects) if weights is None else weights.sum(axis=1)[:, None]
        return self._sum(self.false, weights) / cells

    @staticmethod
    def _sum(counts: Counts, weights: FloatArray | None) -> FloatArray:
        return counts.sum(axis=0).astype(float) if weights is None else weights @ counts


Measure = Callable[[Scored, FloatArray | None], FloatArray]


@dataclass(frozen=True)
class Difference:
    """A difference of means over models, with its 95 % limits."""

    value: float
    lower: float
    upper: float

    @property
    def settled(self) -> bool:
        """Whether the limits leave 0 out."""
        return self.lower > 0 or self.upper < 0


def draws_of(cells: int, draws: int = 2000, seed: int = 0) -> FloatArray:
    """How often each cell is drawn, shape (draws, cells)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(cells, np.full(cells, 1 / cells), size=draws).astype(float)


def paired_difference(first: Scored, second: Scored, measure: Measure, weights: FloatArray) -> Difference:
    """Mean over models of `second` less that of `first`, percentile limits over cells drawn again.

    Parameters
    ----------
    first, second : Scored
        Of the same cells in the same order; numbers of models may differ.
    measure : callable
        Such as `Scored.recall`.
    weights : ndarray of shape (draws, cells)
        From `draws_of`.

    Raises
    ------
    ValueError
        Other cells.
    """
    if not np.array_equal(first.objects, second.objects):
        raise ValueError("expected hits of the same cells")
    value = measure(second, None).mean() - measure(first, None).mean()
    drawn = measure(second, weights).mean(axis=1) - measure(first, weights).mean(axis=1)
    lower, upper = np.quantile(drawn, (0.025, 0.975))
    return Difference(float(value), float(lower), float(upper))


def at_most(false_per_cell: FloatArray, allowed: float) -> NDArray[np.int64]:
    """The lowest T_C at which each model stays within a rate of false detections, from it upwards.

    Parameters
    ----------
    false_per_cell : ndarray of shape (models, T_C)
        By rising T_C.
    allowed : float

    Returns
    -------
    ndarray of int, shape (models,)
        Index of T_C; the last where none is low enough.
    """
    over = false_per_cell > allowed
    last_over = over.shape[1] - 1 - np.argmax(over[:, ::-1], axis=1)
    return np.where(over.any(axis=1), np.minimum(last_over + 1, over.shape[1] - 1), 0)
