"""Y = C + alpha D + beta D^2: fit by constrained Poisson maximum likelihood, and invert.

Arrays only. Frome and DuFrain 1986, Papworth 1975, Merkle 1983; non-negativity as
Oliveira 2016. A coefficient at its bound has no variance of its own here: the
covariance is that of the free ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cytally.errors import CountsError
from cytally.statistics.distributions import chi2_tail, poisson_log
from cytally.types import FloatArray

#: No dose is looked for beyond this.
HIGHEST_GY = 100.0
_ROUNDS = 200
#: A coefficient that explains less than this part of all aberrations is at its bound.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Fit:
    """A fitted curve.

    Attributes
    ----------
    coefficients : ndarray of shape (3,)
        C, alpha, beta; per cell, per Gy, per Gy^2.
    covariance : ndarray of shape (3, 3)
        Inverse expected information (Poisson), zero where a coefficient is fixed.
    at_bound : tuple of str
        Coefficients that the constraint holds at 0.
    chi2, deviance, log_likelihood : float
    degrees : int
        Doses minus free coefficients.
    """

    coefficients: FloatArray
    covariance: FloatArray
    at_bound: tuple[str, ...]
    chi2: float
    deviance: float
    log_likelihood: float
    degrees: int

    @property
    def dispersion(self) -> float:
        """Pearson chi2 per degree of freedom; NaN without any."""
        return self.chi2 / self.degrees if self.degrees > 0 else float("nan")

    @property
    def family(self) -> str:
        """Poisson, or quasi-Poisson where the points scatter more than Poisson allows."""
        return "quasi-Poisson" if self.dispersion > 1 else "Poisson"

    @property
    def scaled_covariance(self) -> FloatArray:
        """Covariance times the dispersion where that is above 1 (IAEA 2011, 8.3)."""
        return self.covariance * max(self.dispersion, 1.0) if self.degrees > 0 else self.covariance

    @property
    def p_value(self) -> float:
        """Probability of a chi2 as large under the model."""
        return float(chi2_tail(self.chi2, self.degrees)) if self.degrees > 0 else float("nan")

    @property
    def aic(self) -> float:
        """Akaike's criterion: 2 x free coefficients - 2 x log likelihood."""
        return 2 * int((np.diag(self.covariance) > 0).sum()) - 2 * self.log_likelihood

    @property
    def correlation(self) -> FloatArray:
        """Correlations of C, alpha, beta, (3, 3); NaN for a coefficient without an error."""
        errors = np.sqrt(np.diag(self.covariance))
        errors = np.where(errors > 0, errors, np.nan)
        return np.asarray(self.covariance / np.outer(errors, errors))


NAMES = ("C", "alpha", "beta")


def design(dose: FloatArray, protraction: float = 1.0) -> FloatArray:
    """Rows (1, D, G D^2)."""
    dose = np.asarray(dose, dtype=float)
    return np.stack([np.ones_like(dose), dose, protraction * dose**2], axis=-1)


def fit_curve(
    dose: FloatArray,
    cells: FloatArray,
    aberrations: FloatArray,
    *,
    quadratic: bool = True,
    weights: FloatArray | None = None,
) -> Fit:
    """Fit by Poisson maximum likelihood with identity link and C, alpha, beta >= 0.

    Parameters
    ----------
    dose, cells, aberrations : ndarray of shape (n,)
    quadratic : bool
        False for the linear model (high LET).
    weights : ndarray of shape (n,), optional
        Of each dose, such as 1 / dispersion index for overdispersed counts (IAEA 2011, 8.3).

    Returns
    -------
    Fit
        The best of all fits with some coefficients held at 0: the likelihood is
        concave, so that the one feasible maximum with the largest likelihood is
        the constrained maximum.

    Raises
    ------
    CountsError
        Too few doses, no aberration, impossible counts, or a yield that does not grow with dose.

    Examples
    --------
    >>> fit = fit_curve(np.array([0, 1, 2, 4.0]), np.array([4000, 1000, 500, 200]),
    ...                 np.array([4, 84, 146, 214]))
    >>> fit.coefficients.round(3).tolist()
    [0.001, 0.022, 0.062]
    """
    dose, cells, aberrations = (np.asarray(a, dtype=float) for a in (dose, cells, aberrations))
    terms = (0, 1, 2) if quadratic else (0, 1)
    _check(dose, cells, aberrations, len(terms))
    if weights is not None:  # cells and counts both: chi2, deviance and information scale with them
        cells, aberrations = cells * weights, aberrations * weights
    best: Fit | None = None
    for size in range(len(terms), 0, -1):
        for free in combinations(terms, size):
            found = _fit_free(dose, cells, aberrations, free, terms)
            if found is not None and (best is None or found.log_likelihood > best.log_likelihood + 1e-9):
                best = found
        if best is not None and size == len(terms):
            break
    if best is None or not best.coefficients[1:].any():
        raise CountsError(
            "expected a yield that grows with dose, got "
            + ", ".join(f"{x / n:.4g} at {d:g} Gy" for d, n, x in zip(dose, cells, aberrations, strict=True))
            + "; are columns interchanged, or doses in the wrong lines?"
        )
    return best


