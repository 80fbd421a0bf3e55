"""What the controls say of the background, where they hold few aberrations or none. Arrays only.

A background fitted to no aberration in 1,000 unexposed cells is 0, and its normal error is 0 or
nonsense; yet 0.003 per cell would be as silent one time in twenty. Half an aberration more in
the controls is the mean of Jeffreys' posterior of their yield, a Gamma distribution of shape
X0 + 1/2 and rate N0. The curve fitted with that half, and its covariance, are what the limits of
a dose are computed with (`bayes` takes the yield as Gamma distributed, which at 0 Gy is just
this posterior); the coefficients that are printed stay those of maximum likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cytally.dosimetry.curves.fit import design, fit_curve, yield_at
from cytally.errors import CountsError
from cytally.types import FloatArray

#: From so many aberrations in the controls on the normal error of the fit is good enough.
FEW = 5.0
_HALF = 0.5


@dataclass(frozen=True)
class Series:
    """Calibration counts.

    Attributes
    ----------
    dose, cells, aberrations, weights : ndarray of shape (n,)
    quadratic : bool
        Whether the curve has a quadratic term.
    """

    dose: FloatArray
    cells: FloatArray
    aberrations: FloatArray
    weights: FloatArray
    quadratic: bool = True

    @property
    def controls(self) -> tuple[float, float]:
        """Aberrations and cells at 0 Gy, weighted."""
        silent = self.dose == 0
        return (
            float((self.aberrations * self.weights)[silent].sum()),
            float((self.cells * self.weights)[silent].sum()),
        )


@dataclass(frozen=True)
class Carried:
    """What the limits of a dose are computed with.

    Attributes
    ----------
    coefficients : ndarray of shape (3,)
    covariance : ndarray of shape (3, 3)
    exact : bool
        Whether the background is taken as exactly known, as nothing says how well it is.
    few : bool
        Whether these differ from the curve's own, as the controls hold few aberrations.
    """

    coefficients: FloatArray
    covariance: FloatArray
    exact: bool = False
    few: bool = False


def carried(coefficients: FloatArray, covariance: FloatArray, series: Series | None = None) -> Carried:
    """The curve with the uncertainty of its controls.

    Parameters
    ----------
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
        Of the fit, or as published.
    series : Series, optional
        What the curve was fitted to, or as much of it as is known.

    Returns
    -------
    Carried
        The curve as it is where the controls hold `FEW` aberrations or more; else the curve of
        half an aberration more. Where the counts are not known, they are inferred from the error
        of the background: C / s^2 cells with (C / s)^2 aberrations.
    """
    plain = Carried(coefficients, covariance, exact=bool(covariance[0, 0] == 0))
    if series is None or not series.dose.size:
        return _by_error(plain)
    among = series.controls[1]
    if not among:
        return _by_error(plain) if coefficients[0] > 0 else _extrapolated(plain, series)
    if series.controls[0] >= FEW and covariance[0, 0] > 0:
        return plain
    return _refitted(plain, series) or _by_controls(plain, series)


def _refitted(plain: Carried, series: Series) -> Carried | None:
    """With half an aberration more; None where the curve does not follow from these counts."""
    first = np.arange(series.dose.size) == int(series.dose.argmin())
    more = series.aberrations + np.where(first, _HALF / series.weights, 0.0)
    try:
        fits = [
            fit_curve(series.dose, series.cells, counts, quadratic=series.quadratic, weights=series.weights)
            for counts in (series.aberrations, more)
        ]
    except CountsError:
        return None
    fit, with_half = fits
    if not np.allclose(fit.coefficients, plain.coefficients, rtol=1e-3, atol=1e-6):
        return None
    known = np.diag(fit.covariance)[1:] > 0
    if not known.any():
        return None
    scale = float((np.diag(plain.covariance)[1:][known] / np.diag(fit.covariance)[1:][known]).max())
    if scale <= 0:  # the file knows better than its counts
        return None
    return Carried(with_half.coefficients, with_half.covariance * scale, few=True)


def _by_controls(plain: Carried, series: Series) -> Carried:
    """The background by its controls alone, beside the other coefficients as they are."""
    known, among = series.controls
    if plain.coefficients[0] > 0 and plain.covariance[0, 0] > 0:
        return _by_error(plain)
    if known >= FEW:
        return replace(_replaced(plain, float(plain.coefficients[0]), known / among**2), few=False)
    mean = max((known + _HALF) / among, float(plain.coefficients[0]))
    return _replaced(plain, mean, mean / among)


def _by_error(plain: Carried) -> Carried:
    """As if the error of the background were that of a count."""
    background, variance = float(plain.coefficients[0]), float(plain.covariance[0, 0])
    if variance <= 0:
        return plain
    if background <= 0:
        return _replaced(plain, *_half_normal(variance))
    worth = background**2 / variance
    if worth >= FEW:
        return plain
    column = plain.covariance[:, 0]
    shift = column * _HALF / background
    widened = plain.covariance + np.outer(column, column) / variance * _HALF / worth
    return Carried(np.maximum(plain.coefficients + shift, 0), widened, few=True)


def _extrapolated(plain: Carried, series: Series) -> Carried:
    """A background at its bound of 0 without controls: half a normal distribution above 0."""
    rows = design(series.dose)[:, : 3 if series.quadratic else 2]
    mean = yield_at(series.dose, plain.coefficients)
    if (mean <= 0).any():
        return plain
    weight = series.cells * series.weights / mean
    try:
        full = np.linalg.inv((rows * weight[:, None]).T @ rows)
    except np.linalg.LinAlgError:
        return plain
    expected, variance = _half_normal(float(full[0, 0]))
    follows = np.zeros(3)
    follows[: len(full)] = full[:, 0] / full[0, 0]
    return Carried(
        np.maximum(plain.coefficients + follows * expected, 0),
        plain.covariance + np.outer(follows, follows) * variance,
        few=True,
    )


def _half_normal(variance: float) -> tuple[float, float]:
    return float(np.sqrt(2 * variance / np.pi)), (1 - 2 / np.pi) * variance


def _replaced(plain: Carried, mean: float, variance: float) -> Carried:
    """Another background, independent of the other coefficients."""
    coefficients, covariance = plain.coefficients.copy(), plain.covariance.copy()
    covariance[0, :] = covariance[:, 0] = 0
    coefficients[0], covariance[0, 0] = mean, variance
    return Carried(coefficients, covariance, few=True)
