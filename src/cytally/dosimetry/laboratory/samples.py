"""One table, many people: counts in, a dose each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.estimation.dose import PLAIN, Dose, DoseSettings, Totals, dose_of_counts
from cytally.dosimetry.laboratory.columns import SAMPLES, check_kind
from cytally.dosimetry.laboratory.tables import TOTALS, classes_of, counts_of, named_sum, several, sums_among
from cytally.errors import CountsError, InputError
from cytally.files.tables.table import Row, Table, read_table
from cytally.statistics.poisson import Dispersion, dispersion
from cytally.types import IntArray

#: Dicentrics per cell, far beyond what people survive; a cell count beside more of them is asked about.
_DOUBTED = 4


@dataclass(frozen=True)
class Sample:
    """Counts of one person.

    Attributes
    ----------
    name : str
    cells, dicentrics : int
    distribution : ndarray of int or None
    """

    name: str
    cells: int
    dicentrics: int
    distribution: IntArray | None = None

    @staticmethod
    def of(counts: IntArray | Totals, name: str = "") -> Sample:
        """A sample of counts that are no line of a table."""
        if isinstance(counts, Totals):
            return Sample(name, counts.cells, counts.aberrations)
        return Sample(name, int(counts.sum()), int(counts @ np.arange(len(counts))), counts)

    @property
    def spread(self) -> Dispersion:
        """Dispersion of the counts over the cells; NaN where only totals are known."""
        counts = self.counts
        return counts.spread if isinstance(counts, Totals) else dispersion(counts)

    @property
    def counts(self) -> IntArray | Totals:
        """The distribution over cells where that is known, else the totals."""
        return Totals(self.dicentrics, self.cells) if self.distribution is None else self.distribution


@dataclass(frozen=True)
class LeftOut:
    """A line of a table that gave no sample.

    Attributes
    ----------
    where : str
        File and line.
    name : str
        Of the sample, where it can be told.
    reason : str
    """

    where: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True)
class SampleTable:
    """What a table of samples gave.

    Attributes
    ----------
    samples : tuple of Sample
        At least one.
    left_out : tuple of LeftOut
        Lines that could not be used.
    notes : tuple of str
        What looks odd in the rest.
    """

    samples: tuple[Sample, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def read_sample_table(path: Path, aberration: str | None = None) -> SampleTable:
    """Read samples: CSV or XLSX with `sample` and `cells,dicentrics` or `C0,C1,...`.

    A wrong line is left out, and so are a line of totals and both lines of one name; the
    others count.

    Parameters
    ----------
    path : Path
    aberration : str, optional
        What the curve counts that the samples are for.

    Raises
    ------
    FileError
        Not a table.
    CountsError
        Missing columns, counts of another aberration, or no line that can be used.
    """
    table = read_table(path, SAMPLES)
    if aberration is not None:
        check_kind(table, aberration, "the curve")
    classes_of(table.head)
    good: list[tuple[Row, Sample]] = []
    wrong: dict[int, LeftOut] = {}
    for row in table.rows:
        try:
            good.append((row, _sample(row)))
        except InputError as error:
            wrong[row.line] = left_out_line(row, str(error).removeprefix(f"{row.where}: "))
    unread = [row for row in table.rows if row.line in wrong and not row.fault and not named_sum(row, "sample")]
    for row in sums_among([(row, one.cells, one.dicentrics) for row, one in good], unread):
        wrong[row.line] = left_out_line(
            row, "its counts are the sum of other lines; in a table of its own, if it is a sample"
        )
    names = Counter(one.name for row, one in good if row.line not in wrong)
    for row, one in good:
        if names[one.name] > 1 and row.line not in wrong:
            wrong[row.line] = left_out_line(row, f"sample {one.name!r} is there twice; add its counts up or rename one")
    kept = tuple(one for row, one in good if row.line not in wrong)
    left = tuple(wrong[line] for line in sorted(wrong))
    if not kept:
        raise CountsError(several([str(each) for each in left], table.head.place))
    return SampleTable(kept, left, _notes(kept, table))


def read_samples(path: Path) -> list[Sample]:
    """Samples of a table in which every line is right.

    Raises
    ------
    CountsError
        As `read_sample_table`, and where a line would be left out.
    """
    table = read_sample_table(path)
    if table.left_out:
        raise CountsError(several([str(each) for each in table.left_out], str(path)))
    return list(table.samples)


def _sample(row: Row) -> Sample:
    name = row.text("sample")
    if named_sum(row, "sample"):
        raise row.wrong(TOTALS)
    if not name:
        raise row.wrong("expected a name in the column sample, found none")
    if not name.isprintable():
        raise row.wrong(f"expected a name in one line of printable characters, found {name[:60]!r}")
    found = counts_of(row)
    if found.cells == 0:
        raise row.wrong("expected at least one cell, got none")
    return Sample(name, found.cells, found.dicentrics, found.distribution)


def left_out_line(row: Row, reason: str) -> LeftOut:
    """A line that is left out, under the name of its sample where that can be told."""
    return LeftOut(row.where, "" if row.fault else row.text("sample"), reason)


def _notes(kept: Sequence[Sample], table: Table) -> tuple[str, ...]:
    notes = []
    if 2 * sum(one.dicentrics > one.cells for one in kept) > len(kept):
        notes.append(f"{table.head.place}: more dicentrics than cells in most lines; are the columns swapped?")
    else:
        notes += [
            f"{table.head.place}: {one.dicentrics} dicentrics in {one.cells} cells of sample {one.name!r}; are the two "
            "swapped?"
            for one in kept
            if one.distribution is None and one.dicentrics > _DOUBTED * one.cells
        ]
    if table.guessed:
        notes.append(f"{table.head.place}: is not UTF-8 and was read as Windows-1252; check the letters of the names")
    return tuple(notes)


def doses_of(samples: Sequence[Sample], curve: Curve, settings: DoseSettings = PLAIN) -> list[tuple[Sample, Dose]]:
    """A dose for each sample, by its distribution over cells where that is known.

    Raises
    ------
    CountsError
        As of `dose_of_counts`; the message names the sample.
    """
    found = []
    for sample in samples:
        try:
            found.append((sample, dose_of_counts(sample.counts, curve, settings)))
        except CountsError as error:
            raise CountsError(f"sample {sample.name!r}: {error}") from error
    return found


def doses_table(found: Sequence[tuple[Sample, Dose]]) -> str:
    """One line per sample and what must be said of it, for people."""
    lines = [f"{'sample':<16}{'cells':>7}{'dic.':>6}{'u':>8}{'dose (Gy)':>11}{'95 %':>22}"]
    for sample, one in found:
        lines.append(
            f"{sample.name:<16}{sample.cells:>7}{sample.dicentrics:>6}{_u(one):>8}{one.estimate:>11.2f}{one.limits:>22}"
        )
        lines += [f"{'':<16}  {words}" for words in (*one.beside, *one.warnings)]
    return "\n".join(lines)


def doses_rows(found: Sequence[tuple[Sample, Dose]]) -> list[list[object]]:
    """Headings, then one line per sample, for programs and spreadsheets; None where there is no such number."""
    heading: list[object] = [
        "sample",
        "cells",
        "dicentrics",
        "u",
        "dose_gy",
        "lower_gy",
        "upper_gy",
        "method",
        *PARTIAL,
        "notes",
    ]
    rows: list[list[object]] = [
        [
            sample.name,
            sample.cells,
            sample.dicentrics,
            u_of(one),
            one.estimate,
            one.lower,
            one.upper,
            one.method,
            *partial_cells(one),
            "; ".join(one.warnings),
        ]
        for sample, one in found
    ]
    return [heading, *rows]


#: Headings of the cells of `partial_cells`.
PARTIAL = ("partial_dose_gy", "partial_lower_gy", "partial_upper_gy", "partial_body")


def partial_cells(one: Dose) -> list[float | None]:
    """Partial-body dose with limits in Gy and part of the body; None where there is none.

    By profile likelihood where that was asked for, else by Dolphin's method.
    """
    used = one.contaminated or one.partial
    if used is None:
        return [None] * len(PARTIAL)
    return [used.dose.value, used.dose.lower, used.dose.upper, used.body.value]


def u_of(one: Dose) -> float | None:
    """The statistic u of the distribution over cells, where it is known."""
    return None if one.dispersion is None else one.dispersion.u


def _u(one: Dose) -> str:
    u = u_of(one)
    return "" if u is None or not np.isfinite(u) else f"{u:.2f}"
