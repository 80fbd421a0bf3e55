"""The empty slide under an image: a smooth surface of light, and what is not slide."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray

Float32 = NDArray[np.float32]

_BLOCKS = 40  # along the longer side
_ROUNDS = 12
#: Where some microscopes burn a frame number: rows, columns of each corner.
CORNER = (24, 60)
#: Optics blur; two neighbouring pixels never differ by this share of the range.
_HARD_EDGE = 0.45


def background(grey: Float32) -> Float32:
    """Light of the empty slide at every pixel.

    A surface of second order is fitted to the bright end of each block, giving
    blocks that lie below it (nuclei, chromosomes) next to no weight.

    Parameters
    ----------
    grey : ndarray of float32, shape (h, w)

    Returns
    -------
    ndarray of float32, shape (h, w)
        Never below a twentieth of its largest value.
    """
    blocks = _bright_blocks(grey)
    basis = _surface(*blocks.shape)
    level = blocks.ravel().astype(float)
    weight = np.where(level >= np.quantile(level, 0.5), 1.0, 0.05)
    fit = np.zeros_like(level)
    for _ in range(_ROUNDS):
        scaled = basis * weight[:, None]
        coefficients = np.linalg.lstsq(scaled, level * weight, rcond=None)[0]
        fit = basis @ coefficients
        rest = level - fit
        above = np.abs(rest[rest > -0.02 * fit.max()])
        width = max(1.5 * float(np.median(above)) if above.size else 0.0, 0.008 * float(level.max()))
        weight = np.where(rest < -width, 0.02, np.where(rest > 3 * width, 0.3, 1.0))
    surface = np.maximum(fit, fit.max() / 20).reshape(blocks.shape).astype(np.float32)
    return np.asarray(cv2.resize(surface, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _bright_blocks(grey: Float32) -> Float32:
    """A high quantile of each block, from a smoothed, reduced image."""
    side = max(max(grey.shape) // (_BLOCKS * 4), 1)
    small = cv2.resize(
        grey, (max(grey.shape[1] // side, 4), max(grey.shape[0] // side, 4)), interpolation=cv2.INTER_AREA
    )
    rows, cols = (max(n // 4, 1) for n in small.shape)
    blocks = small[: rows * 4, : cols * 4].reshape(rows, 4, cols, 4).swapaxes(1, 2)
    return np.asarray(np.sort(blocks.reshape(rows, cols, 16), axis=2)[..., 12], np.float32)


def _surface(rows: int, cols: int) -> FloatArray:
    grid = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, cols), indexing="ij")
    y, x = (axis.ravel() for axis in grid)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def without_corner_text(grey: Float32) -> Float32:
    """Replace a frame number burnt into a corner by the level beside it.

    Text is told from slide by its edges, which are harder than any lens can
    draw them. Corners without such edges stay untouched.
    """
    span = float(grey.max() - grey.min())
    height, width = CORNER
    if grey.shape[0] < 4 * height or grey.shape[1] < 4 * width:
        return grey
    result = grey
    for rows in (slice(0, height), slice(-height, None)):
        for cols in (slice(0, width), slice(-width, None)):
            box = grey[rows, cols]
            steps = max(np.abs(np.diff(box, axis=0)).max(), np.abs(np.diff(box, axis=1)).max())
            if steps > _HARD_EDGE * span:
                result = result.copy() if result is grey else result
                result[rows, cols] = np.median(box)
    return result
