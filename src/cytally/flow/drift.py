"""By how much the ground lies beside itself in another frame: phase correlation, then least squares."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.images.register import Float32, Offset, shift_between
from cytally.types import FloatArray

#: Peaks of the correlation below so many standard deviations are chance: the ground shows nothing to hold on to.
CERTAIN = 8.0
#: Longer sides are cut to the middle of the frame: enough texture, and quick.
_WIDEST = 768
_ROUNDS = 4


def drift_between(ground: NDArray[np.generic], frame: NDArray[np.generic], largest: int = 40) -> Offset:
    """How far the ground moved in a frame, in pixels.

    Phase correlation finds it to about a pixel, weighted least squares on the brightness (Lucas and
    Kanade 1981) to a few hundredths. Pixels that changed much, such as cells, weigh little.

    Parameters
    ----------
    ground, frame : ndarray of shape (rows, cols)
    largest : int
        Pixels; moves beyond are not found.

    Returns
    -------
    Offset
        Certainty below `CERTAIN` means that nothing was found.
    """
    first, second = _middle(ground), _middle(frame)
    coarse = shift_between(first, second, largest)
    if coarse.certainty < CERTAIN:
        return coarse
    smooth = [cv2.GaussianBlur(part, (0, 0), 1.0).astype(np.float32) for part in (first, second)]
    row, col = coarse.row, coarse.col
    for _ in range(_ROUNDS):
        step = _step(smooth[0], shifted(smooth[1], -row, -col))
        row, col = row + step[0], col + step[1]
    if abs(row - coarse.row) > 1.5 or abs(col - coarse.col) > 1.5:  # ran away: nothing to hold on to
        return coarse
    return Offset(row, col, coarse.certainty)


def shifted(pixels: Float32, row: float, col: float) -> Float32:
    """The picture with its content moved by a part of a pixel (cubic); what comes in repeats the border."""
    matrix = np.array([[1, 0, col], [0, 1, row]], np.float64)
    size = (pixels.shape[1], pixels.shape[0])
    moved = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _middle(pixels: NDArray[np.generic]) -> Float32:
    rows, cols = (slice(max(0, (n - _WIDEST) // 2), max(0, (n - _WIDEST) // 2) + _WIDEST) for n in pixels.shape)
    return np.ascontiguousarray(pixels[rows, cols], np.float32)


def _step(first: Float32, second: Float32) -> tuple[float, float]:
    """Move of `second` that is left, to first order: sum w g (g . d) = sum w g (first - second)."""
    inside = (slice(8, -8), slice(8, -8))
    slopes: list[FloatArray] = list(np.gradient((first + second) / 2))
    down, right = slopes
    down, right, change = down[inside].ravel(), right[inside].ravel(), (first - second)[inside].ravel()
    change = change - np.median(change)
    spread = 1.4826 * float(np.median(np.abs(change))) + 1e-6
    weight = 1 / (1 + (change / (3 * spread)) ** 2) ** 2
    normal = np.array([[weight @ (down * down), weight @ (down * right)], [weight @ (down * right), weight @ right**2]])
    wanted = np.array([weight @ (down * change), weight @ (right * change)])
    solved: FloatArray = np.asarray(np.linalg.lstsq(normal, wanted, rcond=None)[0])
    step = np.clip(solved, -1, 1)
    return float(step[0]), float(step[1])
