"""Counts at known doses -> Curve, and the curve's file.

Needs neither an image nor a network: typed counts are enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from cytally.dosimetry.curves.checks import check_curve, check_follows
from cytally.dosimetry.curves.choice import chosen_fit
from cytally.dosimetry.curves.controls import Carried, Series, carried
from cytally.dosimetry.curves.file import CurveFile, check_said, read_file
from cytally.dosimetry.curves.fit import HIGHEST_GY, NAMES, Fit, yield_at, yield_error
from cytally.dosimetry.curves.points import DICENTRICS, UNKNOWN, About, DosePoint, Origin, read_about, read_toml
from cytally.dosimetry.curves.quality import summary, warnings_of
from cytally.errors import CountsError
from cytally.types import FloatArray

__all__ = ["DICENTRICS", "About", "Curve", "DosePoint", "Origin", "calibrate", "read_about", "read_toml", "stated"]


@dataclass(frozen=True)
class Curve:
    """Y = C + alpha D + beta D^2 with its uncertainty and its origin.

    Attributes
    ----------
    coefficients : ndarray of shape (3,)
        C, alpha, beta.
    covariance : ndarray of shape (3, 3)
    points : tuple of DosePoint
        What it was fitted to.
    radiation, laboratory : str
    detector : str
        Identity of ensemble and thresholds that counted, "" for manual scoring.
    fit : Fit or None
        Goodness of fit, where the curve was fitted here.
    model, family : str
        "linear-quadratic" or "linear"; "Poisson" or "quasi-Poisson", whose covariance is
        Poisson's times the dispersion.
    reason : str
        Why these were chosen, in words; "" where they were asked for.
    about : About
    aberration : str
        What was counted: dicentrics, micronuclei, ...
    stated_range : float or None
        Largest calibrated dose, Gy, where it is known otherwise than by `points`.

    Raises
    ------
    CountsError
        Coefficients or a covariance that no curve has (`check_curve`).
    """

    coefficients: FloatArray
    covariance: FloatArray
    points: tuple[DosePoint, ...] = ()
    radiation: str = ""
    laboratory: str = ""
    detector: str = ""
    fit: Fit | None = None
    model: str = "linear-quadratic"
    family: str = "Poisson"
    reason: str = ""
    about: About = field(default_factory=About)
    aberration: str = DICENTRICS
    stated_range: float | None = None

    def __post_init__(self) -> None:
        check_curve(self.coefficients, self.covariance, "curve")

    @property
    def highest_dose(self) -> float:
        """Largest calibrated dose, Gy; NaN where nobody said it."""
        if self.stated_range is not None:
            return self.stated_range
        return max((p.dose_gy for p in self.points), default=float("nan"))

    @property
    def unexposed_from(self) -> float | None:
        """Lowest dose of the counts, Gy, where none of them are of unexposed cells; None otherwise."""
        lowest = min((p.dose_gy for p in self.points), default=0.0)
        return lowest or None

    @cached_property
    def carried(self) -> Carried:
        """What limits are computed with: the curve with the uncertainty of its controls."""
        return carried(self.coefficients, self.covariance, _series(self.points, self.model))

    def protracted(self, factor: float) -> FloatArray:
        """Coefficients where the quadratic term is multiplied by `factor` (G of a protracted exposure)."""
        return np.asarray(self.coefficients * np.array([1.0, 1.0, factor]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be said of the curve itself, in words."""
        return tuple(warnings_of(self.points, self.coefficients, self.fit, self.family))

    @property
    def summary(self) -> dict[str, object]:
        """Goodness of fit, correlations, and a row per dose, as plain numbers."""
        return summary(self.points, self.coefficients, self.fit, self.family)

    def yield_at(self, dose: FloatArray) -> FloatArray:
        """Expected dicentrics per cell."""
        return yield_at(dose, self.coefficients)

    def error_at(self, dose: FloatArray) -> FloatArray:
        """Standard error of the curve."""
        return yield_error(dose, self.covariance)

    def save(self, path: str | Path) -> None:
        """Write the curve as JSON."""
        content: dict[str, object] = {
            "format": 1,
            "coefficients": dict(zip(NAMES, map(float, self.coefficients), strict=True)),
            "covariance": np.asarray(self.covariance, dtype=float).tolist(),
            "at_bound": list(self.fit.at_bound) if self.fit else [],
            "chi2": self.fit.chi2 if self.fit else None,
            "degrees": self.fit.degrees if self.fit else None,
            "log_likelihood": _finite(self.fit.log_likelihood) if self.fit else None,
            "data": [_plain(point) for point in self.points],
            "highest_dose_gy": self.stated_range,
            "radiation": self.radiation,
            "laboratory": self.laboratory,
            "detector": self.detector,
            "model": self.model,
            "family": self.family,
            "reason": self.reason,
            "aberration": self.aberration,
            "about": self.about.model_dump(),
            "statistics": self.summary,
        }
        Path(path).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")

    @staticmethod
    def load(path: str | Path) -> Curve:
        """Read a curve.

        Raises
        ------
        CountsError
            Missing, not JSON, a missing or unknown field, numbers that no curve has, a matrix
            that is no covariance, or a curve that does not follow from the data beside it.
        """
        path = Path(path)
        stored = read_file(path)
        values, covariance = stored.numbers(str(path))
        try:
            points = stored.points()
        except CountsError as error:
            raise CountsError(f"{path}: {error}") from error
        fit = stored.stated_fit(values, covariance)
        if points:
            fit = _refitted(stored, points, values, covariance, str(path))
        return Curve(
            values,
            covariance,
            points,
            stored.radiation,
            stored.laboratory,
            stored.detector,
            fit,
            stored.form,
            stored.family,
            stored.reason,
            stored.about,
            stored.aberration,
            stored.highest_dose_gy,
        )


