"""Where a blurred nucleus ends: at half its height above the ground around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import expand_labels

from cytally.labels.declump import relabelled
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]


def at_half_height(labels: IntArray, stain: NDArray[np.generic], *, level: float = 0.5, reach: int = 3) -> IntArray:
    """Redraw every outline on the raw stain, at half height between its ring and its middle.

    A threshold taken after CLAHE lies anywhere on the slope of an edge, and nuclei come out too
    large; whatever the blur, the edge of a uniform disk lies where half the light is left.

    Parameters
    ----------
    labels : ndarray of int32, shape (h, w)
    stain : ndarray of shape (h, w)
        Raw intensities.
    level : float
        Height of the outline between ground (0) and nucleus (1).
    reach : int
        Pixels by which an outline may grow.

    Returns
    -------
    ndarray of int32, shape (h, w)
        Each object's largest piece; objects of which nothing is left are gone.
    """
    count = int(labels.max(initial=0))
    if not count:
        return labels
    raw = cv2.GaussianBlur(np.asarray(stain, np.float32), (0, 0), 0.7)
    ground, inside = means(raw, rings(labels), count), upper_half_means(raw, labels, count)
    limit = np.concatenate([[np.inf], ground + level * (inside - ground)]).astype(np.float32)
    near = np.asarray(expand_labels(labels, reach), np.int32)
    return largest_pieces(np.where(raw >= limit[near], near, 0).astype(np.int32))


def rings(labels: IntArray, inner: int = 2, outer: int = 6) -> IntArray:
    """Pixels `inner` to `outer` around each object that belong to none; shared by the nearer of two."""
    near, far = (expand_labels(labels, distance) for distance in (inner, outer))
    return np.where(near == 0, far, 0).astype(np.int32)


def means(values: Float32, labels: IntArray, count: int) -> FloatArray:
    """Mean of the values over each object 1..count; 0 where it has no pixel."""
    total = np.bincount(labels.ravel(), weights=values.ravel(), minlength=count + 1)
    pixels = np.bincount(labels.ravel(), minlength=count + 1)
    return np.asarray((total / np.maximum(pixels, 1))[1 : count + 1])


def upper_half_means(values: Float32, labels: IntArray, count: int) -> FloatArray:
    """Mean of each object over its pixels above its own mean: its plateau, without the slope."""
    middle = np.concatenate([[np.inf], means(values, labels, count)]).astype(np.float32)
    return means(values, np.where(values >= middle[labels], labels, 0).astype(np.int32), count)


def largest_pieces(labels: IntArray) -> IntArray:
    """Of each object its largest 8-connected piece, numbered again."""
    pieces = cv2.connectedComponents((labels > 0).astype(np.uint8), connectivity=8)[1]
    apart = _parted(labels, pieces)
    owner = np.zeros(int(apart.max(initial=0)) + 1, np.int64)
    owner[apart.ravel()] = labels.ravel()
    area = np.bincount(apart.ravel(), minlength=len(owner)).astype(np.int64)
    area[0] = 0
    best = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    order = np.argsort(area, kind="stable")
    best[owner[order]] = order  # the largest comes last and stays
    keep = np.zeros(len(owner), bool)
    keep[best[1:]] = True
    keep[0] = False
    return relabelled(np.where(keep[apart], labels, 0).astype(np.int32))


def _parted(labels: IntArray, pieces: IntArray) -> IntArray:
    """Pieces that hold several objects are cut where the objects' numbers change."""
    code = pieces.astype(np.int64) * (int(labels.max(initial=0)) + 1) + labels
    code[labels == 0] = 0
    _, numbered = np.unique(code, return_inverse=True)
    return np.asarray(numbered.reshape(labels.shape), np.int32)
