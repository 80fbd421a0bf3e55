"""Counts at known doses -> Curve, and the curve's file.

Needs neither an image nor a network: typed counts are enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cytally.errors import CountsError
from cytally.statistics.curves import Fit, fit_curve, yield_at, yield_error
from cytally.types import FloatArray


@dataclass(frozen=True)
class DosePoint:
    """Cells and dicentrics at one dose."""

    dose_gy: float
    cells: int
    dicentrics: int


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
    """

    coefficients: FloatArray
    covariance: FloatArray
    points: tuple[DosePoint, ...] = ()
    radiation: str = ""
    laboratory: str = ""
    detector: str = ""
    fit: Fit | None = None

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
        points = tuple(DosePoint(p["dose_gy"], int(p["cells"]), int(p["dicentrics"])) for p in stored.data)
        fit = None
        if stored.chi2 is not None and stored.degrees is not None:
            nan = float("nan")
            fit = Fit(values, covariance, tuple(stored.at_bound), stored.chi2, nan, nan, stored.degrees)
        return Curve(values, covariance, points, stored.radiation, stored.laboratory, stored.detector, fit)


def _check_covariance(covariance: FloatArray, where: str) -> None:
    if covariance.shape != (3, 3) or not np.allclose(covariance, covariance.T, rtol=1e-6, atol=0):
        raise CountsError(f"{where}: expected a symmetric 3 x 3 covariance of C, alpha, beta")
    values = np.linalg.eigvalsh(covariance)
    if values.min() < -1e-9 * max(values.max(), 1e-12):
        raise CountsError(
            f"{where}: expected a covariance without negative eigenvalue, got {values.min():.3g}"
        )


def calibrate(
    points: Sequence[DosePoint], *, radiation: str = "", laboratory: str = "", detector: str = ""
) -> Curve:
    """Fit a calibration curve by constrained Poisson maximum likelihood.

    Parameters
    ----------
    points : sequence of DosePoint
    radiation, laboratory, detector : str
        Kept with the curve.

    Raises
    ------
    CountsError
        Fewer than three doses, no dicentrics, or impossible counts.
    """
    columns = np.array([(p.dose_gy, p.cells, p.dicentrics) for p in points], dtype=float).reshape(-1, 3)
    fit = fit_curve(columns[:, 0], columns[:, 1], columns[:, 2])
    return Curve(fit.coefficients, fit.covariance, tuple(points), radiation, laboratory, detector, fit)
