"""Thousands of curves and doses at once: for bootstraps and for simulated coverage.

The same answers as `curves.fit_curve` and `intervals.merkle`, one replicate per row;
both are the slow twins in the tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.curves.controls import FEW, Series, carried
from cytally.dosimetry.curves.fit import design, fit_curve
from cytally.dosimetry.estimation.limits.counting import count_below, count_log
from cytally.statistics.distributions import chi2_quantile
from cytally.types import FloatArray

_ROUNDS = 60
_HALVINGS = 24
#: Doses between which the limits are interpolated, Gy.
GRID = np.concatenate([np.linspace(0, 1, 201), np.geomspace(1, 40, 400)[1:]])


def fit_many(dose: FloatArray, cells: FloatArray, aberrations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Linear-quadratic curves by constrained Poisson maximum likelihood.

    Parameters
    ----------
    dose, cells : ndarray of shape (n,)
    aberrations : ndarray of shape (replicates, n)

    Returns
    -------
    coefficients : ndarray of shape (replicates, 3)
    covariance : ndarray of shape (replicates, 3, 3)
        Zero in rows of a coefficient that the constraint holds at 0.

    Notes
    -----
    Fisher scoring for all at once; the few whose maximum lies outside C, alpha,
    beta >= 0 are fitted one by one.
    """
    counts = np.asarray(aberrations, dtype=float)
    x = design(dose) * np.asarray(cells, dtype=float)[:, None]
    beta = np.maximum(counts.sum(axis=1, keepdims=True) / x.sum(axis=0) / 3, 1e-9)
    information = np.empty((len(counts), 3, 3))
    for _ in range(_ROUNDS):
        mean = np.maximum(beta @ x.T, 1e-9)
        information = np.einsum("bn,ni,nj->bij", 1 / mean, x, x)
        step = np.linalg.solve(information, ((counts / mean - 1) @ x)[..., None])[..., 0]
        beta = beta + step
        if np.abs(step).max() < 1e-12 + 1e-10 * np.abs(beta).max():
            break
    covariance = np.linalg.inv(information)
    fitted = beta @ x.T
    residual = np.abs(((counts / np.maximum(fitted, 1e-12) - 1) @ x) / x.sum(axis=0)).max(axis=1)
    odd = (beta < 0).any(axis=1) | ~np.isfinite(beta).all(axis=1) | (residual > 1e-6)
    for k in np.flatnonzero(odd):
        fit = fit_curve(dose, cells, counts[k])
        beta[k], covariance[k] = fit.coefficients, fit.covariance
    return beta, covariance


