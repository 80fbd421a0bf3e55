"""Cells and motion found in a frame against its truth (Deschemps 2023, section A.3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray, IntArray

#: Pixels per frame above which a cell is fast.
FAST = 3.0


@dataclass(frozen=True)
class FrameScores:
    """How one frame was met.

    Attributes
    ----------
    shared, either : int
        Pixels of cells in both masks, and in at least one.
    reached : int
        Pixels in at least one mask, where cells that were missed count as ground.
    found, true : int
        Cells.
    missed : int
        True cells of which no pixel was found.
    endpoint, fast : float
        Mean length of the error of the flow on pixels of true cells, and on those of cells faster than `FAST`; NaN
        without any.
    ground : float
        Mean length of the flow outside all cells, pixels.
    """

    shared: int
    either: int
    reached: int
    found: int
    true: int
    missed: int
    endpoint: float
    fast: float
    ground: float

    @property
    def iou_all(self) -> float:
        """Intersection over union of the masks; NaN where both are empty."""
        return self.shared / self.either if self.either else float("nan")

    @property
    def iou_boundary(self) -> float:
        """The same when missed cells are ground: how well the others are outlined; at least `iou_all`."""
        return self.shared / self.reached if self.reached else float("nan")

    @property
    def count_error(self) -> float:
        """Relative error of the number of cells, signed; NaN without a true one."""
        return (self.found - self.true) / self.true if self.true else float("nan")


def frame_scores(labels: IntArray, flow: FloatArray, truth: IntArray, moved: FloatArray) -> FrameScores:
    """Compare one frame.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, cols)
        Cells found, numbered from 1; 0 on the ground.
    flow : ndarray of shape (2, rows, cols)
        What was found of their way to the next frame, pixels.
    truth, moved : ndarray
        The same as it is; numbers need not follow each other.
    """
    mask, real = labels > 0, truth > 0
    numbers, area = np.unique(truth[real], return_counts=True)
    met = np.unique(truth[real & mask])
    lost = ~np.isin(numbers, met)
    either = int((mask | real).sum())
    error = np.hypot(*(flow - moved))
    fast = real & (np.hypot(*moved) > FAST)
    return FrameScores(
        shared=int((mask & real).sum()),
        either=either,
        reached=either - int(area[lost].sum()),
        found=len(np.unique(labels[mask])),
        true=len(numbers),
        missed=int(lost.sum()),
        endpoint=_mean(error, real),
        fast=_mean(error, fast),
        ground=_mean(np.hypot(*flow), ~mask & ~real),
    )


def _mean(values: FloatArray, where: NDArray[np.bool_]) -> float:
    return float(values[where].mean()) if where.any() else float("nan")
