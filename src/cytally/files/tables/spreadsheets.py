"""Rows for spreadsheets: CSV or XLSX, as the ending of a file's name asks for."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

from cytally.errors import SettingsError
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes

#: What no XLSX cell may hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DIGITS = "0.0000"


def write_sheet(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Write a table, whole or not at all.

    Parameters
    ----------
    path : Path
        Ends in .csv or .xlsx.
    rows : sequence of sequences
        The first one holds the headings. Floats get six digits in CSV and stay whole in XLSX; NaN, infinity and None are
        empty cells. Text that begins as a formula does gets an apostrophe in CSV, and is text in XLSX.

    Raises
    ------
    SettingsError
        Another ending.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise SettingsError(f"expected a table that ends in .csv or .xlsx, got {path.name}")
    write_bytes(path, _xlsx(rows) if kind == ".xlsx" else csv_bytes([[_text(cell) for cell in row] for row in rows]))


def _text(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def _xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    import openpyxl  # only where a workbook is asked for

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            if value is None or (isinstance(value, float) and not math.isfinite(value)):
                continue
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                cell.value, cell.data_type = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value), "s"
            else:
                cell.value = value  # type: ignore[assignment]  # int, float or bool
                cell.number_format = _DIGITS if isinstance(value, float) else "General"
    sheet.freeze_panes = "A2"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
