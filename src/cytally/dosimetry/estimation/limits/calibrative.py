"""Calibrative density: what a count says about the dose, as a whole distribution (Higueras 2015).

Given the dose, the mean of the count is Gamma distributed with the curve's value
and variance, and so the count is negative binomial; by Bayes' rule with a flat or
gamma prior on the dose its density follows on a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize

from cytally.dosimetry.curves.fit import HIGHEST_GY, yield_at, yield_error
from cytally.dosimetry.estimation.limits.counting import count_below, count_log, count_up_to_log
from cytally.dosimetry.estimation.limits.prior import FLAT, Prior
from cytally.statistics.distributions import chi2_quantile
from cytally.types import FloatArray

_POINTS = 4001
#: Below exp(-25) of the largest nothing is looked at.
_ALIVE = 25.0
#: Doses of the first look: 0, and then each 4 % above the last.
_SCAN = np.concatenate([[0.0], np.geomspace(0.002, HIGHEST_GY, 280)])
#: Doses at which a likelihood is held to what lower doses leave.
_STEPS = _SCAN[::3]
#: A density per Gy, times `HIGHEST_GY`, that does not end there.
_ENDLESS = 1e-3


@dataclass(frozen=True)
class Posterior:
    """Density of the dose.

    Attributes
    ----------
    dose, density : ndarray of shape (n,)
        Gy, per Gy; evenly spaced, area 1.
    below : callable, optional
        Probability, at each of some doses, of a lower count, and half that of this one.
    """

    dose: FloatArray
    density: FloatArray
    below: Callable[[FloatArray], FloatArray] | None = field(default=None, repr=False, compare=False)

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
        """Highest posterior density: the shortest limits; infinite where much may lie beyond `HIGHEST_GY`."""
        order = np.argsort(-self.density, kind="stable")
        within = np.cumsum(self.density[order]) / self.density.sum()
        chosen = order[: int(np.searchsorted(within, level)) + 1]
        endless = self.dose[-1] >= HIGHEST_GY and self.density[-1] * HIGHEST_GY > _ENDLESS
        return float(self.dose[chosen.min()]), float("inf") if endless else float(self.dose[chosen.max()])

    def likelihood_region(self, level: float = 0.95) -> tuple[float, float]:
        """Doses whose likelihood ratio is not significant (chi2, 1 degree); of a flat prior only.

        With a few aberrations the ratio alone stops short above: with none it excludes doses
        that are as silent one time in seven. The upper limit is therefore not below the dose at
        which a lower count and half of this one have a probability of (1 - level) / 2 together
        (mid-P; Lancaster 1961). Infinite where no dose up to `HIGHEST_GY` is excluded.

        Covers nearer to its level than Merkle's limits at all numbers of cells
        (benchmarks/coverage.py), and holds 0 Gy where it should.
        """
        floor = self.density.max() * np.exp(-chi2_quantile(level, 1) / 2)
        inside = np.flatnonzero(self.density >= floor)
        first, last = int(inside[0]), int(inside[-1])
        lower = self._crossing(first, first - 1, floor) if first else float(self.dose[0])
        at_end = last == len(self.dose) - 1
        upper = self._end(last) if at_end else self._crossing(last, last + 1, floor)
        return lower, self._mid_p(upper, (1 - level) / 2)

    def _end(self, last: int) -> float:
        """A dose of the grid; infinite for the last where nothing further was looked at."""
        end = last == len(self.dose) - 1 and self.dose[-1] >= HIGHEST_GY
        return float("inf") if end else float(self.dose[last])

    def _crossing(self, inside: int, outside: int, floor: float) -> float:
        """Where the density crosses a height between two neighbours."""
        high, low = float(self.density[inside]), float(self.density[outside])
        share = (high - floor) / (high - low) if high > low else 0.0
        return float(self.dose[inside] + share * (self.dose[outside] - self.dose[inside]))

    def _mid_p(self, upper: float, tail: float) -> float:
        """An upper limit, or a higher one where the counts up to this one are still too likely."""

        def above(dose: float) -> float:
            """By how much the counts up to this one are too likely."""
            return float(self.below(np.array([dose]))[0]) - tail if self.below is not None else -1.0

        if not np.isfinite(upper) or above(upper) <= 0:
            return upper
        low, high = upper, upper
        while above(high) > 0:
            if high >= HIGHEST_GY:
                return float("inf")
            low, high = high, min(high * 1.3 + 0.02, HIGHEST_GY)
        return float(optimize.brentq(above, low, high, xtol=1e-6))


def calibrative_density(
    aberrations: float,
    cells: float,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    prior: Prior = FLAT,
    index: float | None = None,
) -> Posterior:
    """Density of the dose given a count (Higueras 2015, gamma mean prior).

    Parameters
    ----------
    aberrations, cells : int
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
        Of the curve; of a protracted exposure its `protracted` one.
    prior : Prior
        On the dose; a flat one without an end reaches as far as the density does, at most to `HIGHEST_GY`.
    index : float, optional
        Dispersion index of overdispersed counts: they say as much as 1 / index times as many
        Poisson ones (quasi-likelihood); the curve's error stays as it is.

    Notes
    -----
    X | D ~ NB(u^2 / v, 1 / (1 + N v / u)), u = Y(D), v = g(D)' V g(D).
    """
    worth = 1.0 if index is None else 1 / index
    count, among = aberrations * worth, cells * worth

    def moments(dose: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of the yield per cell."""
        return yield_at(dose, coefficients), yield_error(dose, covariance) ** 2

    likelihood = growing(
        lambda dose: count_log(count, among, *moments(dose)),
        lambda dose: count_up_to_log(count, among, *moments(dose)),
    )

    def log_density(dose: FloatArray) -> FloatArray:
        """Likelihood and prior together."""
        log = likelihood(dose) + prior.log_weight(dose)
        return np.asarray(np.where(np.isposinf(log), log[np.isfinite(log)].max(), log))

    dose, density = trace(log_density, _POINTS, prior.highest)
    return Posterior(dose, density, lambda gray: count_below(count, among, *moments(gray)))


