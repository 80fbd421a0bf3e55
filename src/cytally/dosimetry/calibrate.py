"""Counts at known doses -> Curve, and the curve's file.

Needs neither an image nor a network: typed counts are enough.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cytally.errors import CountsError
from cytally.files.text import read_text
from cytally.statistics.curves import Fit, fit_curve, yield_at, yield_error
from cytally.statistics.distributions import chi2_tail
from cytally.types import FloatArray

#: What is counted unless something else is said, such as micronuclei.
DICENTRICS = "dicentrics"
#: Bytes of a file of facts.
_LARGEST_TOML = 2**20


@dataclass(frozen=True)
class DosePoint:
    """Cells and dicentrics at one dose; a weight below 1 where they say less than so many Poisson counts."""

    dose_gy: float
    cells: int
    dicentrics: int
    weight: float = 1.0


class About(BaseModel):
    """Under what conditions a curve was made; text, and what is not known is left empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dose_rate: str = ""
    quantity: str = ""
    medium: str = ""
    temperature: str = ""
    thresholds: str = ""
    counted_by: str = ""
    made: str = ""
    remarks: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: int = 1
    coefficients: dict[str, float]
    covariance: list[list[float]]
    at_bound: list[str] = []
    chi2: float | None = None
    degrees: int | None = None
    data: list[dict[str, float]] = []
    radiation: str = ""
    laboratory: str = ""
    detector: str = ""
    model: str = "linear-quadratic"
    family: str = "Poisson"
    reason: str = ""
    aberration: str = DICENTRICS
    about: About = About()


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
        Identity of ensemble and thresholds that counted, "" for counting by eye.
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

    @property
    def highest_dose(self) -> float:
        """Largest calibrated dose, Gy; NaN where the data are not known."""
        return max((p.dose_gy for p in self.points), default=float("nan"))

    def yield_at(self, dose: FloatArray) -> FloatArray:
        """Expected dicentrics per cell."""
        return yield_at(dose, self.coefficients)

    def error_at(self, dose: FloatArray) -> FloatArray:
        """Standard error of the curve."""
        return yield_error(dose, self.covariance)

    def save(self, path: str | Path) -> None:
        """Write the curve as JSON."""
        names = ("C", "alpha", "beta")
        content: dict[str, Any] = {
            "format": 1,
            "coefficients": dict(zip(names, self.coefficients.tolist(), strict=True)),
            "covariance": self.covariance.tolist(),
            "at_bound": list(self.fit.at_bound) if self.fit else [],
            "chi2": self.fit.chi2 if self.fit else None,
            "degrees": self.fit.degrees if self.fit else None,
            "data": [vars(point) for point in self.points],
            "radiation": self.radiation, "laboratory": self.laboratory, "detector": self.detector,
            "model": self.model, "family": self.family, "reason": self.reason,
            "aberration": self.aberration, "about": self.about.model_dump(),
        }  # fmt: skip
        Path(path).write_text(json.dumps(content, indent=1) + "\n")

    @staticmethod
    def load(path: str | Path) -> Curve:
        """Read a curve.

        Raises
        ------
        CountsError
            Missing, not JSON, a missing or unknown field, or a matrix that is no
            covariance.
        """
        path = Path(path)
        if not path.is_file():
            raise CountsError(f"{path}: expected a curve file (JSON), found none")
        try:
            stored = _File.model_validate_json(path.read_text())
            values = np.array([stored.coefficients[name] for name in ("C", "alpha", "beta")])
        except (ValidationError, KeyError, UnicodeDecodeError) as error:
            raise CountsError(f"{path}: not a curve file: {error}") from error
        covariance = np.array(stored.covariance, dtype=float)
        _check_covariance(covariance, str(path))
        points = tuple(
            DosePoint(p["dose_gy"], int(p["cells"]), int(p["dicentrics"]), p.get("weight", 1.0))
            for p in stored.data
        )
        fit = None
        if stored.chi2 is not None and stored.degrees is not None:
            nan = float("nan")
            fit = Fit(values, covariance, tuple(stored.at_bound), stored.chi2, nan, nan, stored.degrees)
        return Curve(
            values, covariance, points, stored.radiation, stored.laboratory, stored.detector, fit,
            stored.model, stored.family, stored.reason, stored.about, stored.aberration,
        )  # fmt: skip


def _check_covariance(covariance: FloatArray, where: str) -> None:
    if covariance.shape != (3, 3) or not np.allclose(covariance, covariance.T, rtol=1e-6, atol=0):
        raise CountsError(f"{where}: expected a symmetric 3 x 3 covariance of C, alpha, beta")
    values = np.linalg.eigvalsh(covariance)
    if values.min() < -1e-9 * max(values.max(), 1e-12):
        raise CountsError(
            f"{where}: expected a covariance without negative eigenvalue, got {values.min():.3g}"
        )


