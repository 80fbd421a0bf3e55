"""A table on disk -> rows under headings, or one error that says what is wrong and where.

Commas, semicolons or tabs; a `sep=` line; title and comment lines before the headings;
XLSX. The line of headings is found by the columns asked for, not by its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from pathlib import Path

from cytally.errors import FileError, InputError
from cytally.files.tables import numbers
from cytally.files.tables.csv import bare
from cytally.files.tables.headings import Match, Wanted, check, match, unit_of
from cytally.files.tables.sheets import OLD, ZIP, sheets_of
from cytally.files.text import Lines, Text, decode_text, lines_of, read_bytes

#: The headings stand within so many lines.
_TOP = 100
_PARTS = (";", "\t", ",")
_SEP = re.compile(r'"?sep=([;,\t|])"?[ \t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)


@dataclass(frozen=True)
class Head:
    """What all rows of a table share: where they lie, and what stands over them."""

    place: str
    headings: tuple[str, ...]
    columns: dict[str, int]
    comma: bool
    error: type[InputError]


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes
    ----------
    head : Head
    line : int
        As an editor or a spreadsheet counts.
    cells : tuple of str
    fault : str
        Why nothing in it can be believed, "" where all is well.
    """

    head: Head
    line: int
    cells: tuple[str, ...]
    fault: str = ""

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.head.place}, line {self.line}"

    def has(self, name: str) -> bool:
        """Whether the table has the column and this row something in it."""
        return name in self.head.columns and bool(self.cells[self.head.columns[name]].strip())

    def exact(self, name: str) -> str:
        """A cell as it stands, blanks at its ends included; "" where there is no such column."""
        if self.fault:
            raise self.wrong(self.fault)
        return bare(self.cells[self.head.columns[name]]) if name in self.head.columns else ""

    def text(self, name: str) -> str:
        """A cell without blanks at its ends; "" where there is no such column."""
        return self.exact(name).strip()

    def whole(self, name: str) -> int:
        """A count, as `numbers.whole`."""
        try:
            return numbers.whole(self.text(name))
        except ValueError as error:
            raise self._no(f"a whole number such as 1000 in {name}", name, error) from None

    def number(self, name: str, *, grouped: bool = False, lowest: float | None = None) -> float:
        """A finite number, as `numbers.real`; not below `lowest`."""
        try:
            value = numbers.real(self.text(name), comma=self.head.comma, grouped=grouped)
            if lowest is not None and value < lowest:
                raise ValueError(f"it cannot be below {lowest:g}")
        except ValueError as error:
            raise self._no(f"a number in {name}", name, error) from None
        return value

    def wrong(self, words: str) -> InputError:
        """An error about this row, to be raised."""
        return self.head.error(f"{self.where}: {words}")

    def _no(self, expected: str, name: str, reason: ValueError) -> InputError:
        return self.wrong(f"expected {expected}, got {self.text(name)[:60]!r}; {reason}")


@dataclass(frozen=True)
class Table:
    """A table that has the columns asked for.

    Attributes
    ----------
    head : Head
    rows : tuple of Row
        Without empty lines; each may have a fault of its own.
    guessed : bool
        Whether the encoding is a guess and there are letters that hang on it.
    """

    head: Head
    rows: tuple[Row, ...]
    guessed: bool = False

    def unit(self, name: str) -> str:
        """What the heading of a column says of its unit, plain; "" for nothing."""
        return unit_of(self.head.headings[self.head.columns[name]])[1] if name in self.head.columns else ""


@dataclass
class _Grid:
    """One way to read a file: a sheet, or a text under one delimiter."""

    place: str
    lines: Lines
    comma: bool
    delimited: bool = True
    title: str = ""
    top: list[tuple[int, list[str]]] | None = None
    failed: FileError | None = None

    def look(self) -> list[tuple[int, list[str]]]:
        """The first lines that hold something; an error among them is kept for later."""
        if self.top is None:
            self.top = []
            try:
                for number, cells in self.lines:
                    if any(cell.strip() for cell in cells):
                        self.top.append((number, cells))
                        if len(self.top) == _TOP:
                            break
            except FileError as error:
                self.failed = error
        return self.top

    def rest(self, after: int) -> Lines:
        """All lines after one of the first."""
        assert self.top is not None
        yield from self.top[after + 1 :]
        if self.failed is not None:
            raise self.failed
        yield from self.lines


