"""Counts over time -> growth rate and doubling time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from cytally.errors import CountsError
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
        """Doubling time and its limits; infinite where the rate, or the limit it comes from, shows no growth.

        The time itself is infinite where the limits of the rate hold 0: growth that is not shown has no
        doubling time, only a lower limit of it. NaN where there is no rate.
        """
        if not np.isfinite(self.rate):
            return (float("nan"),) * 3
        shown = self.rate if self.lower > 0 else 0.0
        estimate, high, low = (np.log(2) / r if r > 0 else np.inf for r in (shown, self.lower, self.upper))
        return float(estimate), float(low), float(high)

    @property
    def verdict(self) -> str:
        """What the limits of the rate say: "grows", "shrinks", "no growth shown" or "too few counts"."""
        if not np.isfinite(self.rate):
            return "too few counts"
        return "grows" if self.lower > 0 else "shrinks" if self.upper < 0 else "no growth shown"


def fit_growth(time: FloatArray, count: FloatArray, level: float = 0.95) -> Growth:
    """Straight line through log counts, weighted by the counts, limits from its own scatter.

    Parameters
    ----------
    time : ndarray of shape (n,)
    count : ndarray of shape (n,)
        Zeros are left out: a field without cells has no logarithm.
    level : float

    Raises
    ------
    CountsError
        Unequal lengths, times that are no numbers, counts below 0.

    Returns
    -------
    Growth
        NaN where fewer than three counts above zero, or no two different times, are left.

    Notes
    -----
    Counts of one field at successive times are the same cells and not independent; the limits
    tell how straight the line is, not how other wells would grow. A count is a whole number, so that
    its error is never below that of rounding (standard deviation 1/sqrt(12)): equal counts do not
    prove a rate of exactly 0.

    Examples
    --------
    >>> round(fit_growth(np.arange(5.0), 100 * 2 ** (np.arange(5) / 4)).doubling[0], 6)
    4.0
    """
    times, counts = np.asarray(time, float), np.asarray(count, float)
    if times.shape != counts.shape or not np.isfinite(times).all() or not (counts >= 0).all():
        raise CountsError(
            f"expected a time and a count of 0 or more for each image, got times {times.tolist()} and counts {counts.tolist()}"
        )
    keep = counts > 0
    t, n = times[keep], counts[keep]
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
    rounding = float((weight**2 * centred**2 / (12 * n**2)).sum()) / spread**2
    error = np.sqrt(max(float((weight * rest**2).sum()) / (len(t) - 2) / spread, rounding))
    reach = float(stats.t.ppf(0.5 + level / 2, len(t) - 2)) * error
    return Growth(float(np.exp(level_at - rate * middle)), rate, float(rate - reach), float(rate + reach))
