"""An interlaboratory exercise: one value per laboratory and sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.laboratory.tables import rows_of
from cytally.errors import CountsError
from cytally.types import FloatArray


@dataclass(frozen=True)
class ExerciseSample:
    """What the laboratories said of one sample.

    Attributes
    ----------
    name : str
        Empty where the table knows only one.
    laboratories : tuple of str
    values : ndarray of shape (laboratories,)
        Doses or yields.
    reference : float or None
        The physical dose, where it is known.
    """

    name: str
    laboratories: tuple[str, ...]
    values: FloatArray
    reference: float | None


def read_exercise(path: Path, reference: float | None = None) -> list[ExerciseSample]:
    """Read a table with laboratory and value, and sample and reference where there are several.

    Raises
    ------
    CountsError
        A value or reference that is no number, or two references of one sample.
    """
    names: dict[str, list[str]] = {}
    values: dict[str, list[float]] = {}
    known: dict[str, float] = {}
    for number, (where, row) in enumerate(rows_of(path), start=1):
        sample = (row.get("sample") or "").strip()
        names.setdefault(sample, []).append(row.get("laboratory") or f"line {number}")
        values.setdefault(sample, []).append(_number(row, "value", where))
        if row.get("reference"):
            stated = _number(row, "reference", where)
            if known.setdefault(sample, stated) != stated:
                raise CountsError(
                    f"{where}: expected one reference per sample, got {stated:g} after {known[sample]:g}"
                )
    return [
        ExerciseSample(name, tuple(names[name]), np.array(values[name]), known.get(name, reference))
        for name in names
    ]


def _number(row: dict[str, str], name: str, where: str) -> float:
    try:
        return float(row[name])
    except (KeyError, ValueError):
        raise CountsError(
            f"{where}: expected a number in the column {name}, found {row.get(name)!r}"
        ) from None
