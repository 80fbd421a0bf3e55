"""Folders of the Cell Tracking Challenge: masks, one per frame, and a table of tracks.

A track is `L B E P`: its label, first and last frame, and the label of its parent (0 for none).
Between B and E it is in every frame; a nucleus lost for a while goes on as a new track whose
parent is the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cytally.errors import ImageError, LabelError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.files.text import read_text
from cytally.images.masks import read_numbers, write_mask
from cytally.types import IntArray

#: Name of the table, and of a mask before its number.
RESULT = ("res_track.txt", "mask")
TRUTH = ("man_track.txt", "man_track")


@dataclass(frozen=True)
class TrackRow:
    """One line of the table: label, first frame, last frame, label of the parent or 0."""

    number: int
    first: int
    last: int
    parent: int


def write_tracks(
    folder: Path, masks: Iterable[IntArray], rows: Iterable[TrackRow], names: tuple[str, str] = RESULT
) -> None:
    """Write masks (16 bit, one TIFF per frame) and then the table, which makes the folder whole.

    Raises
    ------
    LabelError
        More tracks than 16 bits can number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    if rows and max(row.number for row in rows) > 65535:
        raise LabelError(f"{folder}: expected at most 65535 tracks, got {len(rows)}; split the sequence")
    (folder / names[0]).unlink(missing_ok=True)
    written = set()
    for number, mask in enumerate(masks):
        path = folder / f"{names[1]}{number:03d}.tif"
        write_mask(path, mask)
        written.add(path)
    for path in folder.glob(f"{names[1]}[0-9]*.tif"):
        if path not in written:  # frames of a longer sequence that was here before
            path.unlink()
    lines = "".join(f"{row.number} {row.first} {row.last} {row.parent}\n" for row in rows)
    write_bytes(folder / names[0], lines.encode())


def read_tracks(folder: Path) -> list[TrackRow]:
    """The table of a result or truth folder.

    Raises
    ------
    FileError
        A table that is no text.
    LabelError
        No table, two tables, a line that is not four whole numbers in order, or a track twice.
    """
    found = sorted(folder.glob("*_track.txt"))
    if len(found) != 1:
        raise LabelError(f"{folder}: expected one table of tracks (res_track.txt or man_track.txt), found {len(found)}")
    rows: dict[int, TrackRow] = {}
    text = read_text(found[0], "a table of tracks").content
    for count, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        parts = line.split()
        if not parts:
            continue
        if len(parts) != 4 or not all(re.fullmatch(r"[0-9]{1,9}", p) for p in parts) or int(parts[1]) > int(parts[2]):
            raise LabelError(f"{found[0]}, line {count}: expected 'label first last parent', got {line.strip()[:80]!r}")
        row = TrackRow(*(int(part) for part in parts))
        if row.number in rows:
            raise LabelError(f"{found[0]}, line {count}: track {row.number} is there twice")
        rows[row.number] = row
    return list(rows.values())


def read_masks(folder: Path) -> Iterator[IntArray]:
    """The masks of a folder, in the order of their frame numbers.

    Raises
    ------
    ImageError
        No mask there, one frame missing between the first and the last, two of one number, or a
        file that cannot be read.
    LabelError
        A mask that does not hold whole numbers.
    """
    numbered: dict[int, Path] = {}
    for path in sorted(folder.glob("*.tif")):
        digits = re.search(r"([0-9]{1,9})$", path.stem)
        if digits and int(digits[1]) in numbered:
            raise ImageError(f"{shown(path)}: a second mask of frame {int(digits[1])}; leave one of them")
        if digits:
            numbered[int(digits[1])] = path
    if not numbered:
        raise ImageError(f"{folder}: expected masks such as mask000.tif, found none")
    order = sorted(numbered)
    gap = next((before + 1 for before, after in pairwise(order) if after > before + 1), None)
    if gap is not None:
        raise ImageError(f"{folder}: the mask of frame {gap} is missing; a sequence has no gaps")
    for number in order:
        yield read_numbers(numbered[number])
