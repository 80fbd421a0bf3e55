"""An interlaboratory exercise: one value per laboratory and sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.laboratory.columns import EXERCISE, GRAY
from cytally.dosimetry.laboratory.tables import named_sum
from cytally.errors import CountsError
from cytally.files.tables import Table, read_table
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
    FileError
        Not a table.
    CountsError
        A value or reference that is no number >= 0 in Gy, a laboratory twice for one sample, a line of
        means, or two references of one sample.
    """
    table = read_table(path, EXERCISE)
    _check_units(table)
    names: dict[str, list[str]] = {}
    values: dict[str, list[float]] = {}
    known: dict[str, float] = {}
    for row in table.rows:
        sample, laboratory = row.text("sample"), row.text("laboratory") or f"line {row.line}"
        if named_sum(row, "laboratory"):
            raise row.wrong("is a line of totals or means; delete it")
        if laboratory in names.setdefault(sample, []):
            raise row.wrong(f"{laboratory!r} is there twice" + (f" for sample {sample!r}" if sample else ""))
        names[sample].append(laboratory)
        values.setdefault(sample, []).append(row.number("value", lowest=0.0))
        if row.has("reference"):
            stated = row.number("reference", lowest=0.0)
            if known.setdefault(sample, stated) != stated:
                raise row.wrong(f"expected one reference per sample, got {stated:g} after {known[sample]:g}")
    return [
        ExerciseSample(name, tuple(names[name]), np.array(values[name]), known.get(name, reference))
        for name in names
    ]


def _check_units(table: Table) -> None:
    for name in ("value", "reference"):
        if table.unit(name) not in GRAY:
            heading = table.head.headings[table.head.columns[name]]
            raise CountsError(
                f"{table.head.place}: expected doses in Gy, but a heading is {heading!r}; convert the column"
            )
