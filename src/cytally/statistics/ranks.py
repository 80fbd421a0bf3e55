"""Does a value tell two groups apart? Area under the ROC curve, with limits by whole clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from cytally.types import FloatArray, IntArray


def auroc(values: FloatArray, positive: NDArray[np.bool_]) -> float:
    """Probability that a positive has the larger value than a negative; ties count half.

    Parameters
    ----------
    values : ndarray of shape (n,)
    positive : ndarray of bool, shape (n,)

    Returns
    -------
    float
        NaN where one of the groups is empty.

    Examples
    --------
    >>> auroc(np.array([1, 2, 2, 3.0]), np.array([False, False, True, True]))
    0.875
    """
    many, few = int(positive.sum()), int((~positive).sum())
    if not many or not few:
        return float("nan")
    ranks = rankdata(values)
    return float((ranks[positive].sum() - many * (many + 1) / 2) / (many * few))


@dataclass(frozen=True)
class Ranked:
    """An area under the ROC curve, or a difference of two, with 95 % limits; NaN where it cannot be said."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Clusters:
    """Resamples of whole clusters, such as all detections of a cell; the same for every value.

    Attributes
    ----------
    weights : ndarray of int, shape (draws, n)
        How often each row stands in each resample.
    """

    weights: IntArray

    @staticmethod
    def of(clusters: IntArray, count: int = 1000, seed: int = 0) -> Clusters:
        """Draw as many clusters as there are, with replacement."""
        if not len(clusters):
            return Clusters(np.zeros((count, 0), int))
        rng = np.random.default_rng(seed)
        names, owners = np.unique(clusters, return_inverse=True)
        often = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)
        return Clusters(often[:, owners])

    def ranked(self, values: FloatArray, positive: NDArray[np.bool_]) -> Ranked:
        """AUROC of values with percentile limits."""
        return _limits(auroc(values, positive), weighted_aurocs(values, positive, self.weights))

    def difference(self, first: FloatArray, second: FloatArray, positive: NDArray[np.bool_]) -> Ranked:
        """AUROC of the first values less that of the second, on the same resamples."""
        drawn = [weighted_aurocs(each, positive, self.weights) for each in (first, second)]
        return _limits(auroc(first, positive) - auroc(second, positive), drawn[0] - drawn[1])


def weighted_aurocs(values: FloatArray, positive: NDArray[np.bool_], weights: IntArray) -> FloatArray:
    """`auroc` where row k stands weights[:, k] times, for many weights (draws, n) with one sorting.

    Returns
    -------
    ndarray of shape (draws,)
        NaN where one of the groups has no weight.
    """
    if not len(values):
        return np.full(len(weights), np.nan)
    order = np.argsort(values, kind="stable")
    begins = np.flatnonzero(np.diff(values[order], prepend=-np.inf) > 0)
    sums = [np.add.reduceat(weights[:, order] * kept[order], begins, axis=1) for kept in (positive, ~positive)]
    many, few = sums[0].astype(float), sums[1].astype(float)
    below = np.cumsum(few, axis=1) - few / 2  # ties count half
    pairs = many.sum(axis=1) * few.sum(axis=1)
    won = (many * below).sum(axis=1)
    return np.asarray(np.divide(won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0))


def _limits(value: float, drawn: FloatArray) -> Ranked:
    kept = drawn[np.isfinite(drawn)]
    if not kept.size or not np.isfinite(value):
        return Ranked(value, float("nan"), float("nan"))
    low, high = np.quantile(kept, (0.025, 0.975))
    return Ranked(value, float(low), float(high))