def stated(
    coefficients: tuple[float, float, float], errors: tuple[float, float, float],
    covariances: tuple[float, float, float] = (0.0, 0.0, 0.0), *, radiation: str = "", laboratory: str = "",
) -> Curve:  # fmt: skip
    """A curve known by its coefficients and their errors alone, such as a published one.

    Parameters
    ----------
    coefficients, errors : (C, alpha, beta)
        Per cell, per cell and Gy, per cell and Gy^2; standard errors.
    covariances : (C and alpha, C and beta, alpha and beta)
        0 where nobody published them.
    radiation, laboratory : str

    Raises
    ------
    CountsError
        A negative coefficient or error, or covariances that these errors do not allow.
    """
    if min(coefficients) < 0 or min(errors) < 0 or not coefficients[1] + coefficients[2] > 0:
        raise CountsError(
            "expected coefficients and errors >= 0, alpha or beta above 0, "
            f"got {', '.join(f'{v:g}' for v in (*coefficients, *errors))}"
        )
    covariance = np.diag(np.square(errors))
    for (i, j), value in zip(((0, 1), (0, 2), (1, 2)), covariances, strict=True):
        covariance[i, j] = covariance[j, i] = value
    _check_covariance(covariance, "covariances")
    model = "linear-quadratic" if coefficients[2] else "linear"
    return Curve(
        np.array(coefficients), covariance, radiation=radiation, laboratory=laboratory, model=model,
        family="as published",
    )  # fmt: skip


def calibrate(
    points: Sequence[DosePoint], *, radiation: str = "", laboratory: str = "", detector: str = "",
    model: str = "linear-quadratic", family: str = "Poisson", about: About | None = None,
    aberration: str = DICENTRICS,
) -> Curve:  # fmt: skip
    """Fit a calibration curve by constrained Poisson maximum likelihood.

    Parameters
    ----------
    points : sequence of DosePoint
    radiation, laboratory, detector : str
        Kept with the curve.
    model : {"linear-quadratic", "linear", "automatic"}
        Automatic: linear where the quadratic term does not improve the fit (likelihood
        ratio, 5 %).
    family : {"Poisson", "quasi-Poisson", "automatic"}
        Automatic: quasi-Poisson where chi2 per degree of freedom is above 1 (IAEA 2011,
        8.3: standard errors times its root).
    about : About, optional
    aberration : str
        What was counted.

    Raises
    ------
    CountsError
        Too few doses, no dicentrics, or impossible counts.
    """
    rows = [(p.dose_gy, p.cells, p.dicentrics, p.weight) for p in points]
    dose, *counts, weights = np.array(rows, dtype=float).reshape(-1, 4).T
    chosen, why = model, []
    if model == "automatic":
        chosen, said = _choose_model(dose, counts[0], counts[1], weights)
        why.append(said)
    fit = fit_curve(dose, counts[0], counts[1], quadratic=chosen == "linear-quadratic", weights=weights)
    kind = fit.family if family == "automatic" else family
    if family == "automatic":
        more = "more" if kind == "quasi-Poisson" else "no more"
        why.append(
            f"{kind}: the points scatter {more} than Poisson allows (chi2 / df = {fit.dispersion:.2f})"
        )
    covariance = fit.scaled_covariance if kind == "quasi-Poisson" else fit.covariance
    return Curve(
        fit.coefficients, covariance, tuple(points), radiation, laboratory, detector, fit,
        chosen, kind, "; ".join(why), about or About(), aberration,
    )  # fmt: skip


def _choose_model(
    dose: FloatArray, cells: FloatArray, dicentrics: FloatArray, weights: FloatArray
) -> tuple[str, str]:
    """Linear-quadratic unless the linear curve explains the counts as well (likelihood ratio, 5 %)."""
    if len(np.unique(dose)) < 3:
        return "linear", f"linear: {len(np.unique(dose))} doses are too few for a quadratic term"
    full, straight = (fit_curve(dose, cells, dicentrics, quadratic=q, weights=weights) for q in (True, False))
    ratio = max(2 * (full.log_likelihood - straight.log_likelihood), 0.0)
    # beta >= 0: at the boundary the ratio is half 0 and half chi2 of 1 (Self and Liang 1987)
    p = 0.5 * float(chi2_tail(ratio, 1)) if ratio > 0 else 1.0
    if p < 0.05:
        return "linear-quadratic", f"linear-quadratic: the quadratic term improves the fit (p = {p:.2g})"
    return "linear", f"linear: a quadratic term does not improve the fit (p = {p:.2g})"


def read_about(path: Path) -> About:
    """Read the conditions of a curve from a TOML file; errors as of `read_toml`."""
    return read_toml(path, About, "about a curve")


Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model], what: str) -> Model:
    """Read a small TOML file of texts.

    Raises
    ------
    FileError
        No file, or a larger one than such a file can be.
    CountsError
        Not TOML in UTF-8, or a key that is not known.
    """
    text = read_text(path, f"a TOML file {what}", _LARGEST_TOML)
    try:
        if text.guessed:
            raise ValueError("not UTF-8; save it as UTF-8")
        return model.model_validate(tomllib.loads(text.content.replace("\r\n", "\n")))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise CountsError(
            f"{path}: {name}: {first['msg']}; expected text under one of {', '.join(model.model_fields)}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CountsError(f'{path}: expected TOML (key = "text"), got {error}') from error
