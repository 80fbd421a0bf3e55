"""Otsu's threshold, one for an image and one for each neighbourhood of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from cytally.types import FloatArray

Float32 = NDArray[np.float32]
BINS = 256
#: A local threshold may leave the global one by no more than these factors (CellProfiler).
LOCAL_RANGE = (0.7, 1.5)


def otsu(levels: NDArray[np.uint8]) -> float:
    """Global threshold: the level that best parts dark from bright (thesis eq. 3.4).

    Parameters
    ----------
    levels : ndarray of uint8
        Intensities 0..1 in steps of 1/255; zeros are taken for no light at all and ignored.

    Returns
    -------
    float
        In [0, 1]; pixels above it are bright. The only level where there is one, 0 without any.

    Examples
    --------
    >>> round(otsu(np.array([10] * 90 + [200] * 10, np.uint8)) * 255)
    10
    """
    counts = cv2.calcHist([np.atleast_2d(levels)], [0], None, [BINS], [0, BINS])
    return float(_best(counts.reshape(1, BINS).astype(float))[0])


def block_otsu(levels: NDArray[np.uint8], window: int) -> FloatArray:
    """Otsu's threshold of each block of about `window` x `window` pixels.

    Returns
    -------
    ndarray of shape (blocks down, blocks across)
        At least 2 x 2; sides are shared out evenly, blocks do not overlap. NaN where a block
        holds nothing but zeros.
    """
    rows, cols = (_edges(size, window) for size in levels.shape)
    across = len(cols) - 1
    of_row = np.repeat(np.arange(len(rows) - 1, dtype=np.int32), np.diff(rows)) * across
    of_col = np.repeat(np.arange(across, dtype=np.int32), np.diff(cols))
    number = (of_row[:, None] + of_col[None]) * BINS
    counts = np.bincount((number + levels).ravel(), minlength=(len(rows) - 1) * across * BINS)
    return _best(counts.reshape(-1, BINS).astype(np.float32)).reshape(len(rows) - 1, across)


def adaptive_threshold(levels: NDArray[np.uint8], window: int = 20) -> Float32:
    """A threshold for each pixel: Otsu per block, blended by a spline, kept near the global one.

    As CellProfiler's adaptive strategy: blocks that do not overlap, cubic spline through their
    centres, then clipped to [0.7, 1.5] times the global threshold.

    Parameters
    ----------
    levels : ndarray of uint8, shape (h, w)
    window : int
        Edge of a block in pixels (thesis: 20).

    Returns
    -------
    ndarray of float32, shape (h, w), in [0, 1]
    """
    everywhere = otsu(levels)
    blocks = block_otsu(levels, window)
    blocks = np.where(np.isnan(blocks), everywhere, blocks)
    centres = [(edges[:-1] + edges[1:] - 1) / 2 for edges in (_edges(size, window) for size in levels.shape)]
    degree = [min(3, len(each) - 1) for each in centres]
    blend = RectBivariateSpline(centres[0], centres[1], blocks, kx=degree[0], ky=degree[1], s=0)
    coarse = [np.linspace(0, size - 1, max(2, -(-size // 4))) for size in levels.shape]
    smooth = blend(coarse[0], coarse[1]).astype(np.float32)
    local = _enlarged(smooth, (levels.shape[0], levels.shape[1]))
    return np.clip(local, LOCAL_RANGE[0] * everywhere, LOCAL_RANGE[1] * everywhere)


def _enlarged(coarse: Float32, shape: tuple[int, int]) -> Float32:
    """Linear between the spline's values at every fourth pixel, ends on ends."""
    to_full = [(size - 1) / max(short - 1, 1) for size, short in zip(shape, coarse.shape, strict=True)]
    matrix = np.array([[to_full[1], 0, 0], [0, to_full[0], 0]], np.float32)
    size = (shape[1], shape[0])
    return np.asarray(
        cv2.warpAffine(coarse, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def _edges(size: int, window: int) -> NDArray[np.int64]:
    """Block borders along one side."""
    blocks = max(2, size // window)
    return np.rint(np.linspace(0, size, blocks + 1)).astype(np.int64)


def _best(counts: NDArray[np.floating]) -> FloatArray:
    """Otsu's level of each histogram (n, 256), as a fraction of 1.

    Maximises w0 w1 (mu0 - mu1)^2 = (m w0 - m0)^2 / (w0 w1) with w0 the share and m0 the first
    moment up to a level (thesis eq. 3.4); the lowest of equals.
    """
    counts = counts.copy()
    counts[:, 0] = 0
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.cumsum(counts, axis=1) / total
        moment = np.cumsum(counts * np.arange(BINS, dtype=counts.dtype), axis=1) / total
        between = (moment[:, -1:] * share - moment) ** 2 / (share * (1 - share))
    between[~np.isfinite(between)] = -1
    between[share > 1 - 1e-6] = -1  # the last level that occurs leaves nothing above it
    level = between.argmax(axis=1).astype(float)
    single = between.max(axis=1) < 0
    only = np.divide(moment[:, -1], 1.0)
    level[single] = only[single]
    level[total[:, 0] == 0] = np.nan if len(counts) > 1 else 0.0
    return np.asarray(level / (BINS - 1))
