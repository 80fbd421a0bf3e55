"""labels.csv <-> Points, and Points -> heatmaps that a network learns from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import LabelError
from cytally.types import ABERRATIONS, FloatArray, Points

COLUMNS = ("image", "class", "row", "col")


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
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for image, points in labels.items():
            for name, row, col in zip(points.names, points.row, points.col, strict=True):
                table.writerow([image, name, f"{row:.1f}", f"{col:.1f}"])


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
    LabelError
        Missing column, unknown class, image that is not there, or no number.
    """
    rows: dict[str, list[tuple[str, float, float]]] = {name: [] for name in images}
    with path.open(newline="") as file:
        table = csv.DictReader(file)
        missing = [c for c in COLUMNS if c not in (table.fieldnames or ())]
        if missing:
            raise LabelError(f"{path}: expected columns {', '.join(COLUMNS)}; missing {', '.join(missing)}")
        for line, entry in enumerate(table, start=2):
            name, row, col = _entry(entry, classes, f"{path}, line {line}")
            if entry["image"] not in rows:
                raise LabelError(f"{path}, line {line}: no image {entry['image']!r} beside it")
            rows[entry["image"]].append((name, row, col))
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


def _entry(entry: dict[str, str], classes: Sequence[str], where: str) -> tuple[str, float, float]:
    if entry["class"] not in classes:
        raise LabelError(f"{where}: unknown class {entry['class']!r}; expected {', '.join(classes)}")
    try:
        row, col = float(entry["row"]), float(entry["col"])
    except (TypeError, ValueError):
        raise LabelError(
            f"{where}: expected numbers in row and col, got {entry['row']!r}, {entry['col']!r}"
        ) from None
    if not (np.isfinite(row) and np.isfinite(col)):
        raise LabelError(f"{where}: expected finite row and col, got {row}, {col}")
    return entry["class"], row, col


def _points(found: list[tuple[str, float, float]]) -> Points:
    return Points(
        np.array([row for _, row, _ in found], dtype=float),
        np.array([col for _, _, col in found], dtype=float),
        tuple(name for name, _, _ in found),
    )
