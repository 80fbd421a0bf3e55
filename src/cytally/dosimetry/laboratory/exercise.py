"""An interlaboratory exercise: one value per laboratory and sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.laboratory.columns import EXERCISE, GRAY
from cytally.dosimetry.laboratory.tables import named_sum
from cytally.errors import CountsError
from cytally.files.tables.table import Table, read_table
from cytally.statistics.robust import FEWEST, Robust, coincide, robust, verdict, z_scores
from cytally.types import FloatArray
from cytally.wording import counted


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


@dataclass(frozen=True)
class Compared:
    """The laboratories of one sample side by side.

    Attributes
    ----------
    sample : ExerciseSample
    robust : Robust or None
        Robust mean and standard deviation; None for fewer than three values.
    z : ndarray of shape (laboratories,)
        z scores; NaN where there are none.
    reason : str
        Why there are none; "" where there are.
    """

    sample: ExerciseSample
    robust: Robust | None
    z: FloatArray
    reason: str = ""

    @property
    def centre(self) -> float:
        """What the values were compared with: the reference, or the robust mean; NaN without either."""
        if self.sample.reference is not None:
            return self.sample.reference
        return self.robust.location if self.robust is not None else float("nan")

    @property
    def verdicts(self) -> tuple[str, ...]:
        """A word for each z score; "" where there is none."""
        return tuple(verdict(float(z)) if np.isfinite(z) else "" for z in self.z)


def compare_laboratories(sample: ExerciseSample, algorithm: str = "A") -> Compared:
    """The z scores of one sample, or why it has none: one sample never ends the others' comparison.

    Parameters
    ----------
    sample : ExerciseSample
    algorithm : {"A", "B", "QHampel"}
    """
    none = np.full(len(sample.values), np.nan)
    if len(sample.values) < FEWEST:
        said = f"no z scores: they take {FEWEST} laboratories, and there {_are(len(sample.values))}"
        return Compared(sample, None, none, said)
    found = robust(sample.values, algorithm)
    if coincide(sample.values, found):
        said = "no z scores: so many values coincide that the robust standard deviation is 0"
        return Compared(sample, found, none, said)
    return Compared(sample, found, z_scores(sample.values, reference=sample.reference, algorithm=algorithm))


def _are(number: int) -> str:
    return f"{'is' if number == 1 else 'are'} {number}"


def exercise_table(found: Sequence[Compared]) -> str:
    """One line per laboratory, sample by sample, for people."""
    lines: list[str] = []
    for one in found:
        if one.sample.name:
            lines += [*([""] if lines else []), f"sample {one.sample.name}"]
        lines.append(_heading(one))
        if one.reason:
            lines.append(f"  {one.reason}")
        digits = 3 if one.sample.values.max() >= 1 else 5  # doses, or yields
        for name, value, z, word in zip(
            one.sample.laboratories, one.sample.values, one.z, one.verdicts, strict=True
        ):
            score = f"{z:>8.2f}  {word}" if word else f"{'-':>8}"
            lines.append(f"{name:<20}{value:>9.{digits}f}{score}")
    return "\n".join(lines)


def _heading(one: Compared) -> str:
    """How many laboratories, and what their values were compared with."""
    parts = [counted(len(one.sample.values), "laboratories")]
    if one.sample.reference is not None:
        parts.append(f"reference {one.sample.reference:.3f}")
    if one.robust is not None:
        parts.append(f"robust mean {one.robust.location:.3f}" + (
            " (not used)" if one.sample.reference is not None else ""
        ))  # fmt: skip
        parts.append(f"robust standard deviation {one.robust.scale:.3f}")
    return ", ".join(parts)


def exercise_rows(found: Sequence[Compared]) -> list[list[object]]:
    """Headings, then one line per sample and laboratory, for programs and spreadsheets."""
    heading: list[object] = [
        "sample", "laboratory", "value", "z", "verdict", "compared_with", "is_reference", "robust_mean",
        "robust_sd", "note",
    ]  # fmt: skip
    rows: list[list[object]] = []
    for one in found:
        known = (one.robust.location, one.robust.scale) if one.robust is not None else (None, None)
        of_sample = [one.centre, one.sample.reference is not None, *known, one.reason]
        rows += [
            [one.sample.name, name, float(value), float(z), word, *of_sample]
            for name, value, z, word in zip(
                one.sample.laboratories, one.sample.values, one.z, one.verdicts, strict=True
            )
        ]
    return [heading, *rows]
