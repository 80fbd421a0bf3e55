"""Classical dense flow, kept inside the cells: outside, noise has no texture and any vector fits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from cytally.flow.methods.cells import grey_levels
from cytally.flow.methods.foreground import ForegroundSettings, cells_of
from cytally.flow.methods.protocol import Float32, Moved

#: Two frames -> flow (2, rows, cols), (d_row, d_col) in pixels per frame.
Dense = Callable[[Float32, Float32], Float32]
#: Sigma of noise that variational methods see as their largest contrast.
_CONTRAST = 40.0


@dataclass(frozen=True)
class Masked:
    """A dense flow within the cells of the foreground.

    Attributes
    ----------
    name : str
    dense : callable
        Two frames in units of noise -> flow.
    foreground : ForegroundSettings
    """

    name: str
    dense: Dense
    foreground: ForegroundSettings = field(default_factory=ForegroundSettings)

    def move(self, first: Float32, second: Float32) -> Moved:
        """Cells of `first` and the flow within them."""
        cells = cells_of(first, self.foreground)
        if not len(cells.joined):
            return Moved(cells.labels, np.zeros((2, *first.shape), np.float32), cells.joined)
        return Moved(cells.labels, self.dense(first, second) * (cells.labels > 0), cells.joined)


def farneback(first: Float32, second: Float32) -> Float32:
    """Farneback's polynomial expansion (OpenCV), windows of 9 pixels, three levels."""
    flow = cv2.calcOpticalFlowFarneback(grey_levels(first), grey_levels(second), None, 0.5, 3, 9, 3, 5, 1.1, 0)
    return _rows_first(flow)


def inverse_search(first: Float32, second: Float32) -> Float32:
    """Dense inverse search, DIS (OpenCV), at its medium preset but refined to full resolution."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    return _rows_first(search.calc(grey_levels(first), grey_levels(second), None))


def total_variation(first: Float32, second: Float32) -> Float32:
    """TV-L1 (scikit-image)."""
    from skimage.registration import optical_flow_tvl1

    return np.asarray(optical_flow_tvl1(*_unit(first, second)), np.float32)


def iterative_lucas_kanade(first: Float32, second: Float32) -> Float32:
    """ILK (scikit-image), radius 5."""
    from skimage.registration import optical_flow_ilk

    return np.asarray(optical_flow_ilk(*_unit(first, second), radius=5), np.float32)


def _unit(first: Float32, second: Float32) -> tuple[Float32, Float32]:
    return first / _CONTRAST, second / _CONTRAST


def _rows_first(flow: Float32) -> Float32:
    """OpenCV's (rows, cols, (x, y)) -> (2, rows, cols), (row, col)."""
    return np.ascontiguousarray(np.moveaxis(flow[..., ::-1], -1, 0))
