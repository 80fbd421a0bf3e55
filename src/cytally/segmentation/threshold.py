"""Otsu's threshold, one for an image and one for each neighbourhood of it."""

from __future__ import annotations

from itertools import pairwise

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
    return float(np.nan_to_num(_best(counts.reshape(BINS, 1).astype(float)))[0])


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
    of_col = np.repeat(np.arange(across) * BINS, np.diff(cols))
    result = np.empty((len(rows) - 1, across))
    for k, (top, bottom) in enumerate(pairwise(rows)):  # a row of blocks at a time stays in the cache
        counts = np.bincount((levels[top:bottom] + of_col).ravel(), minlength=across * BINS)
        result[k] = _best(counts.reshape(across, BINS).T.astype(np.float32))
    return result


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
    coarse = [_centres(size, max(2, -(-size // 4))) for size in levels.shape]
    smooth = blend(coarse[0], coarse[1]).astype(np.float32)
    local = cv2.resize(smooth, levels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(local, LOCAL_RANGE[0] * everywhere, LOCAL_RANGE[1] * everywhere), np.float32)


def _centres(size: int, count: int) -> FloatArray:
    """Middles of `count` equal parts of a side, as pixels: what a resized image is sampled at."""
    return (np.arange(count) + 0.5) * size / count - 0.5


def _edges(size: int, window: int) -> NDArray[np.int64]:
    """Block borders along one side."""
    blocks = max(2, size // window)
    return np.rint(np.linspace(0, size, blocks + 1)).astype(np.int64)


def _best(counts: NDArray[np.floating]) -> FloatArray:
    """Otsu's level of each histogram (256, n), as a fraction of 1; NaN without any light.

    Maximises w0 w1 (mu0 - mu1)^2 (thesis eq. 3.4), which is (M n0 - N m0)^2 / (n0 (N - n0)) but for
    a constant, with n0 pixels and the first moment m0 up to a level, N and M in all; the lowest of
    equals. 0 wherever all pixels lie on one side, so a histogram of one level has nothing above 0.
    """
    counts[0] = 0
    below = np.cumsum(counts, axis=0)
    moment = np.cumsum(counts * np.arange(BINS, dtype=counts.dtype)[:, None], axis=0)
    total, whole = below[-1].copy(), moment[-1].copy()
    between = (whole * below - total * moment) ** 2 / np.maximum(below * (total - below), 1)
    level = between.argmax(axis=0).astype(float)
    only = np.divide(whole, total, out=np.full(len(level), np.nan), where=total > 0, casting="unsafe")
    return np.asarray(np.where(between.max(axis=0) > 0, level, only) / (BINS - 1))
