"""Why a detector was wrong: what truly lies at the place of a false detection.

Only a simulator can say so for thousands of cells; a person says it for a few dozen
(`evaluate --normal` shows them).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.cell import SimulatedCell
from cytally.dosimetry.simulate.picture.shape import Body
from cytally.types import FloatArray

#: In the order in which they are asked; the first that fits is the cause.
CAUSES = (
    "debris or nucleus",
    "crossing or overlapping",
    "touching end to end",
    "touching side by side",
    "twisted chromatids",
    "bent",
    "single chromosome",
)
#: A body is near within this many of its own widths.
_NEAR = 0.8
#: Centrelines nearer than this many widths overlap; nearer than the other, bodies touch.
_OVERLAP, _TOUCH = 0.55, 1.25
#: Chromatids closer than this part of their usual distance, away from a centromere, cross.
_CROSSED = 0.3
#: A centreline turning by more than this (radians) is bent.
_BENT = 1.0


def cause(place: FloatArray, cell: SimulatedCell) -> str:
    """What lies at a place, as one of `CAUSES`.

    Parameters
    ----------
    place : ndarray of shape (2,)
        (row, col) in pixels of the image.
    cell : SimulatedCell
    """
    distances = [float(np.linalg.norm(body.centreline - place, axis=1).min()) for body in cell.bodies]
    order = np.argsort(distances)
    nearest = cell.bodies[int(order[0])]
    width = width_of(nearest)
    if distances[order[0]] > _NEAR * width:
        return "debris or nucleus"
    for other in (cell.bodies[int(k)] for k in order[1:6]):
        gap, ends = _between(nearest, other, place, 1.2 * width)
        if gap < _OVERLAP * width:
            return "crossing or overlapping"
        if gap < _TOUCH * width:
            return "touching end to end" if ends else "touching side by side"
    if crossed(nearest):
        return "twisted chromatids"
    return "bent" if turning(nearest) > _BENT else "single chromosome"


def width_of(body: Body) -> float:
    """Median width over the length, pixels."""
    apart = np.linalg.norm(body.chromatids[0] - body.chromatids[1], axis=1)
    return float(np.median(apart + body.radius.sum(axis=0)))


def _between(one: Body, other: Body, place: FloatArray, reach: float) -> tuple[float, bool]:
    """Least distance of two centrelines near a place, and whether both meet there with an end."""
    mine = np.flatnonzero(np.linalg.norm(one.centreline - place, axis=1) < reach)
    gaps = np.linalg.norm(one.centreline[mine, None] - other.centreline[None], axis=2)
    if not gaps.size:
        return float("inf"), False
    here, there = np.unravel_index(int(gaps.argmin()), gaps.shape)
    return float(gaps.min()), _at_end(int(mine[here]), one) and _at_end(int(there), other)


def _at_end(index: int, body: Body) -> bool:
    """Within the outermost tenth of a centreline."""
    return min(index, len(body.centreline) - 1 - index) < max(len(body.centreline) // 10, 2)


def crossed(body: Body) -> bool:
    """Whether the chromatids meet anywhere but at a centromere."""
    apart = np.linalg.norm(body.chromatids[0] - body.chromatids[1], axis=1)
    free = np.ones(len(apart), bool)
    for centromere in body.centromeres:
        free &= np.linalg.norm(body.centreline - centromere, axis=1) > 0.6 * width_of(body)
    return bool((apart[free] < _CROSSED * np.median(apart)).any())


def turning(body: Body) -> float:
    """Largest difference between two directions of the centreline, radians."""
    steps = np.diff(body.centreline, axis=0)
    heading = np.unwrap(np.arctan2(steps[:, 0], steps[:, 1]))
    return float(np.ptp(heading)) if len(heading) else 0.0


def tally(causes: list[str]) -> NDArray[np.int64]:
    """How often each of `CAUSES` occurs."""
    return np.array([causes.count(name) for name in CAUSES])
