"""Counts at known doses -> Curve, and the curve's file.

Needs neither an image nor a network: typed counts are enough.
"""

from __future__ import annotations

import csv
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

_CELLS = ("cells", "n")
_DICENTRICS = ("dicentrics", "x")
_DOSE = ("dose_gy", "dose", "d")


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
        return Curve(values, covariance, points, stored.radiation, stored.laboratory, stored.detector)


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


def read_counts(path: Path) -> list[DosePoint]:
    """Read counts for a curve.

    Parameters
    ----------
    path : Path
        CSV with `dose_gy` and either `cells,dicentrics` (or `N,X`) or the
        distribution `C0,C1,...`; Biodose Tools' `D,N,X,C0..` is read too.

    Raises
    ------
    CountsError
        Missing column, no number, or a distribution that contradicts its sum.
    """
    return [DosePoint(_number(row, _DOSE, where), *totals_of(row, where)) for where, row in rows_of(path)]


def rows_of(path: Path) -> list[tuple[str, dict[str, str]]]:
    """Lines of a CSV file as (where, row), headings in lower case.

    Raises
    ------
    CountsError
        No file, semicolons between columns, or no line at all.
    """
    if not path.is_file():
        raise CountsError(f"{path}: expected a CSV file of counts, found none")
    with path.open(newline="", encoding="utf-8-sig") as file:
        sample = file.read()
    if ";" in sample.split("\n", 1)[0]:
        raise CountsError(
            f"{path}: expected commas between columns and decimal points, got semicolons; save as plain CSV"
        )
    rows = list(csv.DictReader(sample.splitlines()))
    if not rows:
        raise CountsError(f"{path}: expected a heading and at least one line of counts, got an empty table")
    return [
        (f"{path}, line {n}", {k.strip().lower(): v for k, v in row.items() if k})
        for n, row in enumerate(rows, 2)
    ]


def distribution_of(row: dict[str, str], where: str) -> list[int] | None:
    """Cells with 0, 1, ..., k dicentrics (columns C0, C1, ...); None where a line has totals only."""
    ks = sorted(int(k[1:]) for k in row if k[:1] == "c" and k[1:].isdigit())
    if not ks:
        return None
    counts = [0] * (ks[-1] + 1)
    for k in ks:
        counts[k] = _whole(_number(row, (f"c{k}",), where), f"C{k}", where)
    return counts


def totals_of(row: dict[str, str], where: str) -> tuple[int, int]:
    """Cells and dicentrics of a line.

    Raises
    ------
    CountsError
        Missing column, no whole number >= 0, or a distribution that contradicts its sum.
    """
    counts = distribution_of(row, where)
    if counts is None:
        values = (_number(row, _CELLS, where), _number(row, _DICENTRICS, where))
        return _whole(values[0], "cells", where), _whole(values[1], "dicentrics", where)
    cells, dicentrics = sum(counts), sum(k * n for k, n in enumerate(counts))
    for names, value in ((_CELLS, cells), (_DICENTRICS, dicentrics)):
        given = next((row[n] for n in names if row.get(n)), None)
        if given is not None and float(given) != value:
            raise CountsError(f"{where}: the distribution adds up to {value:g}, but {names[0]} says {given}")
    return cells, dicentrics


def _whole(value: float, name: str, where: str) -> int:
    if value != int(value) or value < 0:
        raise CountsError(f"{where}: expected whole counts >= 0, got {value:g} in {name}")
    return int(value)


def _number(row: dict[str, str], names: Sequence[str], where: str) -> float:
    for name in names:
        if name in row:
            try:
                return float(row[name])
            except (TypeError, ValueError):
                raise CountsError(f"{where}: expected a number in {name}, got {row[name]!r}") from None
    raise CountsError(f"{where}: expected a column {' or '.join(names)}; found {', '.join(row)}")
