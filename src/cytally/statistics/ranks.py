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
    draws : tuple of ndarray of int
        Rows of each resample.
    """

    draws: tuple[IntArray, ...]

    @staticmethod
    def of(clusters: IntArray, count: int = 1000, seed: int = 0) -> Clusters:
        """Draw as many clusters as there are, with replacement."""
        rng, names = np.random.default_rng(seed), np.unique(clusters)
        rows = [np.flatnonzero(clusters == name) for name in names]
        chosen = rng.integers(0, max(len(names), 1), (count if len(names) else 0, len(names)))
        return Clusters(tuple(np.concatenate([rows[k] for k in one]) for one in chosen))

    def ranked(self, values: FloatArray, positive: NDArray[np.bool_]) -> Ranked:
        """AUROC of values with percentile limits."""
        return _limits(auroc(values, positive), np.array([auroc(values[d], positive[d]) for d in self.draws]))

    def difference(self, first: FloatArray, second: FloatArray, positive: NDArray[np.bool_]) -> Ranked:
        """AUROC of the first values less that of the second, on the same resamples."""
        found = [auroc(first[d], positive[d]) - auroc(second[d], positive[d]) for d in self.draws]
        return _limits(auroc(first, positive) - auroc(second, positive), np.array(found))


def _limits(value: float, drawn: FloatArray) -> Ranked:
    kept = drawn[np.isfinite(drawn)]
    if not kept.size or not np.isfinite(value):
        return Ranked(value, float("nan"), float("nan"))
    low, high = np.quantile(kept, (0.025, 0.975))
    return Ranked(value, float(low), float(high))
