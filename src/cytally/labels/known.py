"""What is known of images before anybody looks at them: cells.csv beside them, sample and dose of each."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally.errors import LabelError
from cytally.files.names import shown, told_apart
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import Row, read_table

TABLE = "cells.csv"
_STEM = "cells"
#: Endings of tables that somebody may have meant instead.
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods")
#: Dose of cells that nobody irradiated, such as composed ones.
UNKNOWN = "unknown"
#: No blood sample of a living person holds more; larger numbers are mGy or cGy.
_HIGHEST_GY = 30.0
IMAGE = Column("image", frozenset({"file", "filename", "file name", "image name", "image file", "picture", "bild"}))
_GRAY = ("gy", "gray", "grays")
_OTHER = ("cgy", "mgy", "ugy", "rad", "rads", "sv", "msv")
CELLS = Wanted(
    "a table of the images beside it",
    (
        IMAGE,
        Column("sample", frozenset({"sample id", "sample name", "sample no", "patient", "patient id"}), None),
        Column("dose_gy", frozenset({"dose", "d"}), (*_GRAY, *_OTHER)),
    ),
    (("image",),),
    "image (and sample, dose_gy)",
    LabelError,
)


@dataclass(frozen=True)
class KnownCells:
    """What cells.csv says of the images that are there.

    Attributes
    ----------
    rows : dict
        Image -> {"sample": ..., "dose_gy": ...}; the dose is a number as text, "unknown" or "".
    strangers : tuple of str
        Lines that name none of the images, in words.
    guessed : bool
        Whether letters outside ASCII hang on a guess at the encoding.
    """

    rows: dict[str, dict[str, str]]
    strangers: tuple[str, ...] = ()
    guessed: bool = False


class Names:
    """Finds an image by the name that a table gives it.

    Backslashes and `./` are as good as slashes, letters may be composed or not, and capitals
    count only where two images differ in nothing else.
    """

    def __init__(self, images: Iterable[str]) -> None:
        self._exact = {_slashed(name): name for name in images}
        self._loose: dict[str, list[str]] = {}
        for name in self._exact.values():
            self._loose.setdefault(_slashed(name).casefold(), []).append(name)

    def find(self, row: Row) -> str | None:
        """The image that a row of a table means; None where there is none."""
        for given in (row.exact("image"), row.text("image")):
            slashed = _slashed(given)
            alike = self._loose.get(slashed.casefold(), [])
            if slashed in self._exact:
                return self._exact[slashed]
            if len(alike) == 1:
                return alike[0]
        return None


def _slashed(name: str) -> str:
    return unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./")


def read_known(path: Path, images: Iterable[str], *, some: bool = False) -> KnownCells:
    """Read cells.csv: `image`, and `sample` and `dose_gy` where they are known.

    Parameters
    ----------
    path : Path
    images : iterable of str
        Names relative to the folder of the table.
    some : bool
        Whether these are only some of the images there, so that lines may name others.

    Raises
    ------
    FileError
        Not a table.
    LabelError
        No column image, an image twice, a dose that is no number in Gy, or not one line that
        names an image.
    """
    table = read_table(path, CELLS)
    _check_unit(table.unit("dose_gy"), path)
    names = Names(images)
    rows: dict[str, dict[str, str]] = {}
    strangers = []
    for row in table.rows:
        image, known = names.find(row), {"sample": row.text("sample"), "dose_gy": _dose(row)}
        if image is None:
            strangers.append(f"{row.where}: there is no image {row.text('image')[:80]!r}")
            continue
        if image in rows:
            raise row.wrong(f"image {image!r} is there twice; delete one of the lines")
        rows[image] = known
    if not rows and not some:
        raise LabelError(
            f"{path}: none of its {len(table.rows)} lines names an image beside it; the first is "
            f"{table.rows[0].text('image')[:80]!r}. Write names relative to the folder of the table"
        )
    return KnownCells(rows, () if some else tuple(strangers), table.guessed)


@dataclass(frozen=True)
class Known:
    """Sample and dose by image, as the inputs' own tables say, and what must be said of these."""

    rows: dict[str, dict[str, str]]
    notes: tuple[str, ...]


def known_cells(inputs: Sequence[str | Path], paths: dict[str, Path]) -> Known:
    """What the inputs' own cells.csv say, under the names of this run.

    Such a table lies in a folder that was given, or beside an image.

    Raises
    ------
    FileError
        As `read_known`.
    LabelError
        As `read_known`; or two tables that contradict each other.
    """
    rows: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    places = {name: Path(os.path.abspath(path)) for name, path in paths.items()}
    given = {Path(os.path.abspath(one)) for one in inputs if Path(one).is_dir()}
    covered: set[str] = set()
    for folder in sorted(given | {place.parent for place in places.values()}):
        table, said = _table_in(folder)
        notes += said
        if table is None:
            continue
        here = {p.relative_to(folder).as_posix(): name for name, p in places.items() if p.is_relative_to(folder)}
        inside = {told: here[name] for name, told in told_apart(here).items()}
        found = read_known(table, inside, some=not any(folder.is_relative_to(one) for one in given))
        _add(rows, {inside[image]: row for image, row in found.rows.items()}, table)
        covered |= set(inside.values())
        notes += found.strangers
        if found.guessed:
            notes.append(f"{table}: is not UTF-8 and was read as Windows-1252; check the letters of the names")
    bare = [name for name in paths if name in covered and name not in rows]
    if bare:
        some = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")
        notes.append(f"no line of {TABLE} names {some}")
    return Known(rows, tuple(notes))


def _table_in(folder: Path) -> tuple[Path | None, list[str]]:
    """The table of a folder, in whatever capitals, and what is said of others that could be meant."""
    try:
        alike = sorted(path for path in folder.iterdir() if path.stem.casefold() == _STEM and path.is_file())
    except OSError:
        return None, []
    named = [path for path in alike if path.name.casefold() == TABLE]
    table = next((path for path in named if path.name == TABLE), named[0] if named else None)
    others = [path for path in alike if path != table and path.suffix.casefold() in _TABLES]
    return table, [f"{shown(path)}: is not read; save it as {TABLE}" for path in others]


def _add(rows: dict[str, dict[str, str]], more: dict[str, dict[str, str]], table: Path) -> None:
    """Join what several tables say.

    Raises
    ------
    LabelError
        They contradict each other.
    """
    for image, row in more.items():
        before = rows.get(image, row)
        if any(row[key] and before[key] not in ("", row[key]) for key in row):
            raise LabelError(f"{table}: says something else of {image!r} than another cells.csv given")
        rows[image] = {key: row[key] or before[key] for key in row}


def _check_unit(unit: str, path: Path) -> None:
    if unit not in ("", *_GRAY):
        raise LabelError(f"{path}: expected doses in Gy, but the heading says {unit}; convert the column to dose_gy")


def _dose(row: Row) -> str:
    """The number as text, decimal point and all; composed cells have none."""
    given = row.text("dose_gy")
    if given.casefold() in ("", UNKNOWN):
        return given.casefold()
    gray = row.number("dose_gy", lowest=0.0)
    if gray > _HIGHEST_GY:
        raise row.wrong(f"expected a dose in Gy, got {gray:g}, which looks like mGy or cGy; convert the column")
    return given.replace(",", ".")
