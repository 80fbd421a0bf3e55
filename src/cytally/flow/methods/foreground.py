"""A frame against the ground -> numbered cells.

Where the ground stands still, what differs from it by several sigma is a cell, whether it moves or
not: a threshold with hysteresis finds slow cells that a threshold on the flow's norm (thesis
section A.3.2) loses.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from cytally.errors import SettingsError
from cytally.flow.methods.protocol import Float32
from cytally.segmentation.declump import outline_distance, relabelled
from cytally.types import IntArray

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ForegroundSettings:
    """What is a cell.

    Attributes
    ----------
    bright : bool
        What is brighter than the ground is part of a cell as well. Shadows are dark and have a bright ring around them, which is
        none; a bright middle is a hole, which is filled.
    grow : int
        Pixels by which regions are grown: between the dark body and its bright ring the rim of a cell crosses the ground's level.
    low, high : float
        A region of more than `low` sigma off the ground is a cell where it reaches `high`.
    close : int
        Side of the square that closes cracks, pixels.
    smallest : int
        Pixels; less is noise.
    largest_hole : int
        Pixels; holes up to this size are filled, a ring of touching cells keeps its lumen.
    neck : float
        Pixels by which the distance to the outline must fall between two cells that touch (h of an
        h-maximum): 0 parts at every dent.
    solid : float
        Regions that fill this share of their convex hull are one cell.
    """

    bright: bool = False
    grow: int = 1
    low: float = 2.5
    high: float = 5.0
    close: int = 3
    smallest: int = 12
    largest_hole: int = 200
    neck: float = 0.75
    solid: float = 0.975

    def __post_init__(self) -> None:
        """Refuse thresholds in the wrong order."""
        if not 0 < self.low <= self.high:
            raise SettingsError(f"expected 0 < low <= high thresholds, got {self.low:g} and {self.high:g} sigma")


@dataclass(frozen=True)
class Cells:
    """Cells of one frame: numbers from 1, (rows, cols), and which touch another one, (n,)."""

    labels: IntArray
    joined: Mask


def cells_of(frame: Float32, settings: ForegroundSettings) -> Cells:
    """Cells of a frame minus the ground, in units of the noise.

    Regions are 8-connected. A tie between two equal maxima of a cell is one maximum where the
    distance does not fall by `neck` between them, so that a flat top is counted once.
    """
    height = np.abs(frame) if settings.bright else np.maximum(-frame, 0)
    dark = hysteresis(np.asarray(height, np.float32), settings).astype(np.uint8)
    grown = cv2.dilate(dark, np.ones((3, 3), np.uint8), iterations=settings.grow) > 0
    mask = filled(np.asarray(grown), settings.largest_hole)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= settings.smallest
    large[0] = False
    numbers = np.cumsum(large) * large
    labels = np.take(numbers.astype(np.int32), labels)
    return parted(labels, stats[large], settings)


def hysteresis(height: Float32, settings: ForegroundSettings) -> Mask:
    """Regions above `low` that reach `high`, cracks closed."""
    _, labels = cv2.connectedComponents((height > settings.low).view(np.uint8), connectivity=8)
    reaches = np.zeros(int(labels.max()) + 1, bool)
    reaches[labels[height > settings.high]] = True
    reaches[0] = False
    square = np.ones((settings.close, settings.close), np.uint8)
    mask = reaches[labels].view(np.uint8)
    edge = settings.close
    padded = cv2.copyMakeBorder(mask, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, square)[edge:-edge, edge:-edge]
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0)


def filled(mask: Mask, largest: int) -> Mask:
    """The mask with its holes of up to `largest` pixels filled; what reaches the border is no hole."""
    _, outside, stats, _ = cv2.connectedComponentsWithStats((~mask).view(np.uint8), connectivity=4)
    hole = stats[:, cv2.CC_STAT_AREA] <= largest
    hole[0] = False
    border = np.concatenate([outside[0], outside[-1], outside[:, 0], outside[:, -1]])
    hole[border] = False
    return np.asarray(mask | hole[outside])


def parted(labels: IntArray, stats: NDArray[np.int32], settings: ForegroundSettings) -> Cells:
    """Regions with a dent, parted where the distance to the outline has several maxima."""
    result, following = labels.copy(), int(labels.max(initial=0))
    joined = [False] * following
    for number, (left, top, width, height, area) in enumerate(stats.tolist(), start=1):
        window = (slice(top, top + height), slice(left, left + width))
        mine = labels[window] == number
        if area < 2 * settings.smallest or _solidity(mine, area) >= settings.solid:
            continue
        parts = parts_of(mine, settings)
        more = int(parts.max()) - 1
        if more < 1:
            continue
        names = np.concatenate([[0, number], following + np.arange(1, more + 1)])
        result[window][mine] = names[parts[mine]]
        joined[number - 1] = True
        joined += [True] * more
        following += more
    return Cells(relabelled(result), np.asarray(joined, bool))


def parts_of(mine: Mask, settings: ForegroundSettings) -> IntArray:
    """One region -> its cells, numbered from 1; parts too small to be cells fall to a neighbour."""
    padded = np.pad(mine, 1)
    distance = outline_distance(padded)
    tops = h_maxima(distance, settings.neck).astype(np.uint8)
    markers: IntArray = np.asarray(cv2.connectedComponents(tops, connectivity=8)[1], np.int32)
    while True:
        parts = np.asarray(watershed(-distance, markers, mask=padded), np.int32)
        area = np.bincount(parts.ravel(), minlength=2)[1:]
        if len(area) < 2 or area.min() >= settings.smallest:
            return np.asarray(relabelled(parts)[1:-1, 1:-1])
        markers[markers == int(area.argmin()) + 1] = 0
        markers = relabelled(markers)


def _solidity(mine: Mask, area: int) -> float:
    """Share of the convex hull, in pixels, that a region fills."""
    outline, _ = cv2.findContours(mine.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.zeros(mine.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(outline)), 1)
    return area / max(int(hull.sum()), 1)
