"""Tables that laboratories keep -> counts: CSV with commas, semicolons or tabs, or a sheet of XLSX.

What could be read in two ways is refused, with what was expected. A wrong line costs a
curve the whole table, with all wrong lines named; `samples` goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.curves.calibrate import DosePoint
from cytally.dosimetry.laboratory.columns import COUNTS, GRAY, SAMPLE, SUMMARY, SUMS, sums_up
from cytally.dosimetry.possible import check_in_a_cell, check_possible
from cytally.errors import CountsError, InputError
from cytally.files.tables.headings import plain
from cytally.files.tables.table import Head, Row, Table, read_table
from cytally.types import IntArray

#: No blood sample of a living person needs a curve beyond this; larger numbers are mGy or cGy.
_HIGHEST_GY = 30.0
#: Beyond this a dose is held against the yield that acute gamma rays of a quarter of it give.
_DOUBTED_GY = 8.0
_SHOWN = 20
#: Replicates with fewer dicentrics than these may well be alike.
_REPEATED = 10
#: Gy in one unit of --dose-unit.
UNITS = {"gy": 1.0, "cgy": 0.01, "mgy": 0.001}


@dataclass(frozen=True)
class Counted:
    """Counts of one line.

    Attributes
    ----------
    cells, dicentrics : int
    distribution : ndarray of int or None
        Cells with 0, 1, ..., k dicentrics; None where a line has totals only.
    """

    cells: int
    dicentrics: int
    distribution: IntArray | None = None


def read_counts(path: Path, unit: str | None = None) -> list[DosePoint]:
    """Read counts for a curve.

    Parameters
    ----------
    path : Path
        CSV or XLSX with `dose_gy` and either `cells,dicentrics` (or `N,X`) or the
        distribution `C0,C1,...`; optionally `weight`, such as 1 / dispersion index; Biodose
        Tools' `D,N,X,C0..` is read too. Several lines of one dose are replicates and give
        the same curve as their sum.
    unit : {"gy", "cgy", "mgy"}, optional
        Of the doses; without it Gy is taken, and asked about where that does not look right.

    Raises
    ------
    FileError
        Not a table.
    CountsError
        Missing columns, or lines that make no sense: all of them, the first 20 named.
    """
    table = read_table(path, COUNTS)
    return _curve_points(table.rows, table, unit)


def read_counts_by(path: Path, column: str, unit: str | None = None) -> dict[str, list[DosePoint]]:
    """Read counts for several curves: one for each name in a column, such as donor or radiation.

    Raises
    ------
    CountsError
        As `read_counts`; no such column, or a line without a name in it.
    """
    table = read_table(path, COUNTS)
    found = [k for k, heading in enumerate(table.head.headings) if plain(heading) == plain(column)]
    if len(found) != 1:
        raise CountsError(
            f"{path}: expected a column {column}, found the headings {', '.join(map(repr, table.head.headings))}"
        )
    groups: dict[str, list[Row]] = {}
    for row in table.rows:
        name = row.cells[found[0]].strip()
        if not name:
            raise CountsError(f"{row.where}: expected a name in the column {column}, found none")
        groups.setdefault(name, []).append(row)
    return {name: _curve_points(rows, table, unit) for name, rows in groups.items()}


def _check_known(table: Table) -> None:
    """Refuse doses that were estimated: a curve fitted to what a curve gave would agree with itself.

    Raises
    ------
    CountsError
    """
    estimated = [heading for heading in table.head.headings if plain(heading) in map(plain, ("lower_gy", "upper_gy"))]
    if len(estimated) == 2:
        raise CountsError(
            f"{table.head.place}: expected doses of known exposures, got estimated ones with limits "
            f"({' and '.join(estimated)}), as 'triage' writes them; give the counts of the calibration"
        )


def _curve_points(rows: Sequence[Row], table: Table, unit: str | None) -> list[DosePoint]:
    classes_of(table.head)
    _check_known(table)
    scale = _scale(table, unit)
    good, wrong = [], []
    for row in rows:
        try:
            good.append((row, _point(row, scale)))
        except InputError as error:
            wrong.append(str(error))
    wrong += [row.wrong(TOTALS).args[0] for row in sums_among([(r, p.cells, p.dicentrics) for r, p in good])]
    if wrong:
        raise CountsError(several(wrong, table.head.place))
    points = [point for _, point in good]
    _check_repeated(good)
    check_doses(points, table.head.place, unit)
    return points


def _check_repeated(lines: Sequence[tuple[Row, DosePoint]]) -> None:
    """Ask about lines that stand again, as after pasting twice: the errors of a curve would be too small.

    Three lines and more of several doses, alike in every column; fewer are alike by chance.

    Raises
    ------
    CountsError
        There are such lines.
    """
    keys = [tuple(cell.strip() for cell in row.cells) for row, _ in lines]
    last: dict[tuple[str, ...], int] = {}
    for start, key in enumerate(keys):
        first = last.get(key)
        last[key] = start
        if first is None:
            continue
        alike = 0
        while start + alike < len(keys) and first + alike < start and keys[first + alike] == keys[start + alike]:
            alike += 1
        points = [point for _, point in lines[start : start + alike]]
        if alike > 2 and len({p.dose_gy for p in points}) > 1 and sum(p.dicentrics for p in points) > _REPEATED:
            raise CountsError(
                f"{lines[start][0].where}: {alike} lines from here are the same as those from line "
                f"{lines[first][0].line}, in every column; delete them, or tell them apart in a column such as donor"
            )


def several(wrong: Sequence[str], place: str) -> str:
    """Messages about lines of one table as one message."""
    if len(wrong) == 1:
        return wrong[0]
    shown = "".join(f"\n  {words.removeprefix(f'{place}, ')}" for words in wrong[:_SHOWN])
    more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return f"{place}: {len(wrong)} lines cannot be used:{shown}{more}"


def _scale(table: Table, unit: str | None) -> float:
    """Gy in what the doses of a table are in.

    Raises
    ------
    CountsError
        A heading in another unit than Gy, unless the same was asked for.
    """
    stated = table.unit("dose_gy")
    if unit is not None and unit not in UNITS:
        raise CountsError(f"expected a unit of dose among {', '.join(UNITS)}, got {unit!r}")
    heading = table.head.headings[table.head.columns["dose_gy"]]
    if stated in GRAY or stated == unit:  # what was asked for is believed before a heading of Gy
        return UNITS[unit or "gy"]
    if stated in UNITS and unit is None:
        raise CountsError(
            f"{table.head.place}: doses are read in Gy, but a heading is {heading!r}; give --dose-unit {stated}, "
            "or convert the column"
        )
    raise CountsError(
        f"{table.head.place}: expected doses in {unit or 'Gy'}, but a heading is {heading!r}; convert the column"
    )


def _point(row: Row, scale: float) -> DosePoint:
    if named_sum(row, "dose_gy"):
        raise row.wrong(TOTALS)
    gray = round(row.number("dose_gy", grouped=scale != 1.0, lowest=0.0) * scale, 12)
    weight = row.number("weight") if row.has("weight") else 1.0
    if not weight > 0:
        raise row.wrong(f"expected a weight above 0, such as 1 / dispersion index, got {weight:g}")
    found = counts_of(row)
    distribution = () if found.distribution is None else tuple(found.distribution.tolist())
    return DosePoint(gray, found.cells, found.dicentrics, weight, distribution)


def check_doses(points: Sequence[DosePoint], place: str, unit: str | None, *, typed: bool = True) -> None:
    """Ask about doses that do not look like Gy, and about counts that look swapped.

    Yields are held against those of acute 60Co gamma rays (IAEA EPR-Biodosimetry 2011, table 5).

    Parameters
    ----------
    points : sequence of DosePoint
    place : str
        Where they stand, for the message.
    unit : {"gy", "cgy", "mgy"}, optional
        As it was asked for.
    typed : bool
        By people, who may swap columns.

    Raises
    ------
    CountsError
        Either; a unit that was given is believed.
    """
    counted = sorted((p for p in points if p.cells), key=lambda p: p.dose_gy)
    if not counted:
        return
    lowest, highest = counted[0], counted[-1]
    if typed and lowest.dose_gy <= 0.5 and lowest.dicentrics > lowest.cells:
        raise CountsError(
            f"{place}: {lowest.dicentrics} dicentrics in {lowest.cells} cells at {lowest.dose_gy:g} Gy; are the "
            "columns of cells and dicentrics swapped?"
        )
    seen, quarter = highest.dicentrics / highest.cells, highest.dose_gy / 4
    faint = seen < 0.021 * quarter + 0.063 * quarter**2
    if unit is None and (highest.dose_gy > _HIGHEST_GY or (highest.dose_gy > _DOUBTED_GY and faint)):
        raise CountsError(
            f"{place}: expected doses in Gy; the highest, {highest.dose_gy:g} with {seen:.3g} dicentrics per cell, "
            "looks like mGy or cGy; give --dose-unit mgy, cgy or gy, or convert the column"
        )


def classes_of(head: Head) -> int:
    """Number of columns C0, C1, ...; 0 where there are none.

    Raises
    ------
    CountsError
        One of them missing: the cells in it would be taken for none.
    """
    there = {int(name[1:]) for name in head.columns if name[0] == "C" and name[1:].isdigit()}
    gaps = sorted(set(range(max(there, default=-1) + 1)) - there)
    if gaps:
        raise CountsError(
            f"{head.place}: expected columns C0, C1, ... up to C{max(there)} without a gap; missing "
            f"{', '.join(f'C{k}' for k in gaps[:5])}; found {', '.join(map(repr, head.headings))}"
        )
    return len(there)


def counts_of(row: Row) -> Counted:
    """Counts of a line.

    An empty cell of C1, C2, ... is 0; C0 may be empty only where the cells are given.

    Raises
    ------
    CountsError
        No whole number >= 0, dicentrics in no cell or more than fit into the cells, or a
        distribution that contradicts its sums.
    """
    classes = [f"C{k}" for k in range(classes_of(row.head))]
    totals = {name: row.whole(name) for name in ("cells", "dicentrics") if row.has(name) or not classes}
    distribution = None
    if any(row.has(name) for name in classes) or len(totals) < 2:
        if not row.has("C0") and "cells" not in totals:
            row.whole("C0")  # says that it is empty
        counts = np.array([row.whole(name) if row.has(name) else 0 for name in classes])
        _checked(row, lambda: check_in_a_cell(counts))
        summed = {"cells": int(counts.sum()), "dicentrics": int(counts @ np.arange(len(counts)))}
        for name, value in totals.items():
            if value != summed[name]:
                raise row.wrong(f"the distribution adds up to {summed[name]}, but {name} says {value}")
        totals, distribution = summed, counts
    cells, dicentrics = totals["cells"], totals["dicentrics"]
    if cells or dicentrics:  # no cell counts for nothing in a curve
        _checked(row, lambda: check_possible(dicentrics, cells))
    return Counted(cells, dicentrics, distribution)


def _checked(row: Row, check: Callable[[], None]) -> None:
    """Run a check of counts; its error names the line."""
    try:
        check()
    except CountsError as error:
        raise row.wrong(str(error)) from None


TOTALS = "is a line of totals or means; delete it, or rename it if it is none"


def named_sum(row: Row, name: str) -> bool:
    """Whether a line calls itself a sum or a mean: in its first cell, in the column `name`, or plainly elsewhere."""
    known = {place for column, place in row.head.columns.items() if column != name}
    elsewhere = {plain(cell) for place, cell in enumerate(row.cells) if place not in known}
    named = [
        cell for heading, cell in zip(row.head.headings, row.cells, strict=True) if heading and SAMPLE.fits(heading)
    ]
    return (
        any(map(sums_up, (row.text(name), *named))) or plain(row.cells[0]) in SUMMARY or not SUMS.isdisjoint(elsewhere)
    )


def sums_among(counts: Iterable[tuple[Row, int, int]], wrong: Iterable[Row] = ()) -> list[Row]:
    """Lines whose cells and dicentrics are both the sum of all others, or of those before them (two at least).

    Parameters
    ----------
    counts : iterable of (Row, int, int)
        Cells and dicentrics of each line that can be used.
    wrong : iterable of Row
        Lines that cannot; where such a line still says its cells (and two others stand before the sum), they count
        towards it, and its dicentrics may be any.
    """
    rows = list(counts)
    cells, found = sum(n for _, n, _ in rows), sum(x for _, _, x in rows)
    if len(rows) < 3 or not found:
        return []
    sums = {row.line for row, n, x in rows if 2 * n == cells and 2 * x == found}
    known = [*rows, *((row, n, None) for row in wrong if (n := _cells_of(row)) is not None)]
    return [row for row, n, x in rows if row.line in sums or (x and _sums_before(row, n, x, known))]


def _cells_of(row: Row) -> int | None:
    try:
        return None if row.fault else row.whole("cells")
    except InputError:
        return None


def _sums_before(row: Row, n: int, x: int, known: Sequence[tuple[Row, int, int | None]]) -> bool:
    before = [(cells, found) for other, cells, found in known if other.line < row.line]
    read = [found for _, found in before if found is not None]
    if len(before) < 2 or sum(cells for cells, _ in before) != n:
        return False
    return sum(read) == x if len(read) == len(before) else len(read) > 1 and sum(read) <= x
