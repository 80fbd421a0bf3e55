"""The default: cells stand out from the ground, and each has one vector."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.flow.methods.foreground import ForegroundSettings, cells_of
from cytally.flow.methods.protocol import Float32, Moved
from cytally.segmentation.regions import centres
from cytally.types import FloatArray, IntArray

#: Sigma of noise that black and white lie from grey in what OpenCV is given.
_REACH = 40.0


@dataclass(frozen=True)
class Components:
    """Components of the foreground; a vector per cell from Lucas and Kanade's method, coarse to fine.

    Attributes
    ----------
    foreground : ForegroundSettings
    window : int
        Side of the window around a cell's centre, pixels.
    levels : int
        Halvings of the picture: the reach is about window * 2**levels / 2 pixels.
    """

    foreground: ForegroundSettings = field(default_factory=ForegroundSettings)
    window: int = 15
    levels: int = 2

    @property
    def name(self) -> str:
        """As it is asked for."""
        return "components"

    def move(self, first: Float32, second: Float32) -> Moved:
        """Cells of `first`, each with its mean way to `second`."""
        cells = cells_of(first, self.foreground)
        vectors = self.vectors(grey_levels(first), grey_levels(second), centres(cells.labels))
        return Moved(cells.labels, spread(cells.labels, vectors), cells.joined)

    def vectors(self, first: NDArray[np.uint8], second: NDArray[np.uint8], places: FloatArray) -> FloatArray:
        """(d_row, d_col) of each place (n, 2); 0 where nothing there can be followed."""
        if not len(places):
            return np.zeros((0, 2))
        points = places[:, None, ::-1].astype(np.float32)
        ended = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01)
        size = (self.window, self.window)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            first, second, points, None, winSize=size, maxLevel=self.levels, criteria=ended, minEigThreshold=1e-5
        )
        return np.asarray(np.where(found.reshape(-1, 1) > 0, (moved - points)[:, 0, ::-1], 0.0), float)


def grey_levels(frame: Float32, reach: float = _REACH) -> NDArray[np.uint8]:
    """A frame in units of noise as 8 bits for OpenCV: the ground is grey, +-`reach` sigma white and black."""
    return np.asarray(np.clip(128 + frame * (127 / reach), 0, 255).round(), np.uint8)


def spread(labels: IntArray, vectors: FloatArray) -> Float32:
    """A vector per cell (n, 2) -> the flow of every pixel (2, rows, cols), 0 on the ground."""
    table = np.concatenate([np.zeros((1, 2)), vectors]).astype(np.float32)
    return np.ascontiguousarray(np.moveaxis(table[labels], -1, 0))
