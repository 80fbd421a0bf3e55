"""Limits of a dose: the count's Poisson error and the curve's own, by Merkle's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from cytally.dosimetry.curves.fit import HIGHEST_GY, dose_at, yield_at, yield_error
from cytally.statistics.distributions import chi2_quantile, normal_quantile
from cytally.statistics.poisson import garwood
from cytally.types import FloatArray

_GRID = np.concatenate([np.linspace(0, 1, 401), np.geomspace(1, HIGHEST_GY, 1200)[1:]])


@dataclass(frozen=True)
class DoseLimits:
    """Dose with limits in Gy, and the yield limits they come from."""

    estimate: float
    lower: float
    upper: float
    yield_lower: float
    yield_upper: float


def merkle(
    aberrations: float,
    cells: float,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    level: float = 0.83,
    index: float | None = None,
) -> DoseLimits:
    """Dose with limits from two confidence regions (Merkle 1983).

    The lower limit is where the count's lower limit meets the curve's upper band,
    the upper limit where its upper limit meets the lower band. Regions of 83 %
    each give limits of about 95 % together (Schenker and Gentleman 2001).

    Parameters
    ----------
    aberrations, cells : float
        Whole numbers, or what they are worth where something beside chance scatters them.
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
    level : float
        Of each region; 0.83, or 0.95 for Merkle's own, over-wide ones.
    index : float, optional
        Dispersion index; give it only where the counts are overdispersed (u > 1.96), as
        the rule widens the limits of Poisson counts by half (IAEA 2011 eq. 9).

    Returns
    -------
    DoseLimits
        0 below the background; infinite where a band is never reached.
    """
    limits = garwood(aberrations, level)
    low, high = (widened(limit, aberrations, index) / cells for limit in (limits.lower, limits.upper))
    free = max(int((np.asarray(coefficients) > 0).sum()), 1)
    width = float(np.sqrt(chi2_quantile(level, free)))

    def band(dose: FloatArray, side: int) -> FloatArray:
        """Upper (+1) or lower (-1) end of the curve's region."""
        return np.asarray(yield_at(dose, coefficients) + side * width * yield_error(dose, covariance))

    return DoseLimits(
        dose_at(aberrations / cells, coefficients),
        _first_reach(lambda dose: band(dose, +1), low),
        _first_reach(lambda dose: band(dose, -1), high),
        low,
        high,
    )


def widened(limit: float, count: float, index: float | None) -> float:
    """Limit of an overdispersed count: limit (limit / X)^sqrt(DI) (IAEA 2011 eq. 9)."""
    return limit * (limit / count) ** float(np.sqrt(index)) if count and index is not None else limit


def delta(
    aberrations: int,
    cells: float,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    level: float = 0.95,
    yield_variance: float | None = None,
) -> DoseLimits:
    """Dose with symmetric limits by the delta method (IAEA 2001).

    Parameters
    ----------
    yield_variance : float, optional
        Of the yield per cell; default X / N^2 (Poisson).

    Notes
    -----
    Fails at low counts: with few aberrations the limits are far too narrow, and with
    none they say nothing. Offered for comparison; `merkle` is the default.
    """
    per_cell = aberrations / cells
    variance = aberrations / cells**2 if yield_variance is None else yield_variance
    estimate = dose_at(per_cell, coefficients)
    sd = dose_error(estimate, variance, coefficients, covariance)
    reach = float(normal_quantile((1 + level) / 2))
    spread = reach * float(np.sqrt(variance))
    return DoseLimits(
        estimate,
        max(estimate - reach * sd, 0.0),
        estimate + reach * sd,
        max(per_cell - spread, 0.0),
        per_cell + spread,
    )


def dose_error(dose: float, yield_variance: float, coefficients: FloatArray, covariance: FloatArray) -> float:
    """Standard error of a dose: (Var yield + g' V g)^(1/2) / (dY/dD)."""
    slope = coefficients[1] + 2 * coefficients[2] * dose
    curve = float(yield_error(np.array(dose), covariance)) ** 2
    return float(np.sqrt(yield_variance + curve) / slope) if slope > 0 else float("inf")


def _first_reach(band: Callable[[FloatArray], FloatArray], level: float) -> float:
    """Smallest dose at which a band reaches a level; infinite where it never does."""
    reached = np.flatnonzero(band(_GRID) >= level)
    if not reached.size:
        return float("inf")
    first = int(reached[0])
    if first == 0:
        return 0.0
    return float(optimize.brentq(lambda d: float(band(np.array(d))) - level, _GRID[first - 1], _GRID[first]))
