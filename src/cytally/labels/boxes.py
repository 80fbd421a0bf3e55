"""Boxes in YOLO format: one .txt beside each image, `class col row width height` as fractions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.errors import LabelError
from cytally.files.text import read_text
from cytally.types import FloatArray

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")


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
        Text file; an empty one means that nothing is in the image. A line is a box, or a
        polygon (`class col row col row ...`), which counts as the box around it.
    names : sequence of str
        Class names in the order of their numbers.
    shape : (h, w)
        Of the image.

    Raises
    ------
    FileError
        No file, or no text.
    LabelError
        Not five numbers, a confidence, an unknown class, or a box outside the image or empty.
    """
    text = read_text(path, "boxes in YOLO format beside the image").content
    lines = [(f"{path}, line {n}", line) for n, line in enumerate(re.split(r"\r\n|\r|\n", text), 1) if line.strip()]
    size = np.array([shape[0], shape[1]], dtype=float)
    read = [_row(line, where, names) for where, line in lines]
    corners = np.array([_corners(row[1:]) for row in read], dtype=float).reshape(-1, 2, 2)
    for (where, line), (low, high) in zip(lines, corners, strict=True):
        _check_box(low, high, size, f"{where}: {line.strip()[:80]!r}")
    low, high = corners[:, 0] * size - 0.5, corners[:, 1] * size - 0.5
    return Boxes(low, high, tuple(names[int(row[0])] for row in read))


def _row(line: str, where: str, names: Sequence[str]) -> list[float]:
    parts = line.split()
    if not all(_NUMBER.fullmatch(part) for part in parts) or len(parts) < 5:
        raise LabelError(f"{where}: expected five numbers (class col row width height), got {line.strip()[:80]!r}")
    if len(parts) == 6:
        raise LabelError(
            f"{where}: expected five numbers, got six: with a confidence it is a detector's answer, not a label; "
            "delete the sixth column of boxes that a person has checked"
        )
    if len(parts) != 5 and (len(parts) < 7 or len(parts) % 2 == 0):
        raise LabelError(f"{where}: expected a box (five numbers) or a polygon, got {len(parts)} numbers")
    row = [float(part) for part in parts]
    if row[0] != int(row[0]) or not 0 <= row[0] < len(names):
        raise LabelError(
            f"{where}: expected a class from 0 to {len(names) - 1} ({', '.join(names)}), got {parts[0][:20]}"
        )
    if not all(0 <= value <= 1 for value in row[1:]):
        raise LabelError(f"{where}: expected fractions of the image from 0 to 1, got {line.strip()[:80]!r}")
    return row


def _corners(values: list[float]) -> list[list[float]]:
    """Lower and upper (row, col) of a box or around a polygon, fractions of the image."""
    if len(values) == 4:
        col, row, width, height = values
        return [[row - height / 2, col - width / 2], [row + height / 2, col + width / 2]]
    cols, rows = values[0::2], values[1::2]
    return [[min(rows), min(cols)], [max(rows), max(cols)]]


def _check_box(low: FloatArray, high: FloatArray, size: FloatArray, where: str) -> None:
    """Within the image but for a pixel of rounding, and not empty."""
    if (low < -1 / size - 1e-9).any() or (high > 1 + 1 / size + 1e-9).any():
        raise LabelError(f"{where} reaches outside the image; are the fractions those of another image?")
    if not (high > low).all():
        raise LabelError(f"{where} is a box without width or height; delete the line")
