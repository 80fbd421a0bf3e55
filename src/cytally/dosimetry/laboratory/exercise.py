"""An interlaboratory exercise: one value per laboratory and sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.laboratory.columns import EXERCISE, GRAY
from cytally.dosimetry.laboratory.samples import LeftOut, left_out_line
from cytally.dosimetry.laboratory.tables import TOTALS, named_sum, several
from cytally.errors import CountsError, InputError
from cytally.files.tables.headings import plain
from cytally.files.tables.table import Row, Table, read_table
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


#: Neither a dose in Gy that anybody reports, nor a yield per cell, is larger.
_HIGHEST = 30.0
#: Times the median, or parts of it, that look like another unit.
_APART = 20.0


@dataclass(frozen=True)
class ExerciseTable:
    """What a table of values by laboratory gave.

    Attributes
    ----------
    samples : tuple of ExerciseSample
        At least one.
    left_out : tuple of LeftOut
        Lines that could not be used.
    notes : tuple of str
        What looks odd in the rest.
    """

    samples: tuple[ExerciseSample, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Value:
    """One line: what a laboratory says of a sample."""

    row: Row
    sample: str
    laboratory: str
    value: float
    reference: float | None


def read_exercise_table(path: Path, reference: float | None = None) -> ExerciseTable:
    """Read a table with laboratory and value, and sample and reference where there are several.

    A wrong line is left out, and so are a line of means and both lines of a laboratory that is there twice for
    one sample; the others count.

    Parameters
    ----------
    path : Path
    reference : float, optional
        Of samples for which the table says none, Gy.

    Raises
    ------
    FileError
        Not a table.
    CountsError
        Another unit than Gy, two references of one sample or one beside `reference`, or no line that can be used.
    """
    table = read_table(path, EXERCISE)
    _check_named(table)
    _check_units(table)
    good: list[_Value] = []
    wrong: dict[int, LeftOut] = {}
    for row in table.rows:
        try:
            good.append(_value(row))
        except InputError as error:
            wrong[row.line] = left_out_line(row, str(error).removeprefix(f"{row.where}: "))
    times = Counter((one.sample, one.laboratory) for one in good)
    for one in good:
        if times[one.sample, one.laboratory] > 1:
            wrong[one.row.line] = left_out_line(one.row, _twice(one))
    kept = [one for one in good if one.row.line not in wrong]
    left = tuple(wrong[line] for line in sorted(wrong))
    if not kept:
        raise CountsError(several([str(each) for each in left], table.head.place))
    samples = _by_sample(kept, reference)
    return ExerciseTable(samples, left, tuple(note for one in samples for note in _odd(one, table.head.place)))


def read_exercise(path: Path, reference: float | None = None) -> list[ExerciseSample]:
    """Samples of a table in which every line is right; parameters as of `read_exercise_table`.

    Raises
    ------
    CountsError
        As `read_exercise_table`, and where a line would be left out.
    """
    table = read_exercise_table(path, reference)
    if table.left_out:
        raise CountsError(several([str(each) for each in table.left_out], str(path)))
    return list(table.samples)


def _value(row: Row) -> _Value:
    if named_sum(row, "laboratory"):
        raise row.wrong(TOTALS)
    value = _gray(row, "value")
    stated = _gray(row, "reference") if row.has("reference") else None
    return _Value(row, row.text("sample"), row.text("laboratory") or f"line {row.line}", value, stated)


def _gray(row: Row, name: str) -> float:
    value = row.number(name, lowest=0.0)
    if value > _HIGHEST:
        raise row.wrong(
            f"expected doses in Gy (or yields per cell) in {name}, at most {_HIGHEST:g}, got {value:g}; is it in mGy or "
            "cGy? Convert it"
        )
    return value


def _twice(one: _Value) -> str:
    of_sample = f" for sample {one.sample!r}" if one.sample else ""
    return (
        f"{one.laboratory!r} is there twice{of_sample}; keep one value, name two scorers apart, or add a column sample"
    )


def _by_sample(kept: Sequence[_Value], reference: float | None) -> tuple[ExerciseSample, ...]:
    groups: dict[str, list[_Value]] = {}
    for one in kept:
        groups.setdefault(one.sample, []).append(one)
    return tuple(
        ExerciseSample(
            name,
            tuple(one.laboratory for one in ones),
            np.array([one.value for one in ones]),
            _reference(ones, reference),
        )
        for name, ones in groups.items()
    )


def _reference(ones: Sequence[_Value], given: float | None) -> float | None:
    """The one reference of a sample."""
    known = given
    for one in ones:
        if one.reference is None:
            continue
        if known is not None and one.reference != known:
            whose = "--reference" if known == given else "another line"
            raise one.row.wrong(
                f"expected one reference per sample, got {one.reference:g} and {known:g} ({whose}); keep one"
            )
        known = one.reference
    return known


def _odd(sample: ExerciseSample, place: str) -> list[str]:
    """Values, or a reference, that look like another unit than the rest."""
    middle = float(np.median(sample.values))
    named = [*zip(sample.laboratories, sample.values.tolist(), strict=True)]
    if sample.reference is not None:
        named.append(("the reference", sample.reference))
    of_sample = f", sample {sample.name!r}" if sample.name else ""
    return [
        f"{place}{of_sample}: {value:g} of {name} lies far from the median {middle:g}; is it in the same unit?"
        for name, value in named
        if min(value, middle) > 0 and not 1 / _APART < value / middle < _APART
    ]


def _check_named(table: Table) -> None:
    """Refuse counts of a calibration: their doses are no values of laboratories, which nothing there names."""
    counts = [heading for heading in table.head.headings if plain(heading) in ("cells", "dicentrics")]
    if len(counts) == 2 and not {"laboratory", "sample"} & set(table.head.columns):
        raise CountsError(
            f"{table.head.place}: expected laboratories and their values, got counts of cells and dicentrics; "
            "add a column laboratory, or give it to 'calibrate'"
        )


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
        for name, value, z, word in zip(one.sample.laboratories, one.sample.values, one.z, one.verdicts, strict=True):
            score = f"{z:>8.2f}  {word}" if word else f"{'-':>8}"
            lines.append(f"{name:<20}{value:>9.{digits}f}{score}")
    return "\n".join(lines)


def _heading(one: Compared) -> str:
    """How many laboratories, and what their values were compared with."""
    parts = [counted(len(one.sample.values), "laboratories")]
    if one.sample.reference is not None:
        parts.append(f"reference {one.sample.reference:.3f}")
    if one.robust is not None:
        parts.append(
            f"robust mean {one.robust.location:.3f}" + (" (not used)" if one.sample.reference is not None else "")
        )
        parts.append(f"robust standard deviation {one.robust.scale:.3f}")
    return ", ".join(parts)


def exercise_rows(found: Sequence[Compared]) -> list[list[object]]:
    """Headings, then one line per sample and laboratory, for programs and spreadsheets."""
    heading: list[object] = [
        "sample",
        "laboratory",
        "value",
        "z",
        "verdict",
        "compared_with",
        "is_reference",
        "robust_mean",
        "robust_sd",
        "note",
    ]
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
