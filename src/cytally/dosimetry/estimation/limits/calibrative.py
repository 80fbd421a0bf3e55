"""Calibrative density: what a count says about the dose, as a whole distribution (Higueras 2015).

Given the dose, the mean of the count is Gamma distributed with the curve's value
and variance, and so the count is negative binomial; by Bayes' rule with a flat or
gamma prior on the dose its density follows on a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize, special

from cytally.dosimetry.curves.fit import HIGHEST_GY, yield_at, yield_error
from cytally.errors import CountsError
from cytally.statistics.distributions import chi2_quantile
from cytally.types import FloatArray

_POINTS = 4001
#: Below exp(-25) of the largest nothing is looked at.
_ALIVE = 25.0
#: Doses of the first look: 0, and then each 4 % above the last.
_SCAN = np.concatenate([[0.0], np.geomspace(0.002, HIGHEST_GY, 280)])
#: A density per Gy, times `HIGHEST_GY`, that does not end there.
_ENDLESS = 1e-3
#: A negative binomial distribution of this size is Poisson's.
_POISSON = 1e12
#: Logarithms of probabilities below this are not trusted to the incomplete beta function.
_SMALLEST = -600.0
#: Shape of a gamma prior, whose standard deviation is then 3 % of its mean.
_NARROWEST = 1000.0


@dataclass(frozen=True)
class Prior:
    """What was believed of the dose before the count.

    Attributes
    ----------
    highest : float or None
        Gy; every dose up to this is as likely as any other. None: there is no such end.
    gamma : (shape, mean) or None
        A gamma distribution instead, mean in Gy.
    """

    highest: float | None = None
    gamma: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.highest is not None and not 0 < self.highest <= HIGHEST_GY:
            raise CountsError(
                f"expected a prior up to a dose above 0 and at most {HIGHEST_GY:g} Gy, got {self.highest:g}"
            )
        if self.gamma is not None and not all(0 < value < float("inf") for value in self.gamma):
            raise CountsError(
                f"expected a gamma prior of shape and mean above 0, got {self.gamma[0]:g} and {self.gamma[1]:g}"
            )
        if self.gamma is not None and not 1 <= self.gamma[0] <= _NARROWEST:
            raise CountsError(
                f"expected a gamma prior of a shape of 1 to {_NARROWEST:g}, got {self.gamma[0]:g}: below, 0 Gy is "
                "infinitely likely whatever was counted; above, no count says anything"
            )

    @staticmethod
    def of(text: str) -> Prior:
        """A prior by its name and numbers.

        Raises
        ------
        CountsError
            Another form, or numbers that no prior has.

        Examples
        --------
        >>> Prior.of("uniform:5").highest, Prior.of("gamma:2,1.5").gamma
        (5.0, (2.0, 1.5))
        """
        kind, _, rest = text.partition(":")
        try:
            numbers = [float(part) for part in rest.split(",")] if rest else []
        except ValueError:
            numbers = []
        if text == "uniform":
            return Prior()
        if kind == "uniform" and len(numbers) == 1:
            return Prior(highest=numbers[0])
        if kind == "gamma" and len(numbers) == 2:
            return Prior(gamma=(numbers[0], numbers[1]))
        raise CountsError(
            f"expected a prior uniform, uniform:5 (up to 5 Gy) or gamma:2,1.5 (shape and mean in Gy), got {text!r}"
        )

    def log_weight(self, dose: FloatArray) -> FloatArray:
        """Log density at doses, up to a constant; -inf where a dose was impossible."""
        if self.gamma is not None:
            shape, mean = self.gamma
            with np.errstate(divide="ignore"):
                return np.asarray(special.xlogy(shape - 1, dose) - dose * shape / mean)
        return np.where(dose <= (HIGHEST_GY if self.highest is None else self.highest), 0.0, -np.inf)

    @property
    def words(self) -> str:
        """What it is, in words."""
        if self.gamma is not None:
            return f"gamma prior of shape {self.gamma[0]:g} and mean {self.gamma[1]:g} Gy"
        return "flat prior" if self.highest is None else f"flat prior up to {self.highest:g} Gy"


FLAT = Prior()


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
    ceiling = np.minimum.accumulate(log_up_to(_SCAN))

    def held(dose: FloatArray) -> FloatArray:
        """The log likelihood, nowhere above the least log probability of at most the count at lower doses."""
        return np.minimum(log(dose), ceiling[np.searchsorted(_SCAN, dose, side="right") - 1])

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