def read_table(path: Path, wanted: Wanted, *, empty: bool = False) -> Table:
    """Read a table: CSV with commas, semicolons or tabs, or a sheet of XLSX.

    Parameters
    ----------
    path : Path
    wanted : Wanted
        Columns by which the headings are found.
    empty : bool
        Whether there may be nothing under the headings.

    Raises
    ------
    FileError
        No file, one that is damaged or larger than a table, or a heading twice.
    InputError
        Of `wanted.error`: columns missing, two headings for one column, two sheets, nothing
        under the headings.
    """
    content = read_bytes(path, f"{wanted.what} (CSV or XLSX)")
    guessed = False
    if content.startswith((ZIP, OLD)) or path.suffix.lower() in (".xlsx", ".xlsm"):
        sheets = sheets_of(path, content)
        one = len(sheets) == 1
        grids = [
            _Grid(f"{path}" if one else f"{path}, sheet {title!r}", lines, True, False, title)
            for title, lines in sheets
        ]
    else:
        text = decode_text(content, path, wanted.what)
        grids, guessed = _grids(text, path), text.guessed
    grid, line, matched = _headed(grids, path, wanted)
    number, headings = grid.look()[line]
    check(headings, matched, f"{grid.place}, line {number}", wanted)
    _check_before(grid, line)
    last = max(k for k, heading in enumerate(headings) if heading.strip()) + 1
    head = Head(grid.place, tuple(headings[:last]), matched.places, grid.comma, wanted.error)
    rows = tuple(_rows(grid, line, head))
    if not rows and not empty:
        raise wanted.error(f"{grid.place}: expected a heading and at least one line below it, got an empty table")
    return Table(head, rows, guessed and not all(cell.isascii() for row in rows for cell in row.cells))


def _grids(text: Text, path: Path) -> list[_Grid]:
    stated = _SEP.match(text.content)
    parts = (stated[1],) if stated else _PARTS
    body, first = (text.content[stated.end() :], 2) if stated else (text.content, 1)
    return [_Grid(f"{path}", lines_of(body, part, path, first), part != ",") for part in parts]


def _headed(grids: list[_Grid], path: Path, wanted: Wanted) -> tuple[_Grid, int, Match]:
    """The way to read the file under which the columns asked for are found, and their line."""
    looks: list[tuple[int, int, _Grid, int, Match]] = []
    whole = []
    for grid in grids:
        for line, (_, cells) in enumerate(grid.look()):
            matched = match(cells, wanted)
            looks.append((len(matched.places), -line, grid, line, matched))
            if not matched.missing and (matched.places or matched.odd):
                whole.append((grid, line, matched))
                break
    if len(whole) > 1 and not whole[0][0].delimited:
        titles = ", ".join(repr(grid.title) for grid, _, _ in whole)
        raise wanted.error(f"{path}: the sheets {titles} could all be {wanted.what}; keep one of them")
    if whole:
        return whole[0]
    for grid in grids:
        if grid.failed is not None and (len(grids) == 1 or not looks):
            raise grid.failed
    raise _missing(looks, grids, path, wanted)