def _check(dose: FloatArray, cells: FloatArray, aberrations: FloatArray, terms: int) -> None:
    if not dose.shape == cells.shape == aberrations.shape or dose.ndim != 1:
        raise CountsError("expected one count of cells and of aberrations per dose")
    if len(np.unique(dose)) < terms:
        raise CountsError(
            f"expected at least {terms} different doses for {terms} coefficients, got {len(np.unique(dose))}"
        )
    if not (np.isfinite(dose).all() and (dose >= 0).all()):
        raise CountsError(f"expected doses >= 0 Gy, got {', '.join(f'{each:g}' for each in dose)}")
    if not (np.isfinite(cells).all() and np.isfinite(aberrations).all()):
        raise CountsError("expected numbers of cells and aberrations, got NaN or infinity")
    if not ((cells > 0).all() and (aberrations >= 0).all()):
        raise CountsError("expected at least one cell per dose and no negative count")
    if aberrations.sum() == 0:
        raise CountsError("expected some aberrations, got none at any dose; a curve needs at least a few")


def _fit_free(
    dose: FloatArray,
    cells: FloatArray,
    aberrations: FloatArray,
    free: tuple[int, ...],
    terms: tuple[int, ...],
) -> Fit | None:
    """Fisher scoring over the free coefficients; None where the maximum is infeasible."""
    x = design(dose)[:, free] * cells[:, None]
    beta = _start(x, aberrations)
    for _ in range(_ROUNDS):
        mean = np.maximum(x @ beta, 1e-12)
        information = (x / mean[:, None]).T @ x
        try:
            step = np.linalg.solve(information, x.T @ (aberrations / mean - 1))
        except np.linalg.LinAlgError:
            return None
        size, now = 1.0, _likelihood(x @ beta, aberrations)
        then = now
        while size > 1e-9 and (then := _likelihood(x @ (beta + size * step), aberrations)) < now - 1e-12:
            size /= 2
        beta = beta + size * step
        held = size < 1 and then - now < 1e-12 * (1 + abs(now))  # creeps towards a mean of 0
        if held or np.abs(step).max() <= 1e-13 + 1e-11 * np.abs(beta).max():
            break
    if not np.isfinite(beta).all() or (beta * x.sum(axis=0) < _NOTHING * aberrations.sum()).any():
        return None  # outside, or on the bound: then the fit without that coefficient is the one
    return _finish(x, beta, aberrations, free, terms)


def _likelihood(mean: FloatArray, aberrations: FloatArray) -> float:
    """Poisson log likelihood without its constant; -inf where a mean is impossible."""
    if (mean[aberrations > 0] <= 0).any() or (mean < -1e-9).any():
        return -float("inf")
    return float((aberrations * np.log(np.maximum(mean, 1e-300)) - mean).sum())


def _start(x: FloatArray, aberrations: FloatArray) -> FloatArray:
    share = np.full(x.shape[1], 1 / x.shape[1])
    return np.asarray(share * aberrations.sum() / x.sum(axis=0))


def _finish(
    x: FloatArray,
    beta: FloatArray,
    aberrations: FloatArray,
    free: tuple[int, ...],
    terms: tuple[int, ...],
) -> Fit | None:
    mean = x @ beta
    if (mean[aberrations > 0] <= 0).any():
        return None
    safe = np.maximum(mean, 1e-12)
    covariance = np.zeros((3, 3))
    covariance[np.ix_(free, free)] = np.linalg.inv((x / safe[:, None]).T @ x)
    coefficients = np.zeros(3)
    coefficients[list(free)] = beta
    ratio = np.where(aberrations > 0, aberrations / safe, 1.0)
    return Fit(
        coefficients,
        covariance,
        tuple(NAMES[k] for k in terms if k not in free),
        chi2=float(((aberrations - mean) ** 2 / safe).sum()),
        deviance=float(2 * (aberrations * np.log(ratio) - (aberrations - mean)).sum()),
        log_likelihood=float(poisson_log(aberrations, safe).sum()),
        degrees=len(aberrations) - len(free),
    )


def yield_at(dose: FloatArray, coefficients: FloatArray, protraction: float = 1.0) -> FloatArray:
    """Expected aberrations per cell."""
    return np.asarray(design(dose, protraction) @ np.asarray(coefficients))


def yield_error(dose: FloatArray, covariance: FloatArray, protraction: float = 1.0) -> FloatArray:
    """Standard error of the curve at a dose: sqrt(g' V g)."""
    rows = design(dose, protraction)
    return np.asarray(np.sqrt(np.maximum(np.einsum("...i,ij,...j->...", rows, covariance, rows), 0)))


def dose_at(value: float, coefficients: FloatArray, protraction: float = 1.0) -> float:
    """Invert the curve; 0 below its background, infinite where it is flat.

    The dose at which the curve reaches a yield per cell, Gy.
    """
    constant, alpha, beta = (float(c) for c in coefficients)
    beta *= protraction
    above = value - constant
    if above <= 0:
        return 0.0
    if beta <= 0:
        return above / alpha if alpha > 0 else float("inf")
    return 2 * above / (alpha + float(np.sqrt(alpha**2 + 4 * beta * above)))


def protraction_factor(hours: float, repair_hours: float = 2.0) -> float:
    """G(x) = 2 (x - 1 + e^-x) / x^2, x = hours / repair time (Lea and Catcheside 1942).

    Examples
    --------
    >>> protraction_factor(0.0), round(protraction_factor(24.0), 7)
    (1.0, 0.1527779)
    """
    x = hours / repair_hours
    if x < 1e-4:
        return 1.0 - x / 3
    return float(2 * (x - 1 + np.exp(-x)) / x**2)
