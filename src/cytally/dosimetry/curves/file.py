"""The file of a curve (JSON): everything in it is checked before anything is computed.

What a file may hold, and what is refused, is written in docs/doses.md.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from cytally.dosimetry.curves.checks import check_curve
from cytally.dosimetry.curves.fit import HIGHEST_GY, NAMES, Fit
from cytally.dosimetry.curves.points import DICENTRICS, About, DosePoint
from cytally.errors import CountsError
from cytally.types import FloatArray

#: Bytes; a thousand doses with their distributions are a tenth of it.
_LARGEST = 2_000_000
_DEEPEST = 12
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def _whole(value: object) -> object:
    """5000.0 is 5000."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Count = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=10**12)]
_Text = Annotated[str, Field(max_length=100_000)]
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Coefficients(BaseModel):
    model_config = _STRICT
    C: float
    alpha: float
    beta: float | None = None


class _Point(BaseModel):
    model_config = _STRICT
    dose_gy: Annotated[float, Field(ge=0, le=HIGHEST_GY)]
    cells: Annotated[_Count, Field(ge=1)]
    dicentrics: _Count
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    distribution: list[_Count] = []


class CurveFile(BaseModel):
    """Content of a curve's file; `statistics` follows from the rest and is not read."""

    model_config = _STRICT
    format: Literal[1] = 1
    coefficients: _Coefficients
    covariance: list[list[float]]
    at_bound: list[Literal["C", "alpha", "beta"]] = []
    chi2: Annotated[float, Field(ge=0)] | None = None
    degrees: _Count | None = None
    log_likelihood: float | None = None
    data: Annotated[list[_Point], Field(max_length=10_000)] = []
    highest_dose_gy: Annotated[float, Field(gt=0, le=HIGHEST_GY)] | None = None
    radiation: _Text = ""
    laboratory: _Text = ""
    detector: _Text = ""
    model: Literal["linear-quadratic", "linear"] | None = None
    family: Literal["Poisson", "quasi-Poisson", "as published"] = "Poisson"
    reason: _Text = ""
    aberration: Annotated[_Text, Field(pattern=r"\S")] = DICENTRICS
    about: About = About()
    statistics: object = None

    @property
    def form(self) -> str:
        """The model; where the file does not say, linear if it has no beta."""
        if self.model is not None:
            return self.model
        return "linear-quadratic" if self.coefficients.beta else "linear"

    def points(self) -> tuple[DosePoint, ...]:
        """The data, as counts."""
        return tuple(DosePoint(p.dose_gy, p.cells, p.dicentrics, p.weight, tuple(p.distribution)) for p in self.data)

    def stated_fit(self, values: FloatArray, covariance: FloatArray) -> Fit | None:
        """Goodness of fit as far as a file without data says it; None where it does not."""
        if self.chi2 is None or self.degrees is None:
            return None
        nan = float("nan")
        likelihood = nan if self.log_likelihood is None else self.log_likelihood
        return Fit(values, covariance, tuple(self.at_bound), self.chi2, nan, likelihood, self.degrees)

    def numbers(self, where: str) -> tuple[FloatArray, FloatArray]:
        """Coefficients (3,) and covariance (3, 3), checked; 0 for the beta of a line.

        Raises
        ------
        CountsError
            As `check_curve`; or a beta that is missing, or in a linear curve.
        """
        beta, linear = self.coefficients.beta, self.form == "linear"
        values = np.array([self.coefficients.C, self.coefficients.alpha, beta or 0.0])
        rows = self.covariance
        small = len(rows) == 2
        if not rows or any(len(row) != len(rows) for row in rows):
            raise CountsError(
                f"{where}: expected a symmetric 3 x 3 covariance of C, alpha, beta, got rows of "
                f"{', '.join(str(len(row)) for row in rows) or 'nothing'}"
            )
        if linear and beta:
            raise CountsError(f"{where}: expected no beta in a linear curve, got {beta:g}")
        if not linear and (beta is None or small):
            raise CountsError(
                f"{where}: expected a beta and a 3 x 3 covariance in a linear-quadratic curve; a linear one says "
                '"model": "linear"'
            )
        matrix = np.zeros((3, 3)) if small else np.array(rows, dtype=float)
        if small:
            matrix[:2, :2] = rows
        check_curve(values, matrix, where)
        held = [name for name, value in zip(NAMES, values, strict=True) if name in self.at_bound and value > 0]
        if held:
            raise CountsError(f"{where}: at_bound: expected coefficients that are 0, got {held[0]} above 0")
        if linear and matrix[2, 2] > 0:
            raise CountsError(f"{where}: expected no error of beta in a linear curve, got {matrix[2, 2]:.3g}")
        return values, matrix


def check_said(stored: CurveFile, fit: Fit, highest: float, where: str) -> None:
    """Refuse what a file says of its fit where the data beside it say otherwise.

    Raises
    ------
    CountsError
        Another chi2, other degrees of freedom, likelihood or coefficients at their bound, or a range
        above the highest dose of the data.
    """
    bound, found = (", ".join(sorted(each)) or "none" for each in (stored.at_bound, fit.at_bound))
    said: list[tuple[str, object, object, bool]] = [
        ("chi2", stored.chi2, fit.chi2, _near(stored.chi2, fit.chi2)),
        ("degrees", stored.degrees, fit.degrees, stored.degrees in (None, fit.degrees)),
        ("log_likelihood", stored.log_likelihood, fit.log_likelihood, _near(stored.log_likelihood, fit.log_likelihood)),
        ("at_bound", bound, found, bound == found or "at_bound" not in stored.model_fields_set),
        ("highest_dose_gy", stored.highest_dose_gy, highest, (stored.highest_dose_gy or 0) <= highest * (1 + 1e-9)),
    ]
    for name, value, other, follows in said:
        if not follows:
            raise CountsError(
                f"{where}: {name}: expected what follows from the data, {_short(other)}, got {_short(value)}; "
                "calibrate again"
            )


def _near(said: float | None, fitted: float) -> bool:
    """Whether a number is the other, but for rounding."""
    return said is None or abs(said - fitted) <= 0.01 * abs(fitted) + 0.02


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def read_file(path: Path) -> CurveFile:
    """Read a curve's file.

    Raises
    ------
    CountsError
        Missing, too large, nested too deeply, not JSON, a name twice, or a field that is unknown,
        missing or not what it must be.
    """
    if not path.is_file():
        raise CountsError(f"{path}: expected a curve file (JSON), found none")
    if path.stat().st_size > _LARGEST:
        raise CountsError(f"{path}: expected a curve file of at most {_LARGEST} bytes, got {path.stat().st_size}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if _depth(text) > _DEEPEST:
            raise CountsError(f"{path}: not a curve file: brackets within brackets, more than {_DEEPEST} deep")
        content = json.loads(text, object_pairs_hook=_once)
        return CurveFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the whole"
        raise CountsError(f"{path}: not a curve file: {name}: {_said(first['msg'])}") from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, a number of 10,000 digits
        raise CountsError(f"{path}: not a curve file (JSON): {error}") from error
    except OSError as error:
        raise CountsError(f"{path}: cannot be read: {error.strerror}") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(n for n in names if names.count(n) > 1)!r} is there twice")
    return found


def _depth(text: str) -> int:
    """How deep brackets lie within brackets, strings left out."""
    deepest = depth = 0
    for mark in _STRING.sub("", text):
        depth += (mark in "[{") - (mark in "]}")
        deepest = max(deepest, depth)
    return deepest


def _said(message: str) -> str:
    return message[0].lower() + message[1:]
