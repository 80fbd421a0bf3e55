"""Limits of a dose: the count's Poisson error and the curve's own, by Merkle's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from cytally.statistics.curves import dose_at, yield_at, yield_error
from cytally.statistics.poisson import garwood
from cytally.types import FloatArray

#: No dose is looked for beyond this.
HIGHEST_GY = 100.0
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
    aberrations: int, cells: int, coefficients: FloatArray, covariance: FloatArray,
    *, level: float = 0.83, protraction: float = 1.0,
) -> DoseLimits:  # fmt: skip
    """Dose with limits from two confidence regions (Merkle 1983).

    The lower limit is where the count's lower limit meets the curve's upper band,
    the upper limit where its upper limit meets the lower band. Regions of 83 %
    each give limits of about 95 % together (Schenker and Gentleman 2001).

    Parameters
    ----------
    aberrations, cells : int
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
    level : float
        Of each region; 0.83, or 0.95 for Merkle's own, over-wide ones.
    protraction : float
        G, 1 for an acute exposure.

    Returns
    -------
    DoseLimits
        0 below the background; infinite where a band is never reached.
    """
    limits = garwood(aberrations, level)
    low, high = limits.lower / cells, limits.upper / cells
    free = max(int((np.asarray(coefficients) > 0).sum()), 1)
    width = float(np.sqrt(stats.chi2.ppf(level, free)))

    def band(dose: FloatArray, side: int) -> FloatArray:
        error = width * yield_error(dose, covariance, protraction)
        return np.asarray(yield_at(dose, coefficients, protraction) + side * error)

    return DoseLimits(
        dose_at(aberrations / cells, coefficients, protraction),
        _first_reach(lambda dose: band(dose, +1), low),
        _first_reach(lambda dose: band(dose, -1), high), low, high,
    )  # fmt: skip


def _first_reach(band: Callable[[FloatArray], FloatArray], level: float) -> float:
    """Smallest dose at which a band reaches a level; infinite where it never does."""
    reached = np.flatnonzero(band(_GRID) >= level)
    if not reached.size:
        return float("inf")
    first = int(reached[0])
    if first == 0:
        return 0.0
    return float(optimize.brentq(lambda d: float(band(np.array(d))) - level, _GRID[first - 1], _GRID[first]))
