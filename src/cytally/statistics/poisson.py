"""Counts: exact Poisson limits, dispersion and the u test. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from cytally.statistics.distributions import (
    chi2_quantile,
    gamma_quantile,
    poisson_beyond,
    poisson_log,
    poisson_up_to,
)
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
        """U < -1.96: too even; were cells selected by manual scoring?"""
        return bool(self.u < -1.96)


def garwood(count: float, level: float = 0.95) -> Limits:
    """Exact limits of a Poisson mean (Garwood 1936).

    Parameters
    ----------
    count : float
        A whole number, or what one is worth where something beside chance scatters it.
    level : float
        Two-sided coverage.

    Examples
    --------
    >>> limits = garwood(25)
    >>> round(limits.lower, 3), round(limits.upper, 3)
    (16.179, 36.905)
    """
    tail = (1 - level) / 2
    lower = float(chi2_quantile(tail, 2 * count) / 2) if count else 0.0
    return Limits(lower, float(chi2_quantile(1 - tail, 2 * (count + 1)) / 2))


def crow_gardner(count: int, level: float = 0.95) -> Limits:
    """Shortest limits of a Poisson mean (Crow and Gardner 1959; IAEA 2011 table 8).

    For every mean the shortest run of counts with enough probability is accepted, of
    equally short ones the one that begins highest; the limits are the means that
    accept the count.

    Examples
    --------
    >>> limits = crow_gardner(25)
    >>> round(limits.lower, 2), round(limits.upper, 2)
    (16.77, 36.03)
    """
    wide = garwood(count, 1 - (1 - level) / 4)  # both limits lie inside
    highest = int(wide.upper + 12 * np.sqrt(wide.upper) + 30)
    means = np.arange(wide.lower, wide.upper + 1, 0.0005)
    accepted = np.concatenate([_accepts(part, count, level, highest) for part in np.array_split(means, 64)])
    inside = means[accepted]
    return Limits(float(inside[0]) if count else 0.0, float(inside[-1]))


def _accepts(means: FloatArray, count: int, level: float, highest: int) -> NDArray[np.bool_]:
    """Whether each mean's shortest run of counts holds this count."""
    below = poisson_up_to(np.arange(-1, highest), means[:, None])  # P(X < k)
    found = np.zeros(len(means), bool)
    for row, cumulated in enumerate(below):
        first = np.arange(highest)
        after = np.searchsorted(cumulated, cumulated[:highest] + level)  # first count beyond the run
        length = np.where(after <= highest, after - first, highest + 1)
        start = highest - 1 - int(np.argmin(length[::-1]))
        found[row] = start <= count < after[start]
    return found


def bayesian(count: int, level: float = 0.95) -> Limits:
    """Equal-tailed limits of a Poisson mean under a flat prior, Gamma(count + 1) (IAEA 2011 table 7)."""
    tail = (1 - level) / 2
    return Limits(*(float(q) for q in gamma_quantile([tail, 1 - tail], count + 1)))


def two_sample_p(first: int, cells: float, second: int, other_cells: float) -> float:
    """Exact two-sided test that two yields are equal (conditional binomial).

    Examples
    --------
    >>> round(two_sample_p(13, 1000, 1, 1000), 6)
    0.001831
    """
    if first + second == 0:
        return 1.0
    share = cells / (cells + other_cells)
    from scipy.stats import binomtest  # slow to import, and few ask

    return float(binomtest(first, first + second, share).pvalue)


def one_sample_p(count: int, mean: float, variance: float = 0.0) -> float:
    """Exact two-sided test of a mean: probability of all counts no more likely than this one.

    Parameters
    ----------
    count : int
    mean, variance : float
        Of the expected count. Without a variance the count is Poisson; with one its mean is Gamma
        distributed, and the count negative binomial.

    Examples
    --------
    Five in 3000 cells differ from no background, but not from one of 0 in 1000 controls, which is
    Gamma(1/2) / 1000 per cell:

    >>> one_sample_p(5, 3000 * 1e-9) < 0.001, one_sample_p(5, 1.5, 4.5) > 0.05
    (True, True)
    """
    far = int(mean + 12 * np.sqrt(mean + variance + 1)) + count + 40
    likely = np.exp(_count_log(np.arange(far + 1), mean, variance))
    rare = float(likely[likely <= likely[count] * (1 + 1e-7)].sum() + max(1 - likely.sum(), 0.0))
    if variance <= 0:
        rare = float(likely[likely <= likely[count] * (1 + 1e-7)].sum() + poisson_beyond(far, mean))
    return min(rare, 1.0)


def _count_log(count: IntArray, mean: float, variance: float) -> FloatArray:
    """Log probability of counts, Poisson or negative binomial."""
    if variance <= 0 or mean <= 0:
        return np.asarray(poisson_log(count, mean))
    size = mean**2 / variance
    rise = special.gammaln(count + size) - special.gammaln(size) - special.gammaln(count + 1.0)
    return np.asarray(rise - size * np.log1p(mean / size) - special.xlogy(count, 1 + size / mean))


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
