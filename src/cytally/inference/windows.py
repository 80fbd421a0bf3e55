"""Where it is worth looking: windows of an image that hold what can matter, with the margin that makes them exact.

A network answers at a place from what lies within its receptive field. Two things follow. Far
from anything stained it sees empty slide, and answers as it answers there: with nothing. And a
window with the receptive field around it gives the same answers as the whole image. So networks
look at windows, and only the rest is taken as read.

A library makes its kernels anew for every shape that it has not met, which takes longer than the
arithmetic: windows are grown to a few sizes, and images by empty slide, so that kernels are kept.
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
#: Edges to which windows are grown, in pixels.
EDGES = (64, 128, 192, 256, 384, 512, 768, 1024, TILE)
#: Images are filled up to a multiple of this with empty slide, below and right, in pixels.
GRID = 64
#: More windows than this are merged into one at once.
_MANY = 64
#: What it costs to run a graph at all, in coarse cells.
_CALL = 10.0


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


def grid(architecture: Architecture) -> int:
    """What height and width of a filled image are multiples of; both are powers of two."""
    return max(GRID, architecture.multiple)


def filled(density: Float32, architecture: Architecture) -> Float32:
    """A density with empty slide below and right, up to the next multiple of the grid."""
    below, beside = (-size % grid(architecture) for size in density.shape)
    return np.pad(density, ((0, below), (0, beside))) if below or beside else density


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
    """Work for each window as it is looked at, in cells: a third on the way down, two thirds on the way up, the call."""
    edges = np.array([*_edges(architecture), max(shape)])
    sizes = edges[np.minimum(np.searchsorted(edges, boxes[:, 2:] - boxes[:, :2]), len(edges) - 1)]
    work = np.full(len(boxes), _CALL)
    for margin, share in zip(_margins(architecture), (1 / 3, 2 / 3), strict=True):
        work += share * np.minimum(sizes + 2 * margin, shape).prod(axis=1)
    return work


def _edges(architecture: Architecture) -> list[int]:
    """`EDGES` in coarse cells."""
    return [edge // architecture.multiple for edge in EDGES]


def _margins(architecture: Architecture) -> tuple[int, int]:
    """Coarse cells around a window that its answers look at, and that the way up needs."""
    return -(-architecture.halo // architecture.multiple), architecture.margin


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
    cells = [-(-size // grid(how)) * grid(how) // cell for size in density.shape]
    grown = [_grown(part, size, how) for part, size in zip(window, cells, strict=True)]
    outer = [around(part, _margins(how)[0], size) for part, size in zip(grown, cells, strict=True)]
    crop = density[outer[0].start * cell : outer[0].stop * cell, outer[1].start * cell : outer[1].stop * cell]
    below, beside = ((part.stop - part.start) * cell - size for part, size in zip(outer, crop.shape, strict=True))
    crop = np.pad(crop, ((0, below), (0, beside))) if below or beside else crop  # at the end of the image
    rows, cols = (
        slice(part.start - whole.start, part.stop - whole.start) for part, whole in zip(grown, outer, strict=True)
    )
    answers = member.inside(crop, (rows, cols))
    target = tuple(
        slice(part.start * cell // step, min(part.stop * cell // step, size))
        for part, size in zip(grown, heat.shape[1:], strict=True)
    )
    height, width = (part.stop - part.start for part in target)
    heat[:, target[0], target[1]] = answers[:, :height, :width]


def _grown(part: slice, size: int, architecture: Architecture) -> slice:
    """A window's rows or columns, in coarse cells, grown to one of a few lengths or to all there are."""
    length = next(edge for edge in _edges(architecture) if edge >= part.stop - part.start)
    if length + 2 * architecture.margin >= size:
        return slice(0, size)
    start = min(max(part.start - (length - (part.stop - part.start)) // 2, 0), size - length)
    return slice(start, start + length)


def around(part: slice, margin: int, size: int) -> slice:
    """A window's rows or columns with a margin on both sides, moved rather than cut at the ends of the image."""
    length = min(part.stop - part.start + 2 * margin, size)
    start = min(max(part.start - margin, 0), size - length)
    return slice(start, start + length)
