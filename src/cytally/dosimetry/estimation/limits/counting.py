"""The distribution of a count whose mean is known with an error: negative binomial, or Poisson without one."""

from __future__ import annotations

import numpy as np
from scipy import special

from cytally.types import FloatArray

#: A negative binomial distribution of this size is Poisson's.
_POISSON = 1e12
#: Logarithms of probabilities below this are not trusted to the incomplete beta function.
_SMALLEST = -600.0


def count_log(count: float | FloatArray, cells: float, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Log probability of a count whose mean is Gamma distributed.

    Negative binomial; Poisson where the variance of the mean is negligible. `mean` and
    `variance` are those of the yield per cell; all arguments broadcast.

    Notes
    -----
    ln G(X + s) - ln G(s) - X ln s by Stirling's series where s is large: the difference of the
    two would drown in rounding.
    """
    expected, size = _expected_and_size(cells, mean, variance)
    chance = special.xlogy(count, expected) - special.gammaln(np.asarray(count) + 1.0)
    if (size >= _POISSON).all():
        return np.asarray(chance - expected)
    spread = _log_rise(np.asarray(count, float), size) - (count + size) * np.log1p(expected / size)
    return np.asarray(chance + np.where(size < _POISSON, spread, -expected))


def _log_rise(count: FloatArray, size: FloatArray) -> FloatArray:
    """Ratio of the Gamma functions, ln G(X + s) - ln G(s) - X ln s."""
    few = size < 1e3
    small, large = np.minimum(size, 1e3), np.clip(size, 1e3, _POISSON)
    rise = stirling = np.zeros(())
    if few.any():
        rise = special.gammaln(count + small) - special.gammaln(small) - special.xlogy(count, small)
    if not few.all():
        ends = 1 / (12 * (count + large)) - 1 / (12 * large)
        stirling = (count + large - 0.5) * np.log1p(count / large) - count + ends
    return np.where(few, rise, stirling)


def count_up_to(count: float | FloatArray, cells: float, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Probability of at most this count, of the distribution of `count_log`; 0 below 0."""
    expected, size = _expected_and_size(cells, mean, variance)
    counts = np.asarray(count, dtype=float)
    beyond = np.maximum(counts + 1, 1e-9)
    spread = special.betainc(size, beyond, 1 / (1 + expected / size))
    found = np.where(size < _POISSON, spread, special.gammaincc(beyond, expected))
    return np.where(counts > -1, found, 0.0)


def count_up_to_log(count: float | FloatArray, cells: float, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Log of `count_up_to`; where that is too small for a number, the most that it can be.

    There the count lies far below its likeliest values, so that no lower one is more probable.
    """
    with np.errstate(divide="ignore"):
        found = np.log(count_up_to(count, cells, mean, variance))
    most = count_log(count, cells, mean, variance) + np.log1p(count)
    return np.asarray(np.where(found > _SMALLEST, found, most))


def count_below(count: float | FloatArray, cells: float, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Probability of a lower count and half that of this one, of the distribution of `count_log`."""
    both = (count_up_to(np.asarray(count) - lower, cells, mean, variance) for lower in (0, 1))
    return np.asarray(sum(both) / 2)


def _expected_and_size(cells: float, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Expected count and shape of its Gamma distribution, both above 0."""
    yields = np.maximum(mean, 1e-150)
    with np.errstate(divide="ignore", over="ignore"):
        size = np.where(variance > 0, yields**2 / np.where(variance > 0, variance, 1.0), _POISSON)
    return cells * yields, np.clip(size, 1e-12, _POISSON)
