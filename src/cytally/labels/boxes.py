"""Boxes in YOLO format: one .txt beside each image, `class col row width height` as fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.errors import LabelError
from cytally.types import FloatArray


@dataclass(frozen=True)
class Boxes:
    """Labelled boxes in pixels.

    Attributes
    ----------
    low, high : ndarray of shape (n, 2)
        Upper left and lower right corner (row, col).
    names : tuple of str, length n
    """

    low: FloatArray
    high: FloatArray
    names: tuple[str, ...]

    def of(self, name: str) -> Boxes:
        """Only the boxes of one class."""
        keep = np.array([each == name for each in self.names], dtype=bool)
        return Boxes(self.low[keep], self.high[keep], (name,) * int(keep.sum()))

    def holding(self, places: FloatArray) -> np.ndarray:
        """Whether place i lies in box j, bool (places, boxes); edges belong to a box."""
        where = np.asarray(places, dtype=float).reshape(-1, 1, 2)
        return np.asarray(((where >= self.low) & (where <= self.high)).all(axis=2))


def read_yolo(path: Path, names: Sequence[str], shape: tuple[int, int]) -> Boxes:
    """Read the boxes of one image.

    Parameters
    ----------
    path : Path
        Text file; an empty one means that nothing is in the image.
    names : sequence of str
        Class names in the order of their numbers.
    shape : (h, w)
        Of the image.

    Raises
    ------
    LabelError
        No file, not five numbers, an unknown class, or a box outside the image.
    """
    if not path.is_file():
        raise LabelError(f"{path}: expected boxes in YOLO format beside the image, found no such file")
    rows = [_row(line, f"{path}, line {n}", names) for n, line in enumerate(path.read_text().splitlines(), 1)
            if line.strip()]  # fmt: skip
    values = np.array([row[1:] for row in rows], dtype=float).reshape(-1, 4)
    size = np.array([shape[0], shape[1]], dtype=float)
    centre, half = values[:, [1, 0]] * size, values[:, [3, 2]] * size / 2
    return Boxes(centre - half - 0.5, centre + half - 0.5, tuple(names[int(row[0])] for row in rows))


def _row(line: str, where: str, names: Sequence[str]) -> list[float]:
    try:
        row = [float(part) for part in line.split()]
    except ValueError:
        row = []
    if len(row) != 5:
        raise LabelError(f"{where}: expected five numbers (class col row width height), got {line!r}")
    if row[0] != int(row[0]) or not 0 <= row[0] < len(names):
        raise LabelError(
            f"{where}: expected a class from 0 to {len(names) - 1} ({', '.join(names)}), got {row[0]:g}"
        )
    if not all(0 <= value <= 1 for value in row[1:]):
        raise LabelError(f"{where}: expected fractions of the image from 0 to 1, got {line!r}")
    return row
