"""Part of the body exposed: contaminated Poisson, Qdr, and two doses at once. Arrays only.

Irradiated cells carry Poisson aberrations, the others none (Dolphin 1969: a
zero-inflated Poisson distribution), or fewer (Pujol 2016: a mixture of two).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from cytally.dosimetry import D0_GY
from cytally.dosimetry.curves.fit import HIGHEST_GY, dose_at, yield_at, yield_error
from cytally.dosimetry.estimation.limits.merkle import dose_error
from cytally.errors import CountsError
from cytally.statistics.distributions import normal_quantile, poisson_log
from cytally.types import FloatArray, IntArray


@dataclass(frozen=True)
class Estimate:
    """A value with its standard error and limits."""

    value: float
    error: float
    lower: float
    upper: float

    @staticmethod
    def normal(value: float, error: float, level: float, low: float = 0.0, high: float = np.inf) -> Estimate:
        """Symmetric limits, cut to what is possible."""
        reach = float(normal_quantile((1 + level) / 2)) * error
        return Estimate(value, error, max(value - reach, low), min(value + reach, high))


@dataclass(frozen=True)
class PartialBody:
    """Result of the contaminated Poisson method.

    Attributes
    ----------
    per_cell : Estimate
        Yield of the irradiated cells (lambda).
    cells : Estimate
        Fraction of the scored cells that were irradiated (f).
    dose : Estimate
        Gy, of the irradiated part.
    body : Estimate
        Fraction of the body (of its lymphocytes) that was irradiated, corrected for
        cells that the dose kept from dividing (F).
    """

    per_cell: Estimate
    cells: Estimate
    dose: Estimate
    body: Estimate


def dolphin(
    distribution: IntArray,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    d0_gy: float = D0_GY,
    level: float = 0.95,
) -> PartialBody | None:
    """Contaminated Poisson method (Dolphin 1969; IAEA 2011, 9.7.4.3).

    Parameters
    ----------
    distribution : ndarray of shape (k + 1,)
        Cells with 0, 1, ..., k aberrations.
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
        Of the curve; of a protracted exposure its `protracted` one.
    d0_gy : float
        Dose that leaves 37 % of the cells able to divide, 2.7 to 3.5 Gy.
    level : float

    Returns
    -------
    PartialBody or None
        None where it is not estimable: no cell with two or more, counts so even that every cell
        must have been irradiated, or a dose beyond `HIGHEST_GY`.

    Notes
    -----
    Errors from the expected information of the zero-inflated Poisson distribution;
    those of dose and fraction by the delta method, with the curve's own.
    """
    counts = np.asarray(distribution, dtype=float)
    total, hit = float((np.arange(counts.size) * counts).sum()), float(counts[1:].sum())
    if total <= hit:
        return None
    cells = counts.sum()
    rate = optimize.brentq(lambda x: x / -np.expm1(-x) - total / hit, 1e-9, total / hit + 1)
    share = total / (cells * rate)
    if share > 1:
        return None
    spread = np.linalg.inv(cells * _information(share, rate))
    dose = dose_at(rate, coefficients)
    if not 0 < dose <= HIGHEST_GY:
        return None
    dose_sd = dose_error(dose, float(spread[1, 1]), coefficients, covariance)
    slope = coefficients[1] + 2 * coefficients[2] * dose
    body, gradient = surviving(share, dose, d0_gy)
    through = np.array([gradient[0], gradient[1] / slope])
    curve_variance = dose_sd**2 - spread[1, 1] / slope**2
    body_sd = float(np.sqrt(through @ spread @ through + gradient[1] ** 2 * curve_variance))
    return PartialBody(
        Estimate.normal(rate, float(np.sqrt(spread[1, 1])), level),
        Estimate.normal(share, float(np.sqrt(spread[0, 0])), level, high=1.0),
        Estimate.normal(dose, dose_sd, level),
        Estimate.normal(body, body_sd, level, high=1.0),
    )


def _information(share: float, rate: float) -> FloatArray:
    """Expected information of one cell about (f, lambda), zero-inflated Poisson."""
    empty = np.exp(-rate)
    none = 1 - share * (1 - empty)
    of_share = (1 - empty) ** 2 / none + (1 - empty) / share
    both = (1 - empty) * share * empty / none + empty
    of_rate = (share * empty) ** 2 / none + share * (1 / rate - empty)
    return np.array([[of_share, both], [both, of_rate]])


def surviving(share: float, dose: float, d0_gy: float) -> tuple[float, FloatArray]:
    """Fraction of the body F = f / (f + (1 - f) exp(-D / D0)) and its gradient in (f, D)."""
    alive = np.exp(-dose / d0_gy)
    whole = share + (1 - share) * alive
    gradient = np.array([alive, share * (1 - share) * alive / d0_gy]) / whole**2
    return float(share / whole), gradient


def qdr(aberrations: int, damaged_cells: int, dicentrics: FloatArray, acentrics: FloatArray) -> float:
    """Dose from dicentrics per damaged cell (Sasaki and Miyata 1968; IAEA 2011 eq. 16).

    Parameters
    ----------
    aberrations : int
        Dicentrics and centric rings.
    damaged_cells : int
        Cells with any unstable aberration.
    dicentrics, acentrics : ndarray of shape (3,)
        Curves C, alpha, beta of dicentrics (and rings) and of excess acentrics.

    Returns
    -------
    float
        Gy; NaN where every damaged cell has just one aberration.

    Raises
    ------
    CountsError
        No damaged cell, or more dicentrics than any dose explains.
    """
    if damaged_cells <= 0 or aberrations < 0:
        raise CountsError(f"expected damaged cells > 0, got {damaged_cells}, and no negative count")

    def per_damaged(dose: float) -> float:
        """Dicentrics per damaged cell expected at a dose."""
        first, second = (float(yield_at(np.array(dose), c)) for c in (dicentrics, acentrics))
        return first / -np.expm1(-first - second) if first + second > 0 else 0.0

    wanted = aberrations / damaged_cells
    if per_damaged(1e-6) >= wanted:
        return float("nan")
    if per_damaged(HIGHEST_GY) < wanted:
        raise CountsError(
            f"{aberrations} dicentrics in {damaged_cells} damaged cells are more than the curves can explain up to "
            f"{HIGHEST_GY:g} Gy"
        )
    return float(optimize.brentq(lambda d: per_damaged(d) - wanted, 1e-6, HIGHEST_GY, xtol=1e-10))


def qdr_limits(
    aberrations: int,
    damaged_cells: int,
    curves: tuple[FloatArray, FloatArray],
    covariances: tuple[FloatArray, FloatArray],
    *,
    level: float = 0.95,
) -> Estimate:
    """Dose by Qdr with limits that carry the counting (Poisson) uncertainty and the error of both curves.

    Parameters
    ----------
    aberrations, damaged_cells : int
        As for `qdr`.
    curves : (ndarray of shape (3,), ndarray of shape (3,))
        C, alpha, beta of dicentrics (and rings) and of excess acentrics.
    covariances : (ndarray of shape (3, 3), ndarray of shape (3, 3))
    level : float

    Returns
    -------
    Estimate
        Limits are the doses at which the mean number per damaged cell lies as many of its standard
        errors from what was found; 0 and infinite where none does. NaN where `qdr` is.

    Notes
    -----
    A damaged cell holds a Poisson number of dicentrics (mean Y1), given that it holds any
    aberration, p = 1 - exp(-Y1 - Y2): mean m = Y1 / p, variance (Y1 + Y1^2) / p - m^2.
    """
    value = qdr(aberrations, damaged_cells, *curves)
    if value != value:
        return Estimate(value, value, value, value)
    dose = np.concatenate([np.linspace(1e-6, 2, 2001), np.geomspace(2, HIGHEST_GY, 2000)[1:]])
    first, second = (np.maximum(yield_at(dose, curve), 1e-12) for curve in curves)
    hit = -np.expm1(-first - second)
    mean = first / hit
    chance = ((first + first**2) / hit - mean**2) / damaged_cells
    slopes = (1 / hit - mean * (1 - hit) / hit, -mean * (1 - hit) / hit)
    errors = (yield_error(dose, covariance) for covariance in covariances)
    variance = chance + sum((slope * error) ** 2 for slope, error in zip(slopes, errors, strict=True))
    reach = float(normal_quantile((1 + level) / 2))
    away = (mean - aberrations / damaged_cells) / np.sqrt(variance)
    below, above = np.flatnonzero(away < -reach), np.flatnonzero(away > reach)
    lower = float(dose[below[-1]]) if below.size else 0.0
    upper = float(dose[above[0]]) if above.size else float("inf")
    return Estimate(value, float(np.interp(value, dose, np.sqrt(variance) / np.gradient(mean, dose))), lower, upper)


@dataclass(frozen=True)
class TwoDoses:
    """Mixture of two Poisson distributions.

    Attributes
    ----------
    share : Estimate
        Fraction of the scored cells with the higher yield (f1).
    high, low : Estimate
        Yields per cell, high first.
    log_likelihood : float
    gain : float
        Log likelihood above that of a single Poisson distribution.
    needed : bool
        Whether two doses describe the counts better than one (by BIC).
    """

    share: Estimate
    high: Estimate
    low: Estimate
    log_likelihood: float
    gain: float
    needed: bool


def mixed_poisson(distribution: IntArray, *, level: float = 0.95) -> TwoDoses | None:
    """Two-component mixed Poisson by maximum likelihood (Pujol 2016), from fixed starts.

    Parameters
    ----------
    distribution : ndarray of shape (k + 1,)
    level : float

    Returns
    -------
    TwoDoses or None
        None with fewer than two kinds of cells. The lower yield may be exactly 0:
        then the answer is the contaminated Poisson's, its error NaN.
    """
    counts = np.asarray(distribution, dtype=float)
    if np.count_nonzero(counts) < 2:
        return None
    mean = float((np.arange(counts.size) * counts).sum() / counts.sum())
    starts = [(s, mean * up, mean * down) for s in (0.1, 0.3, 0.6) for up in (1.5, 3.0) for down in (0.05, 0.5)]
    best = min((_climb(counts, start) for start in starts), key=lambda found: found[1])
    (share, high, low), loss = best
    if low > high:
        share, high, low = 1 - share, low, high
    errors = _observed_errors(counts, np.array([share, high, low]))
    single = -float((counts * poisson_log(np.arange(counts.size), mean)).sum())
    needed = 2 * (single - loss) > 2 * np.log(counts.sum())  # two parameters more
    return TwoDoses(
        Estimate.normal(share, errors[0], level, high=1.0),
        Estimate.normal(high, errors[1], level),
        Estimate.normal(low, errors[2], level),
        -loss,
        single - loss,
        bool(needed),
    )


def _loss(parameters: FloatArray, counts: FloatArray) -> float:
    """Negative log likelihood of (f1, lambda1, lambda2)."""
    share, high, low = parameters
    k = np.arange(counts.size)
    parts = [special.xlogy(k, rate) - rate - special.gammaln(k + 1) for rate in (high, low)]
    mixed = np.logaddexp(np.log(share) + parts[0], np.log1p(-share) + parts[1])
    return -float((counts * mixed).sum())


def _climb(counts: FloatArray, start: tuple[float, float, float]) -> tuple[FloatArray, float]:
    limits = [(1e-6, 1 - 1e-6), (1e-9, 50.0), (0.0, 50.0)]
    found = optimize.minimize(
        _loss,
        np.clip(start, *np.array(limits).T),
        (counts,),
        "L-BFGS-B",
        bounds=limits,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2000},
    )
    return np.asarray(found.x), float(found.fun)


def _observed_errors(counts: FloatArray, at: FloatArray) -> FloatArray:
    """Standard errors from the curvature of the likelihood; NaN for a yield at 0."""
    free = np.array([True, True, at[2] > 1e-6])
    errors = np.full(3, np.nan)
    index = np.flatnonzero(free)
    steps = 1e-4 * np.maximum(np.abs(at), 1e-3)
    curvature = np.empty((index.size, index.size))
    for a, i in enumerate(index):
        for b, j in enumerate(index):
            corners = []
            for up, side in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                moved = at.copy()
                moved[i] += up * steps[i]
                moved[j] += side * steps[j]
                corners.append(_loss(moved, counts))
            curvature[a, b] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * steps[i] * steps[j])
    try:
        variance = np.diag(np.linalg.inv(curvature))
    except np.linalg.LinAlgError:
        return errors
    errors[index] = np.sqrt(np.where(variance > 0, variance, np.nan))
    return errors


def exposed_fraction(share: float, dose: float, other_dose: float, d0_gy: float) -> float:
    """Fraction of the body with the higher dose: F1 = f1 / (f1 + (1 - f1) exp(-(D1 - D2) / D0))."""
    return surviving(share, dose - other_dose, d0_gy)[0]
