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

from cytally.dosimetry.curves.fit import Fit, design, fit_curve
from cytally.errors import CountsError
from cytally.types import FloatArray

#: From so many aberrations in the controls on the normal error of the fit is good enough.
FEW = 5.0
_HALF = 0.5
#: Standard errors about a fit without controls within which all of its posterior lies.
_REACH = 8.0
_ROOTS, _WEIGHTS = np.polynomial.legendre.leggauss(24)
_LEVELS, _SHARES = (_ROOTS + 1) / 2, _WEIGHTS / 2
#: In place of a coefficient that rounding left at 0, or below.
_ABOVE_0 = 1e-12


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

    def protracted(self, factor: float) -> Carried:
        """The curve of an exposure so protracted that its quadratic term is multiplied by `factor` (G)."""
        scale = np.array([1.0, 1.0, factor])
        return replace(
            self, coefficients=self.coefficients * scale, covariance=self.covariance * np.outer(scale, scale)
        )


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
        half an aberration more, or without any control the mean of all curves that the counts leave
        possible. Where the counts are not known, they are inferred from the error of the background:
        C / s^2 cells with (C / s)^2 aberrations.
    """
    plain = Carried(coefficients, covariance, exact=bool(covariance[0, 0] == 0))
    if series is None or not series.dose.size:
        return _by_error(plain)
    among = series.controls[1]
    if not among:
        return _without_controls(plain, series)
    if series.controls[0] >= FEW and covariance[0, 0] > 0:
        return plain
    return _refitted(plain, series) or _by_controls(plain, series)


def _refitted(plain: Carried, series: Series) -> Carried | None:
    """With half an aberration more; None where the curve does not follow from these counts, or would not grow."""
    scale = _scale(plain, series)
    if scale is None:
        return None
    first = np.arange(series.dose.size) == int(series.dose.argmin())
    try:
        with_half = _fit(series, series.aberrations + np.where(first, _HALF / series.weights, 0.0))
    except CountsError:  # so few cells that half an aberration outweighs all growth
        return None
    return Carried(with_half.coefficients, with_half.covariance * scale, few=True)


def _fit(series: Series, aberrations: FloatArray) -> Fit:
    return fit_curve(series.dose, series.cells, aberrations, quadratic=series.quadratic, weights=series.weights)


def _scale(plain: Carried, series: Series) -> float | None:
    """By how much the covariance exceeds Poisson's; None where the curve does not follow from these counts."""
    try:
        fit = _fit(series, series.aberrations)
    except CountsError:
        return None
    known = np.diag(fit.covariance)[1:] > 0
    if not np.allclose(fit.coefficients, plain.coefficients, rtol=1e-3, atol=1e-6) or not known.any():
        return None
    scale = float((np.diag(plain.covariance)[1:][known] / np.diag(fit.covariance)[1:][known]).max())
    return scale if scale > 0 else None  # 0: the curve is known better than by these counts


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
    """As if the error of the background were that of a count.

    Of less than half an aberration, C / s < 0.7, no count would be: then half a normal distribution.
    """
    background, variance = float(plain.coefficients[0]), float(plain.covariance[0, 0])
    if variance <= 0:
        return plain
    worth = background**2 / variance
    if worth >= FEW:
        return plain
    if worth >= _HALF:
        mean, spread = background + _HALF * variance / background, variance * (1 + _HALF / worth)
    else:
        mean, spread = max(float(np.sqrt(2 * variance / np.pi)), background), (1 - 2 / np.pi) * variance
    return _moved(plain, mean - background, spread)


def _moved(plain: Carried, more: float, variance: float) -> Carried:
    """A background that much higher and so uncertain; the other coefficients follow by its covariances.

    Only as far as none of them falls below 0: what is said of the background does not make less of the
    yields at high doses.
    """
    along = plain.covariance[:, 0] / plain.covariance[0, 0]
    falls = along < 0
    room = float((plain.coefficients[falls] / -along[falls]).min()) if falls.any() else more
    widened = plain.covariance + np.outer(along, along) * (variance - plain.covariance[0, 0])
    return Carried(np.maximum(plain.coefficients + along * min(more, room), 0), widened, few=True)


def _without_controls(plain: Carried, series: Series) -> Carried:
    """Mean of the posterior of a curve without unexposed cells, and its mean square about the fit.

    Jeffreys' prior of a count, C^-1/2 alpha^-1/2, with C, alpha, beta >= 0: without controls the fit
    often lies on these bounds, and no normal error about it says what the counts leave open.
    """
    scale = _scale(plain, series)
    if scale is None:
        return _by_error(plain) if plain.coefficients[0] > 0 else plain
    size = 3 if series.quadratic else 2
    gray, row = np.unique(series.dose, return_inverse=True)
    cells, counts = (np.bincount(row, n * series.weights) for n in (series.cells, series.aberrations))
    at, share = _nodes(design(gray)[:, :size] * cells[:, None], plain.coefficients[:size], scale)
    log = -0.5 * np.log(at[:, :2]).sum(axis=1)
    for dose, among, count in zip(gray, cells, counts, strict=True):
        mean = among * at @ design(dose)[:size]
        log += (count * np.log(mean) - mean) / scale
    chance = share * np.exp(log - log.max())
    chance /= chance.sum()
    away = at - plain.coefficients[:size]
    coefficients, covariance = plain.coefficients.copy(), np.zeros((3, 3))
    coefficients[:size] = chance @ at
    covariance[:size, :size] = (away * chance[:, None]).T @ away
    return Carried(coefficients, covariance, few=True)


def _nodes(rows: FloatArray, fitted: FloatArray, scale: float) -> tuple[FloatArray, FloatArray]:
    """Curves about the fitted one, (n, terms), all above 0, and the volume that each stands for.

    Gauss and Legendre's nodes for one coefficient after the other, within `_REACH` standard errors that
    it has given those before. They crowd at the lower end, where the prior has its pole.
    """
    information = (rows / (rows @ fitted + 1)[:, None]).T @ rows / scale
    root = np.linalg.cholesky(np.linalg.inv(information))
    at, volume = fitted[None, :], np.ones(1)
    for k in range(len(fitted)):
        low = np.maximum(-_REACH, -at[:, k] / root[k, k])
        width = np.maximum(_REACH - low, 0)
        at = at[:, None, :] + (low[:, None] + width[:, None] * _LEVELS**2)[:, :, None] * root[:, k]
        at = at.reshape(-1, len(fitted))
        volume = np.outer(volume * width, 2 * _LEVELS * _SHARES).ravel()
        at, volume = at[volume > 0], volume[volume > 0]
    return np.maximum(at, _ABOVE_0), volume


def _replaced(plain: Carried, mean: float, variance: float) -> Carried:
    """Another background, independent of the other coefficients."""
    coefficients, covariance = plain.coefficients.copy(), plain.covariance.copy()
    covariance[0, :] = covariance[:, 0] = 0
    coefficients[0], covariance[0, 0] = mean, variance
    return Carried(coefficients, covariance, few=True)
