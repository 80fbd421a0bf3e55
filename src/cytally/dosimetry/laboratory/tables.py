"""Tables that laboratories keep -> counts: CSV with commas, semicolons or tabs, or a sheet of XLSX.

A comma inside a number is a decimal comma wherever something else parts the columns. What
could be read in two ways is refused, with what was expected.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

from cytally.dosimetry.calibrate import DosePoint
from cytally.errors import CountsError

_CELLS = ("cells", "n")
_DICENTRICS = ("dicentrics", "micronuclei", "aberrations", "x")
_DOSE = ("dose_gy", "dose", "d")
#: No blood sample of a living person needs a curve beyond this; larger numbers are mGy.
_HIGHEST_GY = 30.0
_COMMA = re.compile(r"[+-]?\d*,\d+")
Row = tuple[str, dict[str, str]]


def read_counts(path: Path) -> list[DosePoint]:
    """Read counts for a curve.

    Parameters
    ----------
    path : Path
        CSV or XLSX with `dose_gy` and either `cells,dicentrics` (or `N,X`) or the
        distribution `C0,C1,...`; optionally `weight`, such as 1 / dispersion index; Biodose Tools' `D,N,X,C0..` is read too. Several lines of
        one dose are replicates and give the same curve as their sum.

    Raises
    ------
    CountsError
        Missing column, no number, doses in mGy by the look of them, or a distribution that
        contradicts its sum.
    """
    return [_point(row, where) for where, row in rows_of(path)]


def read_counts_by(path: Path, column: str) -> dict[str, list[DosePoint]]:
    """Read counts for several curves: one for each name in a column, such as donor or radiation.

    Raises
    ------
    CountsError
        As `read_counts`; or a line without a name in that column.
    """
    groups: dict[str, list[DosePoint]] = {}
    for where, row in rows_of(path):
        name = row.get(column.lower(), "").strip()
        if not name:
            raise CountsError(f"{where}: expected a name in the column {column}; found {', '.join(row)}")
        groups.setdefault(name, []).append(_point(row, where))
    return groups


def _point(row: dict[str, str], where: str) -> DosePoint:
    gray = _number(row, _DOSE, where)
    if gray > _HIGHEST_GY:
        raise CountsError(
            f"{where}: expected a dose in Gy, got {gray:g}, which looks like mGy; divide the column by 1000"
        )
    weight = _number(row, ("weight",), where) if row.get("weight") else 1.0
    if not weight > 0:
        raise CountsError(f"{where}: expected a weight above 0, such as 1 / dispersion index, got {weight:g}")
    return DosePoint(gray, *totals_of(row, where), weight, tuple(distribution_of(row, where) or ()))


def rows_of(path: Path) -> list[Row]:
    """Lines of a table as (where, row), headings in lower case, empty lines left out.

    Raises
    ------
    CountsError
        No file, not a table, or nothing in it.
    """
    if not path.is_file():
        raise CountsError(f"{path}: expected a table of counts (CSV or XLSX), found none")
    lines = _sheet(path) if path.suffix.lower() in (".xlsx", ".xlsm") else _text(path)
    lines = [(number, [cell.strip() for cell in cells]) for number, cells in lines]
    filled = [(number, cells) for number, cells in lines if any(cells)]
    if len(filled) < 2:
        raise CountsError(f"{path}: expected a heading and at least one line of counts, got an empty table")
    names = [name.lower() for name in filled[0][1]]
    if len(set(filter(None, names))) < len([name for name in names if name]):
        raise CountsError(f"{path}: expected every heading once, got {', '.join(names)}")
    rows = []
    for number, cells in filled[1:]:
        where = f"{path}, line {number}"
        if len(cells) > len(names) and any(cells[len(names) :]):
            raise CountsError(
                f"{where}: expected {len(names)} columns, got {len(cells)}; are there decimal commas between "
                "commas? Part the columns with semicolons or tabs"
            )
        padded = cells + [""] * (len(names) - len(cells))
        rows.append((where, {name: cell for name, cell in zip(names, padded, strict=False) if name}))
    return rows


def _text(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    if "\0" in text:
        raise CountsError(f"{path}: expected a table as text or XLSX, got something else")
    heading = text.split("\n", 1)[0]
    parts = max(";\t,", key=heading.count)
    rows = list(enumerate(csv.reader(text.splitlines(), delimiter=parts), start=1))
    if parts == ",":
        return rows
    return [(number, [_pointed(cell) for cell in cells]) for number, cells in rows]


def _pointed(cell: str) -> str:
    """The comma of a number becomes a point; everything else stays."""
    return cell.replace(",", ".") if _COMMA.fullmatch(cell) else cell


def _sheet(path: Path) -> list[tuple[int, list[str]]]:
    """First sheet of a workbook; formulas count by their stored values."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, OSError) as error:
        raise CountsError(f"{path}: expected an XLSX workbook, got something else ({error})") from error
    rows = book.worksheets[0].iter_rows(values_only=True)
    return [
        (number, [_pointed(_plain(cell)) for cell in cells]) for number, cells in enumerate(rows, start=1)
    ]


def _plain(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.12g}" if isinstance(cell, float) else str(cell)


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
        Missing column, no whole number >= 0, dicentrics in no cell, or a distribution that
        contradicts its sum.
    """
    counts = distribution_of(row, where)
    if counts is None:
        cells, dicentrics = (
            _whole(_number(row, names, where), names[0], where) for names in (_CELLS, _DICENTRICS)
        )
    else:
        cells, dicentrics = sum(counts), sum(k * n for k, n in enumerate(counts))
        for names, value in ((_CELLS, cells), (_DICENTRICS, dicentrics)):
            given = next((row[n] for n in names if row.get(n)), None)
            if given is not None and _number(row, names, where) != value:
                raise CountsError(
                    f"{where}: the distribution adds up to {value:g}, but {names[0]} says {given}"
                )
    if cells == 0 and dicentrics:
        raise CountsError(
            f"{where}: expected cells in which the dicentrics were found, got {dicentrics} in 0"
        )
    return cells, dicentrics


def whole_of(row: dict[str, str], name: str, where: str) -> int:
    """A whole number >= 0 in one column."""
    return _whole(_number(row, (name,), where), name, where)


def _whole(value: float, name: str, where: str) -> int:
    if value != value or value != int(value) or value < 0:
        raise CountsError(f"{where}: expected whole counts >= 0, got {value:g} in {name}")
    return int(value)


def _number(row: dict[str, str], names: Sequence[str], where: str) -> float:
    for name in names:
        if name in row:
            try:
                value = float(row[name])
            except (TypeError, ValueError):
                value = float("inf")
            if not abs(value) < float("inf"):
                raise CountsError(f"{where}: expected a number in {name}, got {row[name]!r}")
            return value
    raise CountsError(f"{where}: expected a column {' or '.join(names)}; found {', '.join(row)}")
