"""Clumps -> single objects: one marker for each, then a watershed between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Declumping:
    """How touching nuclei are parted.

    Attributes
    ----------
    by : {"intensity", "shape", "none"}
        Markers and borders from brightness, or from the distance to the outline.
    smoothing : float
        Gaussian sigma in pixels before maxima are sought.
    suppression : float
        Maxima closer than this, in pixels, are one.
    neck : float
        Two neighbours are one object where the way from one maximum to the other never falls
        below this share of the lower maximum: an oval has no waist, a pair has one. 1 parts
        wherever there are two maxima, as CellProfiler does.
    largest : float
        Neighbours that would have more pixels than this together are never one: too large for
        a nucleus, they would be dropped with all that is in them.
    """

    by: str = "shape"
    smoothing: float = 1.4
    suppression: float = 3.3
    neck: float = 0.92
    largest: float = float("inf")


def declump(labels: IntArray, image: Float32, how: Declumping, touching: bool = False) -> IntArray:
    """Part the objects that hold more than one marker.

    Parameters
    ----------
    labels : ndarray of int32, shape (h, w)
        0 outside.
    image : ndarray of float32, shape (h, w)
        Brightness.
    how : Declumping
    touching : bool
        Objects may touch, and have outlines there too; connected components never do.

    Returns
    -------
    ndarray of int32, shape (h, w)
        Parts of a clump beyond the first have new numbers. Objects without a marker stay whole.
    """
    if how.by == "none":
        return labels
    inside = labels > 0
    if how.by == "intensity":
        height = smoothed_inside(image, inside, how.smoothing)
    else:
        height = outline_distance(inside & ~seams(labels) if touching else inside)
        height = cv2.GaussianBlur(height, (0, 0), how.smoothing) if how.smoothing > 0 else height
    height = np.asarray(cv2.copyTo(height, inside.view(np.uint8)), np.float32)  # 0 outside
    seeds = peak_markers(height, inside, how.suppression)
    owners = labels.ravel()[np.flatnonzero(seeds > 0)]
    count = np.bincount(owners, minlength=int(labels.max()) + 1)
    result = labels.copy()
    following = int(labels.max())
    for number, window in _boxes(labels, count > 1):
        mine = labels[window] == number
        markers = np.where(mine, seeds[window], 0)
        parts = watershed(-height[window], markers, mask=mine)
        parts = without_waistless(parts, height[window], how.neck, how.largest)[mine]
        kinds, part = np.unique(parts, return_inverse=True)
        names = np.append(number, following + np.arange(1, len(kinds)))  # the first keeps the clump's number
        result[window][mine] = names[part]
        following += len(kinds) - 1
    return result


def peak_markers(height: Float32, inside: NDArray[np.bool_], radius: float) -> IntArray:
    """One marker for each maximum within `radius`, numbered from 1; flat tops are one marker."""
    reach = max(1, round(radius))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    top = inside & (height >= cv2.dilate(height, disk))
    return np.asarray(cv2.connectedComponents(top.astype(np.uint8), connectivity=8)[1], np.int32)


def without_waistless(parts: IntArray, height: Float32, neck: float, largest: float = float("inf")) -> IntArray:
    """Join neighbours between which `height` falls no lower than `neck` times the lower of their maxima.

    The deepest joints first, so that three maxima in a row on one ridge become one. A saddle is
    the highest place on the border of two parts. Two that have more than `largest` pixels
    together stay two.
    """
    while neck < 1:
        peaks = np.zeros(int(parts.max()) + 1)
        np.maximum.at(peaks, parts.ravel(), height.ravel())
        area = np.bincount(parts.ravel())
        best, joined = neck, None
        for (one, other), saddle in _saddles(parts, height).items():
            depth = saddle / max(min(peaks[one], peaks[other]), 1e-9)
            if depth > best and area[one] + area[other] <= largest:
                best, joined = depth, (one, other)
        if joined is None:
            break
        parts = np.where(parts == joined[1], joined[0], parts)
    return parts


def _saddles(parts: IntArray, height: Float32) -> dict[tuple[int, int], float]:
    """Highest place on each border between two parts, (smaller number, larger) -> height."""
    found: dict[tuple[int, int], float] = {}
    rows, cols = parts.shape
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, rows - down), slice(max(0, -right), cols - max(0, right)))
        there = (slice(down, rows), slice(max(0, right), cols + min(0, right)))
        a, b = parts[here], parts[there]
        where = (a != b) & (a > 0) & (b > 0)
        level = np.minimum(height[here][where], height[there][where])
        for one, other, value in zip(a[where].tolist(), b[where].tolist(), level.tolist(), strict=True):
            key = (min(one, other), max(one, other))
            found[key] = max(found.get(key, 0.0), value)
    return found


def outline_distance(inside: NDArray[np.bool_]) -> Float32:
    """Distance of each inner pixel to the nearest outer one; the image's border is not an outline."""
    padded = np.pad(inside, 1, mode="edge").astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def seams(labels: IntArray) -> NDArray[np.bool_]:
    """Pixels below or right of another object's."""
    result = np.zeros(labels.shape, bool)
    result[1:] |= (labels[1:] != labels[:-1]) & (labels[:-1] > 0)
    result[:, 1:] |= (labels[:, 1:] != labels[:, :-1]) & (labels[:, :-1] > 0)
    return result & (labels > 0)


def smoothed_inside(image: Float32, inside: NDArray[np.bool_], sigma: float) -> Float32:
    """Gaussian mean over the inner pixels only, so that dark surroundings pull no maximum inwards."""
    weight = inside.astype(np.float32)
    if sigma <= 0:
        return image * weight
    total = cv2.GaussianBlur(image * weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6) * weight, np.float32)


def relabelled(labels: IntArray) -> IntArray:
    """The same objects, numbered 1..n without gaps, in the order of their numbers."""
    return kept(labels, np.concatenate([[0], areas(labels)]) > 0)


def kept(labels: IntArray, keep: NDArray[np.bool_]) -> IntArray:
    """Only the objects whose number is true in `keep` (n + 1,), numbered 1..m in their order."""
    keep[0] = False
    return np.take((np.cumsum(keep) * keep).astype(np.int32), labels)


def _boxes(labels: IntArray, wanted: NDArray[np.bool_]) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """Bounding boxes of the objects whose number is true in `wanted` (n + 1,)."""
    where = np.flatnonzero(labels > 0)
    owner = labels.ravel()[where]
    mine = wanted[owner]
    rows, cols = np.divmod(where[mine], labels.shape[1])
    order = np.argsort(owner[mine], kind="stable")
    numbers, starts = np.unique(owner[mine][order], return_index=True)
    for number, row, col in zip(
        numbers, np.split(rows[order], starts[1:]), np.split(cols[order], starts[1:]), strict=False
    ):
        yield int(number), (slice(row.min(), row.max() + 1), slice(col.min(), col.max() + 1))


def areas(labels: IntArray) -> FloatArray:
    """Pixels of each object 1..n, (n,)."""
    return np.bincount(labels[labels > 0], minlength=int(labels.max(initial=0)) + 1)[1:].astype(float)


def typical_area(area: FloatArray) -> float:
    """A typical nucleus among many specks: half of the sum of squared areas lies in objects above it.

    Squares, because hundreds of specks of 20 pixels may cover more than the nuclei do. 0 without
    any object.
    """
    ordered = np.sort(area)
    reached = np.cumsum(ordered**2) >= (ordered**2).sum() / 2
    return float(ordered[int(np.argmax(reached))]) if len(ordered) else 0.0