def growing(
    log: Callable[[FloatArray], FloatArray], log_up_to: Callable[[FloatArray], FloatArray]
) -> Callable[[FloatArray], FloatArray]:
    """A log likelihood of the dose, held to what it must be as a yield never falls with dose.

    Every curve grows: at no dose can a count so low be more probable than it is at a lower dose. The Gamma
    distribution of the mean does not know that. Far beyond the calibrated doses, where the error of the curve
    is as large as its yield, it holds means near 0, and would call 0 Gy and 100 Gy alike for a count of 0.

    Parameters
    ----------
    log, log_up_to : callable
        Log probability of the count, and of at most the count, at doses (n,) in Gy.
    """
    ceiling = np.minimum.accumulate(log_up_to(_STEPS))

    def held(dose: FloatArray) -> FloatArray:
        """The log likelihood, nowhere above the least log probability of at most the count at lower doses."""
        return np.minimum(log(dose), ceiling[np.searchsorted(_STEPS, dose, side="right") - 1])

    return held


def trace(
    log_density: Callable[[FloatArray], FloatArray], points: int, highest: float | None = None
) -> tuple[FloatArray, FloatArray]:
    """A density on as many evenly spaced doses as it takes, wherever it lies between 0 and `HIGHEST_GY`.

    Parameters
    ----------
    log_density : callable
        Log density at doses (n,), up to a constant.
    points : int
    highest : float, optional
        Gy; where the doses end. Default: where nothing is left.

    Returns
    -------
    dose, density : ndarray of shape (points,)
        From 0 Gy wherever that is not far below; area 1.
    """
    low, high = (0.0, highest) if highest is not None else _alive(_SCAN, log_density(_SCAN))
    for _ in range(12):
        dose = np.linspace(low, high, points)
        log = log_density(dose)
        if highest is not None or (log > np.nanmax(log) - 2).sum() > points // 50:
            break
        low, high = _alive(dose, log)
    density = np.exp(np.where(np.isfinite(log), log - np.max(log[np.isfinite(log)]), -np.inf))
    return dose, density / np.trapezoid(density, dose)


def _alive(dose: FloatArray, log: FloatArray) -> tuple[float, float]:
    """Between which doses something is left; from 0 where that is not far below."""
    log = np.where(np.isfinite(log), log, -np.inf)
    alive = np.flatnonzero(log > log.max() - _ALIVE)
    low, high = dose[max(int(alive[0]) - 1, 0)], dose[min(int(alive[-1]) + 1, len(dose) - 1)]
    return (0.0 if low < 0.5 * high and dose[0] == 0 else float(low)), float(high)