def carried_many(dose: FloatArray, cells: FloatArray, aberrations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The curves that limits are computed with: as `fit_many`, the controls' uncertainty carried.

    Where the controls hold few aberrations the curve is that of half an aberration more;
    `controls.carried` is the slow twin, and does the work where there are no controls.
    """
    counts, silent = np.asarray(aberrations, dtype=float), np.flatnonzero(np.asarray(dose) == 0)
    if not silent.size:
        found = [
            carried(*one, Series(np.asarray(dose), np.asarray(cells), count, np.ones(len(count))))
            for *one, count in zip(*fit_many(dose, cells, counts), counts, strict=True)
        ]
        return np.array([k.coefficients for k in found]), np.array([k.covariance for k in found])
    more = np.zeros_like(counts)
    more[:, silent[0]] = np.where(counts[:, silent].sum(axis=1) < FEW, 0.5, 0.0)
    return fit_many(dose, cells, counts + more)


def merkle_many(
    aberrations: FloatArray,
    cells: int,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    level: float = 0.83,
    index: FloatArray | None = None,
) -> FloatArray:
    """Merkle's limits of many samples, each on its own curve.

    Parameters
    ----------
    aberrations : ndarray of int, shape (replicates,)
    cells : int
    coefficients, covariance : ndarray of shape (replicates, 3) and (replicates, 3, 3)
    level : float
        Of each of the two regions.
    index : ndarray of shape (replicates,), optional
        Dispersion index of each sample by which its count's limits are widened (IAEA 2011 eq. 9);
        1 for none. `intervals.widened` is the slow twin.

    Returns
    -------
    ndarray of shape (replicates, 2)
        Lower and upper limit in Gy, interpolated on `GRID`; infinite where a band is
        not reached before its end.
    """
    tail = (1 - level) / 2
    low = np.where(aberrations > 0, chi2_quantile(tail, 2 * np.maximum(aberrations, 1)) / 2, 0.0) / cells
    high = chi2_quantile(1 - tail, 2 * (aberrations + 1)) / 2 / cells
    if index is not None:
        known = np.maximum(aberrations, 1) / cells
        power = np.where(index > 1, np.sqrt(np.maximum(index, 1)), 0.0) * (aberrations > 0)
        low, high = low * (low / known) ** power, high * (high / known) ** power
    free = np.maximum((coefficients > 0).sum(axis=1), 1)
    width = np.sqrt(chi2_quantile(level, free))
    rows = design(GRID)
    value = coefficients @ rows.T
    error = width[:, None] * np.sqrt(np.maximum(np.einsum("gi,bij,gj->bg", rows, covariance, rows, optimize=True), 0))
    return np.stack([_reach(value + error, low), _reach(value - error, high)], axis=1)


def delta_many(aberrations: FloatArray, cells: int, coefficients: FloatArray, covariance: FloatArray) -> FloatArray:
    """Limits of many samples by the delta method, 95 %; (replicates, 2)."""
    constant, alpha, beta = coefficients.T
    above = np.maximum(aberrations / cells - constant, 0)
    root = np.sqrt(alpha**2 + 4 * beta * above)
    dose = np.where(above > 0, 2 * above / np.maximum(alpha + root, 1e-12), 0.0)
    rows = design(dose)
    variance = aberrations / cells**2 + np.einsum("bi,bij,bj->b", rows, covariance, rows)
    reach = 1.959964 * np.sqrt(variance) / np.maximum(alpha + 2 * beta * dose, 1e-12)
    return np.stack([np.maximum(dose - reach, 0), dose + reach], axis=1)


def likelihood_many(
    aberrations: FloatArray,
    cells: int,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    level: float = 0.95,
) -> FloatArray:
    """Likelihood-ratio limits of many samples (`bayes.Posterior.likelihood_region`); (replicates, 2)."""
    rows = design(GRID)
    spread = np.maximum(np.einsum("gi,bij,gj->bg", rows, covariance, rows, optimize=True), 0)
    log = count_log(aberrations[:, None], cells, coefficients @ rows.T, spread)
    best = log.argmax(axis=1)
    floor = log.max(axis=1) - chi2_quantile(level, 1) / 2
    inside, index = log >= floor[:, None], np.arange(len(GRID))
    lower = np.where(inside[:, 0], 0.0, _reach(np.where(index <= best[:, None], log, np.inf), floor))
    upper = _reach(-np.where(index >= best[:, None], log, np.inf), -floor)
    upper = np.where(inside[:, -1], np.inf, upper)
    return np.stack([lower, _mid_p(upper, aberrations, cells, coefficients, covariance, (1 - level) / 2)], axis=1)


def _mid_p(
    upper: FloatArray,
    aberrations: FloatArray,
    cells: int,
    coefficients: FloatArray,
    covariance: FloatArray,
    tail: float,
) -> FloatArray:
    """Upper limits, or higher ones where the counts up to these are still too likely, by bisection."""

    def likely(dose: FloatArray, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        terms = design(dose)
        variance = np.einsum("bi,bij,bj->b", terms, covariance[rows], terms)
        mean = (terms * coefficients[rows]).sum(axis=1)
        return np.asarray(count_below(aberrations[rows], cells, mean, np.maximum(variance, 0)) > tail)

    found, rows = upper.copy(), np.flatnonzero(np.isfinite(upper))
    rows = rows[likely(upper[rows], rows)]
    low, high = upper[rows], np.full(len(rows), GRID[-1])
    endless = likely(high, rows)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        more = likely(middle, rows)
        low, high = np.where(more, middle, low), np.where(more, high, middle)
    found[rows] = np.where(endless, np.inf, high)
    return found


def _reach(band: FloatArray, level: FloatArray) -> FloatArray:
    """First dose of the grid at which each band (b, g) reaches its level, interpolated."""
    reached = band >= level[:, None]
    first = reached.argmax(axis=1)
    rows = np.arange(len(band))
    before = np.maximum(first - 1, 0)
    down, up = band[rows, before], band[rows, first]
    share = np.clip((level - down) / np.where(up > down, up - down, 1.0), 0, 1)
    dose = np.where(first == 0, 0.0, GRID[before] + share * (GRID[first] - GRID[before]))
    return np.where(reached.any(axis=1), dose, np.inf)