def _missing(
    looks: list[tuple[int, int, _Grid, int, Match]], grids: list[_Grid], path: Path, wanted: Wanted
) -> InputError:
    if not looks:
        return wanted.error(f"{path}: expected {wanted.what}, got an empty table; needed are {wanted.needs}")
    for grid in grids:
        why = _other_form([cells for _, cells in grid.look()], wanted)
        if why:
            return wanted.error(f"{grid.place}: expected one line of headings with {wanted.needs}; {why}")
    best = max(looks, key=lambda look: (look[0], len(look[2].look()[look[3]][1]) if look[0] else 0, look[1]))
    if not best[0]:  # nothing known anywhere: show the first line, parted in the most cells
        grid = max(grids, key=lambda one: len(one.look()[0][1]) if one.look() else 0)
        if grid.failed is not None and not grid.look():
            return grid.failed
        found = [cell.strip() for cell in grid.look()[0][1] if cell.strip()]
        return wanted.error(f"{path}: expected a line of headings with {wanted.needs}; found {_listed(found)}")
    grid, line, matched = best[2:]
    if grid.failed is not None:
        return grid.failed
    number, cells = grid.look()[line]
    found = [cell.strip() for cell in cells if cell.strip()]
    return wanted.error(
        f"{grid.place}, line {number}: expected the headings {wanted.needs}; missing "
        f"{', '.join(matched.missing)}; found {_listed(found)}"
    )


def _other_form(lines: Sequence[Sequence[str]], wanted: Wanted) -> str:
    """How the headings could be found if the table had another form, and what to do; "" where they could not."""

    def whole(cells: Sequence[str]) -> bool:
        matched = match(cells, wanted)
        return not matched.missing and len(matched.places) > 1

    if whole([cells[0] for cells in lines]):
        return "they stand in the first column; swap rows and columns (transpose)"
    for upper, lower in pairwise(lines):
        one = [upper[k] if k < len(upper) and upper[k].strip() else cell for k, cell in enumerate(lower)]
        both = [f"{upper[k] if k < len(upper) else ''} {cell}" for k, cell in enumerate(lower)]
        other = [cell if cell.strip() else above for above, cell in zip_longest(upper, lower, fillvalue="")]
        if any(map(whole, (one, both, other))):
            return "they lie on two lines; put them in one"
    for cells in lines:
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) != 1:
            continue
        text = filled[0]
        if whole(text.split("|")) or whole([word for word in text.split("|") if word.strip()]):
            return "the columns are parted with |; part them with commas, semicolons or tabs"
        if whole(re.split(r"\s{2,}", text.strip())) or whole(text.split()):
            return "the columns are parted with blanks; part them with commas, semicolons or tabs"
    return ""


def _listed(found: Sequence[str]) -> str:
    shown = ", ".join(repr(each[:40]) for each in found[:30])
    return shown + (f" and {len(found) - 30} more" if len(found) > 30 else "")


def _check_before(grid: _Grid, line: int) -> None:
    """Titles may stand before the headings, numbers may not: they would be lost."""
    for number, cells in grid.look()[:line]:
        if sum(bool(re.fullmatch(r"[0-9]+(?:[.,][0-9]+)?", cell.strip())) for cell in cells) > 1:
            raise FileError(
                f"{grid.place}, line {number}: numbers before the headings would be lost; put the headings first"
            )


def _rows(grid: _Grid, line: int, head: Head) -> Iterator[Row]:
    width = len(head.headings)
    for number, cells in grid.rest(line):
        filled = [cell for cell in cells if cell.strip()]
        if not filled or (len(filled) == 1 and cells[0].lstrip().startswith("#")):
            continue
        padded = [*cells, *[""] * (width - len(cells))]
        yield Row(head, number, tuple(padded[:width]), _fault(cells, head, delimited=grid.delimited))


def _fault(cells: Sequence[str], head: Head, *, delimited: bool) -> str:
    width = len(head.headings)
    beyond = [cell.strip() for cell in cells[width:] if cell.strip()]
    if beyond and not delimited:
        return f"{beyond[0][:40]!r} stands under no heading; give that column one"
    if beyond:
        hint = (
            f"; {beyond[0][:40]!r} stands under no heading"
            if head.comma
            else "; are there decimal commas between commas? Part the columns with semicolons or tabs"
        )
        return f"expected {width} columns, got {len(cells)}" + hint
    if delimited and len(cells) < width:
        return f"expected {width} columns, got {len(cells)}; write the empty ones too"
    for heading, cell in zip(head.headings, cells, strict=False):
        if cell.strip() and not heading.strip():
            return f"{cell.strip()[:40]!r} stands under no heading; give that column one"
    return ""