def _refitted(
    stored: CurveFile, points: tuple[DosePoint, ...], values: FloatArray, covariance: FloatArray, where: str
) -> Fit:
    """Fit of the data of a file; refused where the file says another one."""
    try:
        _check_points(points, stored.aberration)
        made = chosen_fit(points, stored.form, stored.family)
    except CountsError as error:
        raise CountsError(f"{where}: the data make no curve: {error}") from error
    check_follows((values, covariance), (made.fit.coefficients, made.covariance), where)
    check_said(stored, made.fit, max(point.dose_gy for point in points), where)
    return made.fit


def _series(points: Sequence[DosePoint], model: str) -> Series:
    rows = [(p.dose_gy, p.cells, p.dicentrics, p.weight) for p in points]
    gray, cells, aberrations, weights = np.array(rows, dtype=float).reshape(-1, 4).T
    return Series(gray, cells, aberrations, weights, model == "linear-quadratic")


def _plain(point: DosePoint) -> dict[str, object]:
    plain: dict[str, object] = {
        "dose_gy": point.dose_gy,
        "cells": point.cells,
        "dicentrics": point.dicentrics,
        "weight": point.weight,
    }
    return plain | ({"distribution": list(point.distribution)} if point.distribution else {})


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def stated(
    coefficients: Sequence[float],
    errors: Sequence[float],
    covariances: Sequence[float] = (),
    *,
    highest_dose: float | None = None,
    origin: Origin = UNKNOWN,
) -> Curve:
    """A curve known by its coefficients and their errors alone, such as a published one.

    Parameters
    ----------
    coefficients, errors : (C, alpha, beta), or (C, alpha) of a linear curve
        Per cell, per cell and Gy, per cell and Gy^2; standard errors.
    covariances : (C and alpha, C and beta, alpha and beta), or one number for a linear curve
        0 where nobody published them.
    highest_dose : float, optional
        Gy, up to which it was calibrated.
    origin : Origin
        Whose curve it is, and what it counts.

    Raises
    ------
    CountsError
        A negative coefficient or error, no number, or covariances that these errors do not allow.
    """
    values, covariance = _matrix(coefficients, errors, covariances)
    if highest_dose is not None and not 0 < highest_dose <= HIGHEST_GY:
        raise CountsError(f"expected a range up to a dose above 0 and at most {HIGHEST_GY:g} Gy, got {highest_dose:g}")
    check_curve(values, covariance, "curve")
    return Curve(
        values,
        covariance,
        family="as published",
        model="linear-quadratic" if values[2] or covariance[2, 2] else "linear",
        stated_range=highest_dose,
        **vars(origin),
    )


