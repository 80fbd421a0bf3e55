"""Calibrative density: what a count says about the dose, as a whole distribution (Higueras 2015).

Given the dose, the mean of the count is Gamma distributed with the curve's value
and variance, and so the count is negative binomial; by Bayes' rule with a flat or
gamma prior on the dose its density follows on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from cytally.statistics.curves import yield_at, yield_error
from cytally.statistics.distributions import chi2_quantile
from cytally.types import FloatArray

_POINTS = 8001


@dataclass(frozen=True)
class Posterior:
    """Density of the dose.

    Attributes
    ----------
    dose, density : ndarray of shape (n,)
        Gy, per Gy; evenly spaced, area 1.
    """

    dose: FloatArray
    density: FloatArray

    @property
    def mode(self) -> float:
        """Most likely dose."""
        return float(self.dose[int(self.density.argmax())])

    @property
    def mean(self) -> float:
        """Expected dose."""
        return float(np.trapezoid(self.dose * self.density, self.dose))

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return float(np.sqrt(np.trapezoid((self.dose - self.mean) ** 2 * self.density, self.dose)))

    def equal_tailed(self, level: float = 0.95) -> tuple[float, float]:
        """Limits that leave as much below as above; at 0 Gy they never hold 0."""
        steps = np.diff(self.dose) * (self.density[1:] + self.density[:-1]) / 2
        cumulated = np.concatenate([[0.0], np.cumsum(steps)])
        low, high = np.interp([(1 - level) / 2, (1 + level) / 2], cumulated / cumulated[-1], self.dose)
        return float(low), float(high)

    def hpd(self, level: float = 0.95) -> tuple[float, float]:
        """Highest posterior density: the shortest limits."""
        order = np.argsort(-self.density, kind="stable")
        within = np.cumsum(self.density[order]) / self.density.sum()
        chosen = order[: int(np.searchsorted(within, level)) + 1]
        return float(self.dose[chosen.min()]), float(self.dose[chosen.max()])

    def likelihood_region(self, level: float = 0.95) -> tuple[float, float]:
        """Doses whose likelihood ratio is not significant (chi2, 1 degree); of a flat prior only.

        Cover nearer to their level than Merkle's limits at all numbers of cells
        (benchmarks/coverage.py), and hold 0 Gy where they should.
        """
        floor = self.density.max() * np.exp(-chi2_quantile(level, 1) / 2)
        inside = np.flatnonzero(self.density >= floor)
        return float(self.dose[inside[0]]), float(self.dose[inside[-1]])


def calibrative_density(
    aberrations: int, cells: int, coefficients: FloatArray, covariance: FloatArray,
    *, protraction: float = 1.0, prior: tuple[float, float] | None = None, highest: float | None = None,
    index: float | None = None,
) -> Posterior:  # fmt: skip
    """Density of the dose given a count (Higueras 2015, gamma mean prior).

    Parameters
    ----------
    aberrations, cells : int
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
    protraction : float
    prior : (shape, mean), optional
        Of a gamma prior on the dose; flat without it.
    highest : float, optional
        Gy; default: as far as the density reaches.
    index : float, optional
        Dispersion index of overdispersed counts: they say as much as 1 / index times as many
        Poisson ones (quasi-likelihood); the curve's error stays as it is.

    Notes
    -----
    X | D ~ NB(u^2 / v, 1 / (1 + N v / u)), u = Y(D), v = g(D)' V g(D).
    """
    worth = 1.0 if index is None else 1 / index
    given = (aberrations * worth, cells * worth)
    far = highest or _reach(*given, coefficients, covariance, protraction)
    dose = np.linspace(0, far, _POINTS)
    log = _log_likelihood(*given, dose, coefficients, covariance, protraction)
    if prior is not None:
        shape, mean = prior
        with np.errstate(divide="ignore"):
            log = log + special.xlogy(shape - 1, dose) - dose * shape / mean
    density = np.exp(log - np.nanmax(log[np.isfinite(log)]))
    density = np.where(np.isfinite(density), density, 0.0)
    return Posterior(dose, density / np.trapezoid(density, dose))


def _log_likelihood(
    aberrations: float, cells: float, dose: FloatArray, coefficients: FloatArray,
    covariance: FloatArray, protraction: float,
) -> FloatArray:  # fmt: skip
    mean = yield_at(dose, coefficients, protraction)
    return count_log(aberrations, cells, mean, yield_error(dose, covariance, protraction) ** 2)


def count_log(count: float | FloatArray, cells: float, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """Log probability of a count whose mean is Gamma distributed.

    Negative binomial; Poisson where the variance of the mean is negligible. `mean` and
    `variance` are those of the yield per cell; all arguments broadcast.
    """
    expected = cells * np.maximum(mean, 1e-300)
    poisson = special.xlogy(count, expected) - expected - special.gammaln(count + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = mean**2 / variance
        share = 1 / (1 + cells * variance / mean)
        spread = (
            special.gammaln(count + size) - special.gammaln(size) - special.gammaln(count + 1)
            + special.xlogy(size, share) + special.xlog1py(count, -share)
        )  # fmt: skip
    return np.asarray(np.where((size < 1e7) & np.isfinite(spread), spread, poisson))


def _reach(
    aberrations: float, cells: float, coefficients: FloatArray, covariance: FloatArray, protraction: float
) -> float:
    """Smallest of 1, 1.3, 1.7, ... Gy beyond which next to nothing lies."""
    grid = np.geomspace(0.02, 200, 400)
    log = _log_likelihood(aberrations, cells, grid, coefficients, covariance, protraction)
    log = np.where(np.isfinite(log), log, -np.inf)
    alive = np.flatnonzero(log > log.max() - 25)
    return float(grid[min(int(alive[-1]) + 1, grid.size - 1)])
