"""Cells to learn from: where they come from, and how a crop of one becomes an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cytally.labels.points import SIGMA, spots
from cytally.types import FloatArray

Float32 = NDArray[np.float32]
ZERO, _UNIT = 36, 73.0  # byte of density 0, bytes per density 1: -0.49 .. 3.0


@dataclass(frozen=True)
class TrainingCell:
    """A normalised cell and its labels, small enough to keep thousands.

    Attributes
    ----------
    packed : ndarray of uint8, shape (h, w)
        Density in steps of 1/73.
    places : ndarray of float32, shape (n, 2)
        Labels (row, col) in the normalised grid.
    classes : ndarray of int, shape (n,)
        Channel of each label.
    known : ndarray of bool, shape (channels,)
        Channels that were labelled in this cell; the others teach nothing.
    """

    packed: NDArray[np.uint8]
    places: NDArray[np.float32]
    classes: NDArray[np.int64]
    known: NDArray[np.bool_]

    @staticmethod
    def pack(density: Float32, places: FloatArray, classes: list[int], known: list[bool]) -> TrainingCell:
        """Keep a cell."""
        where = np.asarray(places, np.float32).reshape(-1, 2)
        return TrainingCell(pack(density), where, np.asarray(classes, np.int64), np.asarray(known, bool))


def pack(density: Float32) -> NDArray[np.uint8]:
    """Density in steps of 1/73, clipped to -0.49 .. 3."""
    return np.asarray(np.clip(np.rint(density * np.float32(_UNIT) + ZERO), 0, 255), np.uint8)


def unpack(packed: NDArray[np.uint8]) -> Float32:
    """Density (h, w) of a packed cell or crop."""
    return (packed.astype(np.float32) - ZERO) / np.float32(_UNIT)


class CellSource(Protocol):
    """Anything that training cells come from: simulated, composed or labelled ones."""

    def cell(self, index: int) -> TrainingCell:
        """The cell of that number; the same number gives the same cell."""
        ...


@dataclass(frozen=True)
class Targets:
    """How labels become heatmaps: channels, output stride, spot width in map pixels."""

    classes: int
    stride: int
    sigma: float = SIGMA

    def draw(self, places: FloatArray, classes: NDArray[np.int64], side: int) -> Float32:
        """Heatmaps (classes, side / stride, side / stride) of a square crop."""
        shape = (side // self.stride, side // self.stride)
        maps = [spots(places[classes == k], shape, self.stride, self.sigma) for k in range(self.classes)]
        return np.stack(maps)


def choose_corner(cell: TrainingCell, side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Top left of a crop, mostly around something stained; may reach outside the cell."""
    height, width = cell.packed.shape
    stained = np.argwhere(cell.packed[::16, ::16] > ZERO + 0.5 * _UNIT) * 16
    if len(stained) and rng.random() < 0.85:
        middle = stained.mean(axis=0) * 0.6 + stained[rng.integers(len(stained))] * 0.4
    else:
        middle = np.array([rng.uniform(0, height), rng.uniform(0, width)])
    row, col = middle + rng.normal(0, side / 12, 2) - side / 2
    row = np.clip(row, min(0, height - side), max(0, height - side))
    col = np.clip(col, min(0, width - side), max(0, width - side))
    return int(row), int(col)
