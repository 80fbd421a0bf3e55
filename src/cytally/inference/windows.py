"""Where it is worth looking: windows of an image that hold what can matter, with the margin that makes them exact.

A network answers at a place from what lies within its receptive field. Two things follow. Far
from anything stained it sees empty slide, and answers as it answers there: with nothing. And a
window with the receptive field around it gives the same answers as the whole image. So networks
look at windows, and only the rest is taken as read.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.inference.members import Member
from cytally.nets.architecture import Architecture

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]
Window = tuple[slice, slice]
#: Density, in units of the chromosomes' own and smoothed over noise, below which slide is empty.
EMPTY = 0.15
#: How far from anything stained, in pixels, an answer may matter.
_NEAR = 16
#: Larger windows are looked at tile by tile; edge of a tile's core in pixels.
TILE = 1536
#: More windows than this are merged into one at once.
_MANY = 64
#: What it costs to run a graph at all, in coarse cells.
_CALL = 3.0


def occupied(density: Float32, architecture: Architecture) -> Mask:
    """Places of the map near anything stained, as coarse cells of `multiple` pixels.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    architecture : Architecture

    Returns
    -------
    ndarray of bool, shape (ceil(h / multiple), ceil(w / multiple))
    """
    stained = cv2.GaussianBlur(density, (5, 5), 1.0) > EMPTY
    cells = coarse(stained, architecture.multiple)
    grow = -(-_NEAR // architecture.multiple)
    kernel = np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)
    return np.asarray(cv2.dilate(cells.astype(np.uint8), kernel) > 0)


def coarse(mask: Mask, size: int) -> Mask:
    """Cells of size x size that hold anything of a mask (h, w)."""
    height, width = mask.shape
    whole = np.pad(mask, ((0, -height % size), (0, -width % size)))
    rows, cols = whole.shape[0] // size, whole.shape[1] // size
    return np.asarray(whole.reshape(rows, size, cols, size).any(axis=(1, 3)))


def windows(cells: Mask, architecture: Architecture) -> list[Window]:
    """Rectangles of coarse cells that hold all cells of a mask and cost least with their margins.

    Parts that touch are one rectangle; two rectangles are merged as long as that makes less to
    look at, margins included.

    Parameters
    ----------
    cells : ndarray of bool, shape (rows, cols)
    architecture : Architecture

    Returns
    -------
    list of (slice, slice)
        In coarse cells.
    """
    number, _, stats, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=8)
    if number == 1:
        return []
    left, top, width, height = stats[1:, :4].T.astype(int)
    boxes = np.stack([top, left, top + height, left + width], axis=1)
    if len(boxes) > _MANY:
        boxes = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])[None]
    while len(boxes) > 1:
        merged = _merged_once(boxes, architecture, cells.shape)
        if merged is None:
            break
        boxes = merged
    return [(slice(int(a), int(c)), slice(int(b), int(d))) for a, b, c, d in boxes]


def _merged_once(
    boxes: NDArray[np.int64], architecture: Architecture, shape: tuple[int, int]
) -> NDArray[np.int64] | None:
    """The two boxes whose merging saves most become one; None where nothing is saved."""
    first, second = np.triu_indices(len(boxes), 1)
    joined = np.concatenate(
        [
            np.minimum(boxes[first, :2], boxes[second, :2]),
            np.maximum(boxes[first, 2:], boxes[second, 2:]),
        ],
        axis=1,
    )
    alone = _cost(boxes, architecture, shape)
    saved = alone[first] + alone[second] - _cost(joined, architecture, shape)
    best = int(np.argmax(saved))
    if saved[best] < 0:
        return None
    kept = np.delete(boxes, [first[best], second[best]], axis=0)
    return np.concatenate([kept, joined[best][None]])


def _cost(boxes: NDArray[np.int64], architecture: Architecture, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Work for each window, in cells: a third on the way down, two thirds on the way up, and the call."""
    work = np.full(len(boxes), _CALL)
    margins = (-(-architecture.halo // architecture.multiple), architecture.margin)
    for margin, share in zip(margins, (1 / 3, 2 / 3), strict=True):
        low = np.maximum(boxes[:, :2] - margin, 0)
        high = np.minimum(boxes[:, 2:] + margin, shape)
        work += share * (high - low).prod(axis=1)
    return work


def look_at(density: Float32, member: Member, found: list[Window], heat: Float32) -> None:
    """Fill windows (in coarse cells) of a member's heatmaps (classes, h, w) as the whole image would.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    member : Member
    found : list of (slice, slice)
        From `windows`.
    heat : ndarray of float32, shape (classes, ceil(h / step), ceil(w / step))
        Changed inside the windows.
    """
    edge = TILE // member.architecture.multiple
    for rows, cols in found:
        for top in range(rows.start, rows.stop, edge):
            for left in range(cols.start, cols.stop, edge):
                part = (slice(top, min(top + edge, rows.stop)), slice(left, min(left + edge, cols.stop)))
                _look_at_one(density, member, part, heat)


def _look_at_one(density: Float32, member: Member, window: Window, heat: Float32) -> None:
    how = member.architecture
    cell, step = how.multiple, how.step
    margin = -(-how.halo // cell) * cell
    starts = [max(part.start * cell - margin, 0) for part in window]
    stops = [min(part.stop * cell + margin, size) for part, size in zip(window, density.shape, strict=True)]
    crop = density[starts[0] : stops[0], starts[1] : stops[1]]
    below, beside = (-size % cell for size in crop.shape)  # only at the end of the image
    crop = np.pad(crop, ((0, below), (0, beside))) if below or beside else crop
    rows, cols = (
        slice(part.start - start // cell, part.stop - start // cell) for part, start in zip(window, starts, strict=True)
    )
    answers = member.inside(crop, (rows, cols))
    target = tuple(
        slice(part.start * cell // step, min(part.stop * cell // step, size))
        for part, size in zip(window, heat.shape[1:], strict=True)
    )
    height, width = (part.stop - part.start for part in target)
    heat[:, target[0], target[1]] = answers[:, :height, :width]
