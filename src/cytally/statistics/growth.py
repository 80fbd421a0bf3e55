"""Counts over time -> growth rate and doubling time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from cytally.types import FloatArray


@dataclass(frozen=True)
class Growth:
    """Exponential growth N(t) = start * exp(rate * t).

    Attributes
    ----------
    start : float
        Cells at time 0.
    rate, lower, upper : float
        Per unit of time, with limits.
    """

    start: float
    rate: float
    lower: float
    upper: float

    @property
    def doubling(self) -> tuple[float, float, float]:
        """Doubling time and its limits; infinite where the limits of the rate reach 0 or less."""
        estimate, high, low = (
            np.log(2) / r if r > 0 else np.inf for r in (self.rate, self.lower, self.upper)
        )
        return float(estimate), float(low), float(high)


def fit_growth(time: FloatArray, count: FloatArray, level: float = 0.95) -> Growth:
    """Straight line through log counts, weighted by the counts, limits from its own scatter.

    Parameters
    ----------
    time : ndarray of shape (n,)
    count : ndarray of shape (n,)
        Zeros are left out: a field without cells has no logarithm.
    level : float

    Returns
    -------
    Growth
        NaN where fewer than three counts above zero, or no two different times, are left.

    Notes
    -----
    Counts of one field at successive times are the same cells and not independent; the limits
    tell how straight the line is, not how other wells would grow.

    Examples
    --------
    >>> round(fit_growth(np.arange(5.0), 100 * 2 ** (np.arange(5) / 4)).doubling[0], 6)
    4.0
    """
    keep = np.asarray(count) > 0
    t, n = np.asarray(time, float)[keep], np.asarray(count, float)[keep]
    if len(t) < 3 or np.ptp(t) == 0:
        return Growth(*(float("nan"),) * 4)
    weight = n / n.sum()
    middle = float((weight * t).sum())
    centred = t - middle
    spread = float((weight * centred**2).sum())
    log = np.log(n)
    rate = float((weight * centred * log).sum() / spread)
    level_at = float((weight * log).sum())
    rest = log - level_at - rate * centred
    error = np.sqrt(float((weight * rest**2).sum()) / (len(t) - 2) / spread)
    reach = float(stats.t.ppf(0.5 + level / 2, len(t) - 2)) * error
    return Growth(float(np.exp(level_at - rate * middle)), rate, rate - reach, rate + reach)
