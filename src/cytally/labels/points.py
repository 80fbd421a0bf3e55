"""labels.csv <-> Points, and Points -> heatmaps that a network learns from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import LabelError
from cytally.files.tables.csv import csv_bytes
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import Row, read_table
from cytally.labels.known import IMAGE, Names
from cytally.types import ABERRATIONS, FloatArray, Points

COLUMNS = ("image", "class", "row", "col")
LABELS = Wanted(
    "a table of labels",
    (
        IMAGE,
        Column("class", frozenset({"label", "type", "aberration", "klasse"})),
        Column("row", units=("px", "pixel", "pixels")),
        Column("col", frozenset({"column"}), ("px", "pixel", "pixels")),
    ),
    (COLUMNS,),
    ", ".join(COLUMNS),
    LabelError,
)


#: Width of a label's spot, standard deviation in places of the heatmap.
SIGMA = 2.0
#: Level above which such a spot counts as an area (thesis: "small, e.g. 0.01").
TRUTH_LEVEL = 0.01


def spots(places: FloatArray, shape: tuple[int, int], stride: int, sigma: float) -> NDArray[np.float32]:
    """Gaussian spots of height 1 around places; where spots meet, the higher counts.

    Parameters
    ----------
    places : ndarray of shape (n, 2)
        (row, col) in pixels of the image; a pixel of the map covers `stride` of them.
    shape : (h, w)
        Of the map.
    stride : int
    sigma : float
        Standard deviation in pixels of the map.

    Returns
    -------
    ndarray of float32, shape (h, w), in [0, 1]
    """
    heat = np.zeros(shape, np.float32)
    reach = int(np.ceil(4 * sigma))
    for row, col in (np.asarray(places, float).reshape(-1, 2) + 0.5) / stride - 0.5:
        top, left = max(int(row) - reach, 0), max(int(col) - reach, 0)
        down = np.arange(top, min(int(row) + reach + 1, shape[0])) - row
        right = np.arange(left, min(int(col) + reach + 1, shape[1])) - col
        if down.size and right.size:
            spot = np.exp(-0.5 * (down[:, None] ** 2 + right[None] ** 2) / sigma**2)
            window = heat[top : top + down.size, left : left + right.size]
            np.maximum(window, spot, out=window)
    return heat


def write_labels(path: Path, labels: dict[str, Points]) -> None:
    """Write labels.csv: one line per aberration, images in the order given."""
    rows: list[Sequence[str]] = [COLUMNS]
    for image, points in labels.items():
        for name, row, col in zip(points.names, points.row, points.col, strict=True):
            rows.append([image, name, f"{row:.1f}", f"{col:.1f}"])
    path.write_bytes(csv_bytes(rows))


def read_labels(path: Path, images: Sequence[str], classes: Sequence[str] = ABERRATIONS) -> dict[str, Points]:
    """Read labels.csv.

    Parameters
    ----------
    path : Path
    images : sequence of str
        Names of the images in the folder; an image without lines has no aberration.
    classes : sequence of str
        Classes that may occur.

    Returns
    -------
    dict of str to Points
        One entry per image.

    Raises
    ------
    FileError
        Not a table.
    LabelError
        Missing column, unknown class, image that is not there, or no number.
    """
    names = Names(images)
    rows: dict[str, list[tuple[str, float, float]]] = {name: [] for name in images}
    for row in read_table(path, LABELS, empty=True).rows:
        entry = _entry(row, classes)
        image = names.find(row)
        if image is None:
            raise row.wrong(f"no image {row.text('image')[:80]!r} beside it")
        rows[image].append(entry)
    return {image: _points(found) for image, found in rows.items()}


def check_inside(points: Points, shape: tuple[int, int], image: str) -> None:
    """Refuse a place outside its image."""
    outside = (points.row < 0) | (points.row >= shape[0]) | (points.col < 0) | (points.col >= shape[1])
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        raise LabelError(
            f"{image}: label at row {points.row[first]:g}, col {points.col[first]:g} lies outside the "
            f"image of {shape[0]} x {shape[1]}; are rows and columns swapped?"
        )


def _entry(row: Row, classes: Sequence[str]) -> tuple[str, float, float]:
    alike = {name.casefold(): name for name in classes}
    name = row.text("class")
    if name.casefold() not in alike:
        raise row.wrong(f"unknown class {name[:60]!r}; expected {', '.join(classes)}")
    return alike[name.casefold()], row.number("row", grouped=True), row.number("col", grouped=True)


def _points(found: list[tuple[str, float, float]]) -> Points:
    return Points(
        np.array([row for _, row, _ in found], dtype=float),
        np.array([col for _, _, col in found], dtype=float),
        tuple(name for name, _, _ in found),
    )
