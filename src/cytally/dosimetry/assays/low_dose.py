"""Low doses: odds of two hypotheses, decision threshold and detection limit, cells to score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.fit import dose_at, yield_at, yield_error
from cytally.dosimetry.estimation.limits.counting import count_log
from cytally.errors import CountsError
from cytally.statistics.distributions import chi2_quantile
from cytally.statistics.poisson import Limits, bayesian, garwood, one_sample_p, two_sample_p
from cytally.types import FloatArray


def odds(aberrations: int, cells: int, dose: float, other_dose: float, coefficients: FloatArray) -> float:
    """How much better one dose explains a count than another (IAEA 2011, 9.7.4.2).

    Examples
    --------
    No dicentric in 1000 cells speaks 1306 : 1 for 0 Gy against 0.25 Gy (IAEA 2011, table 9):

    >>> round(odds(0, 1000, 0.0, 0.25, np.array([0.001, 0.0164, 0.0492])))
    1306
    """
    with np.errstate(over="ignore"):
        return float(np.exp(log_odds(aberrations, cells, dose, other_dose, coefficients)))


def log_odds(
    aberrations: int,
    cells: int,
    dose: float,
    other_dose: float,
    coefficients: FloatArray,
    covariance: FloatArray | None = None,
) -> float:
    """Natural logarithm of `odds`, which may be beyond every floating-point number.

    With a covariance of the curve the count is negative binomial at either dose (`bayes.count_log`),
    so that the odds carry what is not known of the background.

    Raises
    ------
    CountsError
        A curve without background.
    """
    _check_finite(dose=dose, other_dose=other_dose)
    at = np.array([dose, other_dose])
    mean = yield_at(at, coefficients)
    if mean.min() <= 0:
        raise CountsError("expected a curve with a background above 0; without one 0 Gy explains no count")
    variance = np.zeros(2) if covariance is None else yield_error(at, covariance) ** 2
    first, second = count_log(aberrations, cells, mean, variance)
    return float(first - second)


def odds_words(logged: float) -> str:
    """Odds from their logarithm, the larger side first: "20 : 1", "10^430 : 1".

    Examples
    --------
    >>> odds_words(np.log(20)), odds_words(-1000.0)
    ('20 : 1', '10^434 : 1')
    """
    size = abs(logged)
    return f"{np.exp(size):.3g} : 1" if size < 690 else f"10^{size / np.log(10):.0f} : 1"


@dataclass(frozen=True)
class CharacteristicLimits:
    """For a number of cells.

    Attributes
    ----------
    threshold : int
        Largest count that does not differ from background; more means exposed.
    detection : float
        Mean count that is above the threshold with probability 1 - beta.
    """

    threshold: int
    detection: float


def characteristic_limits(
    cells: int,
    background: float | tuple[int, int],
    *,
    alpha: float = 0.05,
    beta: float = 0.1,
    variance: float = 0.0,
) -> CharacteristicLimits:
    """Decision threshold and detection limit (ISO 19238:2023 Annex F, as its users describe it).

    Parameters
    ----------
    cells : int
        To be scored.
    background : float, or (aberrations, cells)
        Known yield per cell of unexposed people and of the detector's false
        detections, or the count that measured it.
    alpha, beta : float
        Two-sided error of the first kind, error of the second kind.
    variance : float
        Of a background given as a yield: the count is then negative binomial, not Poisson.
    """
    _check_finite(alpha=alpha, beta=beta, variance=variance)
    if isinstance(background, tuple):
        known, among = background
        expected = known / among * cells

        def p_value(count: int) -> float:
            """Of the test of this count against the background."""
            return two_sample_p(count, cells, known, among)
    else:
        _check_finite(background=background)
        expected = background * cells

        def p_value(count: int) -> float:
            """Of the test of this count against the background."""
            return one_sample_p(count, expected, variance * cells**2)

    threshold = _largest_insignificant(p_value, expected, alpha)
    return CharacteristicLimits(threshold, float(chi2_quantile(1 - beta, 2 * (threshold + 1)) / 2))


def _check_finite(**given: float) -> None:
    for name, value in given.items():
        if not 0 <= value < float("inf"):
            raise CountsError(f"expected {name.replace('_', ' ')} >= 0, got {value:g}")


def _largest_insignificant(p_value: Callable[[int], float], expected: float, alpha: float) -> int:
    """By steps that double, then by halves: the p-value falls with the count from what is expected on."""
    low, step = int(expected), 1
    while p_value(low + step) >= alpha:
        low, step = low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if p_value(middle) >= alpha else (low, middle)
    return low


def limits_at(dose: float, cells: int, coefficients: FloatArray, *, level: float = 0.95) -> tuple[int, Limits]:
    """What a dose would look like: its expected count, rounded down, and limits in Gy.

    Flat-prior Poisson limits, the curve taken as known (IAEA 2011, table 7).
    """
    _check_finite(dose=dose)
    count = int(np.floor(cells * float(yield_at(np.array(dose), coefficients)) + 1e-9))
    found = bayesian(count, level)
    return count, Limits(dose_at(found.lower / cells, coefficients), dose_at(found.upper / cells, coefficients))


def cells_needed(
    dose: float, half_width: float, coefficients: FloatArray, *, level: float = 0.95, most: int = 1_000_000
) -> int | None:
    """Fewest cells whose limits at a dose stay within +- half_width Gy of it; None beyond `most`.

    Examples
    --------
    >>> cells_needed(1.0, 0.5, np.array([0.00128, 0.02103, 0.06307])) < 200
    True
    """
    _check_finite(dose=dose, half_width=half_width)

    def wide(cells: int) -> bool:
        """Whether the limits still reach too far."""
        mean = cells * float(yield_at(np.array(dose), coefficients))
        tail = (1 - level) / 2
        low = chi2_quantile(tail, 2 * mean) / 2 if mean > 0 else 0.0
        high = chi2_quantile(1 - tail, 2 * (mean + 1)) / 2
        limits = [dose_at(x / cells, coefficients) for x in (low, high)]
        return max(limits[1] - dose, dose - limits[0]) > half_width

    if wide(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if wide(middle) else (low, middle)
    return low


def yield_limits(aberrations: int, cells: int, coefficients: FloatArray, *, level: float = 0.95) -> Limits:
    """Dose limits of a count by Garwood, the curve taken as known (IAEA 2011, table 9)."""
    found = garwood(aberrations, level)
    return Limits(dose_at(found.lower / cells, coefficients), dose_at(found.upper / cells, coefficients))
