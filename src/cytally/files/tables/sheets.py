"""XLSX -> lines of cells as text. A workbook is a zip of XML: both are checked before they are believed."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cytally.errors import FileError
from cytally.files.text import COLUMNS, ROWS, Lines

ZIP, OLD = b"PK", b"\xd0\xcf\x11\xe0"
#: Unpacked bytes of a workbook, and cells of its largest sheet.
_UNPACKED, _CELLS = 64 * 2**20, 2_000_000
_CELL = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_SHEETS = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


@dataclass
class _Extent:
    """How far the sheets of a workbook reach, and whether a formula lacks its value."""

    rows: int = 0
    columns: int = 0
    unsolved: bool = False


def sheets_of(path: Path, content: bytes) -> list[tuple[str, Lines]]:
    """Visible sheets of a workbook as (title, lines); a line is (number, cells).

    Rows beyond a stale dimension are read, formulas count by the value that was stored.

    Raises
    ------
    FileError
        No workbook, damaged, larger than a table can be, all sheets hidden, or (while the lines are read) a
        formula whose value was not stored.
    """
    import openpyxl

    _check_archive(path, content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that a table does not need
            extent = _extent(content, path)
            books = [openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)]
            if extent.unsolved:
                books.append(openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False))
            groups = list(zip(*(book.worksheets for book in books), strict=True))
    except FileError:
        raise
    except Exception as error:  # whatever a parser trips over in a damaged workbook
        if b"xl/chartsheets/" in content:
            raise FileError(
                f"{path}: a sheet of charts in it is empty or damaged; delete that sheet, and save the workbook again"
            ) from error
        raise _damaged(path, error) from error
    shown = [group for group in groups if group[0].sheet_state == "visible"]
    if not shown:
        raise FileError(f"{path}: expected a sheet that is not hidden, got none")
    return [(group[0].title, _lines(path, group, extent)) for group in shown]


def _damaged(path: Path, error: Exception) -> FileError:
    words = str(error) or type(error).__name__
    return FileError(f"{path}: expected an XLSX workbook, got a damaged one ({words}); save it again")


def _check_archive(path: Path, content: bytes) -> None:
    """Every part unpacks, to a size that a table can have, and none defines entities."""
    if content.startswith(OLD):
        raise FileError(f"{path}: expected an XLSX workbook, got an old or encrypted one; save it as .xlsx")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > _UNPACKED or len(parts) > 2_000:
                raise FileError(
                    f"{path}: expected a workbook of at most {_UNPACKED // 2**20} MB unpacked, got more; "
                    "save the table alone"
                )
            names = {part.filename for part in parts}
            for part in parts:
                if b"<!DOCTYPE" in archive.read(part) and part.filename.lower().endswith((".xml", ".rels")):
                    raise FileError(f"{path}: expected a workbook without document types, got one; save it again")
    except FileError:
        raise
    except Exception as error:  # zip members may be damaged in any way
        if not content.startswith(ZIP):
            raise FileError(f"{path}: expected an XLSX workbook, got something else") from error
        raise _damaged(path, error) from error
    if "xl/workbook.xml" not in names and not any(_SHEETS.fullmatch(name) for name in names):
        raise FileError(f"{path}: expected an XLSX workbook, got something else; save it as .xlsx or CSV")


def _extent(content: bytes, path: Path) -> _Extent:
    """Look through the sheets: rows and columns in order, and as many as a table can have."""
    extent = _Extent()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in filter(_SHEETS.fullmatch, archive.namelist()):
            row = 0
            for _, element in ElementTree.iterparse(archive.open(name)):
                if element.tag.rpartition("}")[2] == "row":
                    row = _measure(element, row, extent, path)
                    element.clear()
    if extent.rows * extent.columns > _CELLS:
        raise FileError(f"{path}: expected at most {_CELLS} cells, got {extent.rows} x {extent.columns}")
    return extent


def _measure(element: ElementTree.Element, before: int, extent: _Extent, path: Path) -> int:
    """Take one row into the extent; its number."""
    row = int(element.get("r", before + 1))
    if row <= before:
        raise FileError(f"{path}: row {row} follows row {before}: a damaged workbook; save it again")
    last = 0
    for cell in element:
        if cell.tag.rpartition("}")[2] != "c":
            continue
        column = _column(cell.get("r"), row, last, path)
        if column <= last:
            raise FileError(f"{path}: row {row} holds a cell twice: a damaged workbook; save it again")
        last = column
        inside = {child.tag.rpartition("}")[2] for child in cell if len(child) or child.text or child.tag[-1] != "v"}
        if not inside:
            continue
        extent.unsolved |= "f" in inside and "v" not in inside
        extent.rows, extent.columns = max(extent.rows, row), max(extent.columns, column)
        if extent.rows > ROWS or extent.columns > COLUMNS:
            raise FileError(
                f"{path}: expected at most {ROWS} rows and {COLUMNS} columns, got something in "
                f"row {row}, column {column}; delete what is far from the table"
            )
    return row


def _column(reference: str | None, row: int, last: int, path: Path) -> int:
    if reference is None:
        return last + 1
    found = _CELL.fullmatch(reference)
    if found is None or int(found[2]) != row:
        raise FileError(f"{path}: row {row} holds a cell {reference!r}: a damaged workbook; save it again")
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _lines(path: Path, sheets: tuple[Any, ...], extent: _Extent) -> Lines:
    """Lines of a sheet, held against its formulas where one lacks its value."""
    if not extent.rows:
        return
    area = {"min_row": 1, "max_row": extent.rows, "min_col": 1, "max_col": extent.columns}
    rows = zip(*(sheet.iter_rows(values_only=True, **area) for sheet in sheets), strict=True)
    number = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for number, group in enumerate(rows, start=1):
                for value, formula in zip(group[0], group[-1], strict=True):
                    if value is None and formula is not None:
                        raise FileError(
                            f"{path}, line {number}: the formula {str(formula)[:60]!r} has no stored value; open "
                            "the workbook in a spreadsheet and save it"
                        )
                yield number, [_plain(value) for value in group[0]]
    except FileError:
        raise
    except Exception as error:  # as above
        raise _damaged(path, error) from error


def _plain(value: object) -> str:
    """A cell as text; numbers without exponent, dates as dates."""
    if value is None:
        return ""
    if isinstance(value, float):
        return format(Decimal(f"{value:.12g}"), "f") if abs(value) < 1e15 else str(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)
