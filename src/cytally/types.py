"""The nouns that travel down the road: Image, Points, Detections, Counts.

All are frozen; arrays inside them are never changed in place. Coordinates are
(row, col) of the full-resolution image, pixel centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
#: Samples of an image as a file holds them, of whatever number type.
Pixels = NDArray[Any]

#: Aberration classes that label tables may name.
ABERRATIONS = ("dicentric", "fragment", "ring")


@dataclass(frozen=True)
class Image:
    """Pixels with their size and where they came from.

    Attributes
    ----------
    pixels : ndarray of shape (h, w) or (h, w, 3)
        Raw grey or RGB values, dtype as in the file.
    pixel_size_um : float or None
        Edge of a pixel in micrometres; None where the file does not say.
    source : str
        Path or description, for messages and tables.
    notes : tuple of str
        What was converted or left aside on the way in, for a person to read.
    """

    pixels: Pixels
    pixel_size_um: float | None = None
    source: str = "memory"
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])


@dataclass(frozen=True)
class Points:
    """Labelled places: one row per object.

    Attributes
    ----------
    row, col : ndarray of shape (n,)
        Full-resolution pixel coordinates.
    names : tuple of str, length n
        Class of each place.
    """

    row: FloatArray
    col: FloatArray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @staticmethod
    def empty() -> Points:
        """No places at all."""
        return Points(np.zeros(0), np.zeros(0), ())

    def of(self, name: str) -> FloatArray:
        """Coordinates (n, 2) of one class."""
        keep = np.array([each == name for each in self.names], dtype=bool)
        return np.stack([self.row[keep], self.col[keep]], axis=1).reshape(-1, 2)


@dataclass(frozen=True)
class Detections:
    """What an ensemble found in one image.

    Attributes
    ----------
    row, col : ndarray of shape (n,)
        Centre of each detection, full-resolution pixels.
    names : tuple of str, length n
        Class of each detection.
    votes : ndarray of int, shape (n,)
        Members that voted for the place with most votes (preprint eq. 6).
    confidence, spread : ndarray of shape (n,)
        Mean and standard deviation, over all members that looked, of each
        member's largest heatmap value inside the detection, in [0, 1].
    members : int
        Members that looked: all of them, or those that proposed to verifiers.
    reading : ndarray of shape (n,)
        Probability, by the verifiers, that it is what it is called; NaN where
        the ensemble has none.
    """

    row: FloatArray
    col: FloatArray
    names: tuple[str, ...]
    votes: IntArray
    confidence: FloatArray
    spread: FloatArray
    members: int
    probability: FloatArray

    def __len__(self) -> int:
        return len(self.names)

    @staticmethod
    def empty(members: int) -> Detections:
        """No detection by an ensemble of that size."""
        none = np.zeros(0)
        return Detections(none, none, (), none.astype(int), none, none, members, none)

    def of(self, name: str) -> FloatArray:
        """Coordinates (n, 2) of one class."""
        chosen = np.array([each == name for each in self.names], dtype=bool)
        return np.stack([self.row[chosen], self.col[chosen]], axis=1)

    def count(self, name: str) -> int:
        """Number of detections of one class."""
        return sum(each == name for each in self.names)

    def keep(self, mask: NDArray[np.bool_]) -> Detections:
        """Only the detections where `mask` (n,) is true."""
        names = tuple(name for name, kept in zip(self.names, mask, strict=True) if kept)
        return Detections(
            self.row[mask],
            self.col[mask],
            names,
            self.votes[mask],
            self.confidence[mask],
            self.spread[mask],
            self.members,
            self.probability[mask],
        )


#: Begins the status of what was left out, in tables and journals.
_SKIPPED = "skipped: "


@dataclass(frozen=True)
class Skipped:
    """An input that was left out, and why."""

    image: str
    reason: str

    @property
    def status(self) -> str:
        """As tables and journals write it."""
        return _SKIPPED + self.reason

    @staticmethod
    def of(image: str, status: str) -> Skipped | None:
        """From what a table says of an image; None where it was not left out."""
        return Skipped(image, status.removeprefix(_SKIPPED)) if status.startswith(_SKIPPED) else None


@dataclass(frozen=True)
class Counts:
    """Aberrations per cell of one sample.

    Attributes
    ----------
    per_cell : dict of str to ndarray of int, shape (cells,)
        For each class the number found in every scored cell.
    skipped : tuple of Skipped
        Cells that were not scored.
    detector : str
        Identity of ensemble and thresholds, "" for typed counts.
    """

    per_cell: dict[str, IntArray]
    skipped: tuple[Skipped, ...] = ()
    detector: str = ""
    images: tuple[str, ...] = field(default=(), repr=False)

    @property
    def cells(self) -> int:
        """Cells scored."""
        return len(next(iter(self.per_cell.values()), ()))

    def total(self, name: str) -> int:
        """Aberrations of one class over all cells."""
        return int(self.per_cell[name].sum())

    def distribution(self, name: str) -> IntArray:
        """Number of cells with 0, 1, 2, ... aberrations of a class."""
        return np.bincount(self.per_cell[name].astype(int), minlength=1)
