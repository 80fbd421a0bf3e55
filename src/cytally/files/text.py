"""Bytes of a small file of text -> text, the encoding decided strictly; text -> lines of cells."""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cytally.errors import FileError

#: No table or note that people keep is larger, bytes.
LARGEST = 20 * 2**20
#: Rows and columns of a table, and characters of a cell.
ROWS, COLUMNS, LONGEST = 200_000, 2_000, 32_767
#: Cells of a table, empty ones too, and characters of a line.
_CELLS, _LINE = 4_000_000, 1_000_000
_ENDS = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
#: Numbered lines of cells.
Lines = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True)
class Text:
    """What a file says.

    Attributes
    ----------
    content : str
        Without byte-order mark; line ends as they are.
    guessed : bool
        Whether it was taken for Windows-1252 because it is not UTF-8: letters outside
        ASCII may then be others.
    """

    content: str
    guessed: bool = False


def read_bytes(path: Path, what: str, largest: int = LARGEST) -> bytes:
    """Read a whole file of limited size.

    Parameters
    ----------
    path : Path
    what : str
        What it should be, for the message.
    largest : int
        Bytes.

    Raises
    ------
    FileError
        No such file, one that cannot be read, or a larger one.
    """
    if not os.path.isfile(path):  # False for names that no disk can hold, too
        raise FileError(f"{path}: expected {what}, found no such file")
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > largest:
        raise FileError(f"{path}: expected {what} of at most {largest // 2**20} MB, got a larger file")
    return content


def read_text(path: Path, what: str, largest: int = LARGEST) -> Text:
    """Read a file of text: UTF-8 with or without byte-order mark, UTF-16 with one, or Windows-1252.

    Raises
    ------
    FileError
        As `read_bytes` and `decode_text`.
    """
    return decode_text(read_bytes(path, what, largest), path, what)


def decode_text(content: bytes, path: Path, what: str) -> Text:
    """Decide the encoding.

    A byte-order mark decides; without one UTF-8 is tried, which random bytes do not satisfy,
    and then Windows-1252, which is what older spreadsheets write.

    Raises
    ------
    FileError
        Bytes that none of them allows, or NUL characters, which no text holds.
    """
    if content.startswith(_UTF32):
        raise FileError(f"{path}: expected {what} in UTF-8, got UTF-32; save it as UTF-8")
    marked = "utf-8" if content.startswith(codecs.BOM_UTF8) else ""
    marked = "utf-16" if content.startswith(_UTF16) else marked
    if not marked and b"\0" in content:
        raise FileError(
            f"{path}: expected {what}, got something else (NUL bytes: damaged, no text, or UTF-16 without "
            "byte-order mark); save it as CSV in UTF-8"
        )
    guessed = False
    try:
        text = content.decode("utf-8-sig" if marked != "utf-16" else marked)
    except UnicodeDecodeError as error:
        if marked:
            raise FileError(
                f"{path}: begins as {marked.upper()}, but byte {error.start} is not; is the file damaged?"
            ) from error
        text, guessed = _windows(content, path, what), True
    if "\0" in text:
        raise FileError(f"{path}: expected {what}, got something else (NUL characters); is the file damaged?")
    return Text(text, guessed)


def _windows(content: bytes, path: Path, what: str) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise FileError(
            f"{path}: expected {what} in UTF-8, UTF-16 or Windows-1252, but byte {error.start} "
            f"(0x{content[error.start]:02x}) is none of them; save it as UTF-8"
        ) from error


def lines_of(text: str, part: str, path: Path, first: int = 1) -> Lines:
    """Lines of a text as (number, cells), numbered as an editor does, quotes taken strictly.

    Parameters
    ----------
    text : str
    part : str
        What parts the cells.
    path : Path
        For messages.
    first : int
        Number of the first line.

    Raises
    ------
    FileError
        A quote that is not closed, or more lines, cells or characters than a table has.
    """
    reader, before, room = csv.reader(_split(text, path), delimiter=part, strict=True), 0, _CELLS
    try:
        for cells in reader:
            number, before, room = first + before, reader.line_num, room - len(cells)
            if number > ROWS or len(cells) > COLUMNS or room < 0:
                raise FileError(
                    f"{path}, line {number}: expected at most {ROWS} lines of {COLUMNS} cells, {_CELLS} in all, "
                    "got more"
                )
            _check_cells(cells, part, f"{path}, line {number}")
            yield number, cells
    except csv.Error as error:
        raise FileError(
            f"{path}, line {first + before}: cannot be parted into cells ({error}); is a quote not closed?"
        ) from error


def _split(text: str, path: Path) -> Iterator[str]:
    """Lines with their ends, one by one."""
    for number, line in enumerate(_ENDS.finditer(text), start=1):
        if line.end() - line.start() > _LINE:
            raise FileError(f"{path}, line {number}: expected lines of at most {_LINE} characters, got a longer one")
        if line[0]:
            yield line[0]


def _check_cells(cells: list[str], part: str, where: str) -> None:
    """A quote that is not closed swallows the lines that follow."""
    for cell in cells:
        if len(cell) > LONGEST:
            raise FileError(f"{where}: a cell of {len(cell)} characters; is a quote not closed?")
        inside = re.split(r"\r\n|\r|\n", cell)
        if len(inside) > 1 and any(line.count(part) >= max(len(cells) - 1, 1) for line in inside):
            raise FileError(
                f"{where}: a cell holds whole lines of the table; is a quote not closed? Remarks belong on one line"
            )
