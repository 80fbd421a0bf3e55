"""Tables of our own: rows -> a CSV file, and back as they were written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from cytally.errors import FileError
from cytally.files.names import shown

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = "=+-@\t\r\n＝＋－＠"
_GUARDED = re.compile(f"'+[{re.escape(_FORMULA)}]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def csv_bytes(rows: Sequence[Sequence[object]]) -> bytes:
    r"""Rows as a CSV file in UTF-8 that no spreadsheet takes for formulas.

    Text that begins with = + - @ or a control character gets an apostrophe in front of it, which
    `read_rows` takes off again; numbers stay. Bytes of names that are not UTF-8 become `\xNN`.

    Examples
    --------
    >>> csv_bytes([["image", "shift"], ["=1+1.png", "-0.5"]])
    b"image,shift\n'=1+1.png,-0.5\n"
    """
    buffer = io.StringIO()
    plain = csv.writer(buffer, lineterminator="\n")
    quoted = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        cells = [_guarded(shown("" if cell is None else str(cell))) for cell in row]
        # csv ends a line at a carriage return, but does not quote one
        (quoted if any("\r" in cell for cell in cells) else plain).writerow(cells)
    return buffer.getvalue().encode()


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a table that `csv_bytes` made.

    Raises
    ------
    FileError
        Missing, not UTF-8, not CSV, a heading twice, or a row of another length.
    """
    where = shown(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except OSError as error:
        raise FileError(f"{where}: cannot be read ({error.strerror or error})") from error
    except (ValueError, csv.Error) as error:
        raise FileError(f"{where}: expected a table of our own, got something else ({error})") from error
    if not lines or len(set(lines[0])) < len(lines[0]):
        raise FileError(f"{where}: expected a line of different headings, got {lines[0] if lines else 'an empty file'}")
    wrong = next((k for k, cells in enumerate(lines, start=1) if len(cells) != len(lines[0])), None)
    if wrong is not None:
        raise FileError(
            f"{where}: expected {len(lines[0])} cells in every row, got {len(lines[wrong - 1])} in row {wrong}"
        )
    return lines[0], [[bare(cell) for cell in cells] for cells in lines[1:]]


def _guarded(cell: str) -> str:
    danger = cell[:1] and (cell[0] in _FORMULA or _GUARDED.match(cell))
    return f"'{cell}" if danger and not _NUMBER.fullmatch(cell) else cell


def bare(cell: str) -> str:
    """Without the apostrophe that `csv_bytes` puts before what looks like a formula."""
    return cell[1:] if _GUARDED.match(cell) else cell
