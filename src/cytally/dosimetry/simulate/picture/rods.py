"""A body of rods -> its optical density: light passes through round chromatids.

Along each chromatid lies a row of balls; a pixel is as dense as the thickest of them
there. Where two chromatids lie over each other, part of the lesser density is added.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.picture.shape import Body, Rods

#: How much thinner chromatids are paler: density goes with radius to this power.
_THIN = 0.5


def rod_density(body: Body, rods: Rods) -> tuple[NDArray[np.float32], int, int]:
    """Relative optical density (h, w) of one body alone, and the row and column of its first pixel."""
    reach = int(np.ceil(body.radius.max())) + 1
    top, left = np.floor(body.chromatids.min(axis=(0, 1))).astype(int) - reach
    bottom, right = np.ceil(body.chromatids.max(axis=(0, 1))).astype(int) + reach
    thickest = float(np.median(body.radius[:, len(body.radius[0]) // 4 :]))
    pair = []
    for path, radius, density in zip(body.chromatids, body.radius, body.density, strict=True):
        canvas = np.zeros((bottom - top + 1, right - left + 1), np.float32)
        _balls(canvas, path - (top, left), radius, density * (radius / thickest) ** _THIN, rods.round, reach)
        pair.append(canvas)
    one, two = pair
    return np.maximum(one, two) + np.float32(rods.merge) * np.minimum(one, two), int(top), int(left)


def _balls(
    canvas: NDArray[np.float32],
    path: NDArray[np.float64],
    radius: NDArray[np.float64],
    height: NDArray[np.float64],
    power: float,
    reach: int,
) -> None:
    """Lay one ball per sample onto the canvas, the densest on top."""
    corner = np.rint(path).astype(int) - reach
    side = np.arange(2 * reach + 1)
    off = (path - corner).astype(np.float32)
    down, right = side - off[:, :1], side - off[:, 1:]
    inside = 1 - (down[:, :, None] ** 2 + right[:, None, :] ** 2) / (radius**2).astype(np.float32)[:, None, None]
    balls = np.maximum(inside, 0) ** np.float32(power) * height.astype(np.float32)[:, None, None]
    for (row, col), ball in zip(corner.tolist(), balls, strict=True):
        window = canvas[max(row, 0) : row + side.size, max(col, 0) : col + side.size]
        np.maximum(window, ball[max(-row, 0) :, max(-col, 0) :][: window.shape[0], : window.shape[1]], out=window)
