"""What no curve may be: numbers that are none, negative or absurd, and matrices that are no covariance."""

from __future__ import annotations

import re

import numpy as np

from cytally.dosimetry.curves.fit import NAMES
from cytally.dosimetry.curves.points import TRANSLOCATIONS
from cytally.errors import CountsError
from cytally.types import FloatArray

#: A cell has 46 chromosomes: no coefficient per cell (and Gy) and no error of one is larger than this.
_MOST = 100.0
#: Published covariances are rounded: correlations may miss what is possible by this much.
_ROUNDED = 2e-3

#: By how much a coefficient may miss the one fitted to the data beside it: parts of its error, and of itself.
_OF_ERROR, _OF_ITSELF = 0.1, 5e-3
#: By how much a covariance may miss the fitted one, in parts of the product of both errors.
_OF_VARIANCE = 0.15


def check_curve(coefficients: FloatArray, covariance: FloatArray, where: str) -> None:
    """Refuse what cannot be a curve.

    Parameters
    ----------
    coefficients : ndarray of shape (3,)
        C, alpha, beta.
    covariance : ndarray of shape (3, 3)
    where : str
        Begins the message: a path, or "curve".

    Raises
    ------
    CountsError
        A coefficient that is no number, negative or absurdly large; alpha and beta both 0; a
        matrix that is not square, finite, symmetric and without negative eigenvalue.
    """
    _check_coefficients(np.asarray(coefficients, dtype=float), where)
    _check_covariance(np.asarray(covariance, dtype=float), where)


def _check_coefficients(values: FloatArray, where: str) -> None:
    said = ", ".join(f"{name} {value:g}" for name, value in zip(NAMES, values, strict=False))
    if values.shape != (len(NAMES),):
        raise CountsError(f"{where}: expected three coefficients C, alpha, beta, got {values.size}")
    if not (np.isfinite(values).all() and (values >= 0).all()):
        raise CountsError(f"{where}: expected coefficients >= 0, got {said}")
    if values.max() > _MOST:
        raise CountsError(f"{where}: expected coefficients per cell of at most {_MOST:g}, got {said}")
    if not values[1:].any():
        raise CountsError(
            f"{where}: expected alpha or beta above 0, got {said}: a yield that does not grow says nothing of a dose"
        )


def _check_covariance(covariance: FloatArray, where: str) -> None:
    if covariance.shape != (len(NAMES), len(NAMES)):
        raise CountsError(f"{where}: expected a symmetric 3 x 3 covariance of C, alpha, beta, got {covariance.shape}")
    if not np.isfinite(covariance).all():
        raise CountsError(f"{where}: expected a covariance of finite numbers, got NaN or infinity")
    variances = np.diag(covariance)
    if variances.min() < 0:
        raise CountsError(
            f"{where}: expected a covariance without negative eigenvalue, got a variance of {variances.min():.3g}"
        )
    if variances.max() > _MOST**2:
        raise CountsError(
            f"{where}: expected standard errors of at most {_MOST:g} per cell, got {variances.max() ** 0.5:.3g}"
        )
    errors = np.sqrt(variances)
    scale = np.outer(errors, errors)
    if (np.abs(covariance - covariance.T) > 1e-6 * np.abs(covariance) + 1e-12 * scale).any():
        raise CountsError(f"{where}: expected a symmetric 3 x 3 covariance of C, alpha, beta")
    if covariance[scale == 0].any():
        raise CountsError(f"{where}: expected no covariance with a coefficient whose variance is 0")
    least = np.linalg.eigvalsh(covariance / np.where(scale > 0, scale, 1.0)).min()
    if least < -_ROUNDED:
        raise CountsError(
            f"{where}: expected a covariance without negative eigenvalue, got {least:.3g} (of its correlations)"
        )


def check_counts(aberration: str, kind: str, curve: str = "a curve") -> None:
    """Refuse a curve that counts something else than what a question is about.

    Parameters
    ----------
    aberration : str
        What the curve counts; "dicentrics and rings" are dicentrics too.
    kind : str
        What it must count.
    curve : str
        Which one, for the message.

    Raises
    ------
    CountsError
        It counts something else.
    """
    if not counts_kind(aberration, kind):
        raise CountsError(
            f"expected {curve} of {kind}, got one of {aberration}; calibrate it, or write it down with `curve`, with "
            f"--aberration {kind}"
        )


def check_per_cell(aberration: str) -> None:
    """Refuse a curve per genome equivalent, where a dose is to be read from a yield per cell.

    Raises
    ------
    CountsError
        A curve of translocations: what paint and age make of a count, only `translocations` knows.
    """
    if counts_kind(aberration, TRANSLOCATIONS):
        raise CountsError(
            f"expected a curve of aberrations per cell, got one of {aberration}; `translocations` reads a dose from it, "
            "with the paint and the background"
        )


def counts_kind(aberration: str, kind: str) -> bool:
    """Whether the aberrations of a curve are of a kind, by their names in the plural or the singular.

    Examples
    --------
    >>> counts_kind("Dicentric chromosomes and rings", "dicentrics"), counts_kind("excess acentrics", "dicentrics")
    (True, False)
    """
    return re.search(rf"\b{re.escape(kind.casefold()[:-1])}", aberration.casefold()) is not None


def check_follows(said: tuple[FloatArray, FloatArray], fitted: tuple[FloatArray, FloatArray], where: str) -> None:
    """Refuse a curve that is not the one its data give; what rounding for print does is let pass.

    Parameters
    ----------
    said, fitted : (ndarray of shape (3,), ndarray of shape (3, 3))
        Coefficients and covariance: of the file, and of its data.
    where : str
        Begins the message: a path.

    Raises
    ------
    CountsError
        A coefficient further from the fitted one than a tenth of its error and half a percent, or a
        covariance further than 15 % of the product of both errors.
    """
    errors = np.sqrt(np.diag(fitted[1]))
    for name, value, other, error in zip(NAMES, said[0], fitted[0], errors, strict=True):
        if abs(value - other) > _OF_ERROR * error + _OF_ITSELF * other + 1e-6:
            raise CountsError(
                f"{where}: expected coefficients that follow from the data, got {name} {value:.4g} where they give "
                f"{other:.4g} +- {error:.2g}; calibrate again, or leave the data out of a published curve"
            )
    away = np.abs(said[1] - fitted[1]) > _OF_VARIANCE * np.outer(errors, errors) + 1e-15
    if away.any():
        i, j = np.argwhere(away)[0]
        what = f"variance of {NAMES[i]}" if i == j else f"covariance of {NAMES[i]} and {NAMES[j]}"
        raise CountsError(
            f"{where}: expected a covariance that follows from the data, got {said[1][i, j]:.3g} as the {what} where "
            f"they give {fitted[1][i, j]:.3g}; calibrate again, or leave the data out of a published curve"
        )