def _matrix(
    coefficients: Sequence[float], errors: Sequence[float], covariances: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Coefficients (3,) and covariance (3, 3) of numbers as they are published; 0 for the beta of a line."""
    if len(coefficients) not in (2, 3) or len(errors) != len(coefficients):
        raise CountsError(
            "expected C,alpha,beta and three errors, or C,alpha and two errors of a linear curve, "
            f"got {len(coefficients)} and {len(errors)} numbers"
        )
    if not all(0 <= value < float("inf") for value in (*coefficients, *errors)):
        raise CountsError(
            "expected coefficients and errors >= 0, alpha or beta above 0, "
            f"got {', '.join(f'{v:g}' for v in (*coefficients, *errors))}"
        )
    size = len(coefficients)
    pairs = [(0, 1), (0, 2), (1, 2)][: 3 if size == 3 else 1]
    if len(covariances) not in (0, len(pairs)):
        raise CountsError(f"expected {len(pairs)} covariances of {size} coefficients, got {len(covariances)}")
    values, covariance = np.zeros(3), np.zeros((3, 3))
    values[:size] = coefficients
    covariance[range(size), range(size)] = np.square(errors)
    for (i, j), value in zip(pairs, covariances, strict=False):
        covariance[i, j] = covariance[j, i] = value
    return values, covariance


def calibrate(
    points: Sequence[DosePoint],
    *,
    model: str = "linear-quadratic",
    family: str = "Poisson",
    origin: Origin = UNKNOWN,
) -> Curve:
    """Fit a calibration curve by constrained Poisson maximum likelihood.

    Parameters
    ----------
    points : sequence of DosePoint
    model : {"linear-quadratic", "linear", "automatic"}
        Automatic: linear where the quadratic term does not improve the fit (likelihood
        ratio, 5 %).
    family : {"Poisson", "quasi-Poisson", "automatic"}
        Automatic: quasi-Poisson where chi2 per degree of freedom is above 1 (IAEA 2011,
        8.3: standard errors times its root).
    origin : Origin
        Kept with the curve: radiation, laboratory, detector, what was counted, conditions.

    Raises
    ------
    CountsError
        Too few doses, no dicentrics, impossible counts, a yield that does not grow with dose.
    """
    _check_points(points, origin.aberration)
    chosen = chosen_fit(points, model, family)
    return Curve(
        chosen.fit.coefficients,
        chosen.covariance,
        tuple(points),
        fit=chosen.fit,
        model=chosen.model,
        family=chosen.family,
        reason=chosen.reason,
        **vars(origin),
    )


def _check_points(points: Sequence[DosePoint], aberration: str) -> None:
    """Refuse what no calibration holds."""
    for point in points:
        if not 0 <= point.dose_gy <= HIGHEST_GY:
            raise CountsError(f"expected doses of 0 to {HIGHEST_GY:g} Gy, got {point.dose_gy:g}")
        if not 0 < point.weight < float("inf"):
            raise CountsError(f"expected weights above 0, got {point.weight:g} at {point.dose_gy:g} Gy")
        if point.dose_gy == 0 and point.dicentrics > point.cells > 0:
            raise CountsError(
                f"expected fewer {aberration} than cells at 0 Gy, got {point.dicentrics} in {point.cells} cells; "
                "are the columns interchanged?"
            )
