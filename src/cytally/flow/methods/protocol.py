"""What a method of motion is; a learned one is one more class beside the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cytally.types import IntArray

#: A frame minus the ground, in units of the noise, (rows, cols); a flow, (2, rows, cols) in pixels per frame.
Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Moved:
    """What two frames say.

    Attributes
    ----------
    labels : ndarray of int32, shape (rows, cols)
        Cells of the first frame, numbered from 1; 0 on the ground.
    flow : ndarray of float32, shape (2, rows, cols)
        (d_row, d_col) to the next frame in pixels per frame, 0 on the ground: f_12 of thesis eq. A.1.
    joined : ndarray of bool, shape (n,)
        Cells that touch another one: parted by their outline.
    """

    labels: IntArray
    flow: Float32
    joined: NDArray[np.bool_]


@runtime_checkable
class FlowMethod(Protocol):
    """A way from two frames to cells and their motion."""

    @property
    def name(self) -> str:
        """As it is asked for and noted."""
        ...

    def move(self, first: Float32, second: Float32) -> Moved:
        """Cells of `first` and their way to `second`; both minus the ground, in units of the noise."""
        ...


def numbered_cells(labels: IntArray) -> IntArray:
    """Numbers of the cells in a picture of labels, (n,)."""
    return np.arange(1, int(labels.max(initial=0)) + 1, dtype=np.int32)


def mean_in_cells(labels: IntArray, values: Float32) -> NDArray[np.float64]:
    """Mean of each plane of `values` (k, rows, cols) within each cell, (n, k)."""
    where = np.flatnonzero(labels)
    owner = labels.ravel()[where]
    most = int(labels.max(initial=0)) + 1
    area = np.maximum(np.bincount(owner, minlength=most)[1:], 1)
    sums = [np.bincount(owner, plane.ravel()[where], minlength=most)[1:] for plane in values]
    return np.stack([each / area for each in sums], axis=1)
