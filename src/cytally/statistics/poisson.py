"""Counts: exact Poisson limits, dispersion and the u test. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from cytally.types import FloatArray, IntArray


@dataclass(frozen=True)
class Limits:
    """Lower and upper limit."""

    lower: float
    upper: float


@dataclass(frozen=True)
class Dispersion:
    """How a distribution over cells compares with Poisson.

    Attributes
    ----------
    cells, aberrations : int
    mean, variance : float
    index : float
        Variance over mean; NaN without aberrations.
    u : float
        Standardised deviation of the index from 1; NaN for 0 or 1 aberrations.
    """

    cells: int
    aberrations: int
    mean: float
    variance: float
    index: float
    u: float

    @property
    def overdispersed(self) -> bool:
        """U > 1.96: more cells with many aberrations than Poisson allows."""
        return bool(self.u > 1.96)

    @property
    def underdispersed(self) -> bool:
        """U < -1.96: too even; were cells selected by eye?"""
        return bool(self.u < -1.96)


def garwood(count: int, level: float = 0.95) -> Limits:
    """Exact limits of a Poisson mean (Garwood 1936).

    Parameters
    ----------
    count : int
    level : float
        Two-sided coverage.

    Examples
    --------
    >>> limits = garwood(25)
    >>> round(limits.lower, 3), round(limits.upper, 3)
    (16.179, 36.905)
    """
    tail = (1 - level) / 2
    lower = float(stats.chi2.ppf(tail, 2 * count) / 2) if count else 0.0
    return Limits(lower, float(stats.chi2.ppf(1 - tail, 2 * (count + 1)) / 2))


def dispersion(distribution: IntArray | FloatArray) -> Dispersion:
    """Dispersion index and u test (IAEA 2011 eq. 5; Rao 1956, Savage 1970).

    Parameters
    ----------
    distribution : ndarray of shape (k + 1,)
        Number of cells with 0, 1, ..., k aberrations.
    """
    counts = np.asarray(distribution, dtype=float)
    k = np.arange(counts.size)
    cells, total = counts.sum(), (k * counts).sum()
    mean = total / cells if cells else float("nan")
    variance = ((k**2 * counts).sum() - total**2 / cells) / (cells - 1) if cells > 1 else float("nan")
    index = variance / mean if total > 0 else float("nan")
    u = (index - 1) * np.sqrt((cells - 1) / (2 * (1 - 1 / total))) if total > 1 else float("nan")
    return Dispersion(int(cells), int(total), float(mean), float(variance), float(index), float(u))
