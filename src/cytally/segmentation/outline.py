"""Where a blurred nucleus ends: at half its height above the ground around it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
#: Pixels from an object at which the ground around it begins and ends.
RING = (2, 6)


@dataclass(frozen=True)
class Surroundings:
    """The pixels in and around all objects, as flat arrays: most of a field is neither.

    Attributes
    ----------
    where : ndarray of int, shape (n,)
        Flat index of each pixel.
    owner : ndarray of int, shape (n,)
        The object it belongs to, or lies nearest to.
    far : ndarray of float32, shape (n,)
        Distance to that object in pixels, 0 inside.
    count : int
        Objects.
    """

    where: NDArray[np.int64]
    owner: IntArray
    far: Float32
    count: int

    @staticmethod
    def of(labels: IntArray, reach: float = RING[1]) -> Surroundings:
        """Pixels within `reach` of an object; each belongs to the nearest."""
        ground = (labels == 0).astype(np.uint8)
        far, nearest = cv2.distanceTransformWithLabels(ground, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        inside = np.flatnonzero(ground.ravel() == 0)
        owner_of = np.zeros(len(inside) + 1, np.int32)
        owner_of[nearest.ravel()[inside]] = labels.ravel()[inside]
        where = np.flatnonzero(far.ravel() <= reach) if len(inside) else inside
        return Surroundings(where, owner_of[nearest.ravel()[where]], far.ravel()[where], int(labels.max(initial=0)))

    @property
    def ring(self) -> NDArray[np.bool_]:
        """Pixels of the ground around an object."""
        return self.far > RING[0]

    def means(self, values: Float32, chosen: NDArray[np.bool_]) -> FloatArray:
        """Mean over the chosen pixels of each object 1..count; 0 where it has none."""
        owner = self.owner[chosen]
        total = np.bincount(owner, weights=values.ravel()[self.where[chosen]], minlength=self.count + 1)
        pixels = np.bincount(owner, minlength=self.count + 1)
        return np.asarray((total / np.maximum(pixels, 1))[1:])


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
    if not labels.any():
        return labels
    raw = cv2.GaussianBlur(np.asarray(stain, np.float32), (0, 0), 0.7)
    around = Surroundings.of(labels)
    value, inside = raw.ravel()[around.where], around.far == 0
    mean = np.concatenate([[0.0], around.means(raw, inside)])
    plateau = around.means(raw, inside & (value >= mean[around.owner]))  # without the slope of the edge
    ground = around.means(raw, around.ring)
    limit = np.concatenate([[np.inf], ground + level * (plateau - ground)])
    keep = (around.far <= reach) & (value >= limit[around.owner])
    redrawn = np.zeros(labels.size, np.int32)
    redrawn[around.where[keep]] = around.owner[keep]
    return largest_pieces(redrawn.reshape(labels.shape))


def largest_pieces(labels: IntArray) -> IntArray:
    """Of each object its largest 8-connected piece, numbered again."""
    inside = labels > 0
    pieces = cv2.connectedComponents(inside.view(np.uint8), connectivity=8)[1]
    where = np.flatnonzero(inside)
    owner, piece = labels.ravel()[where], pieces.ravel()[where]
    area = coo_array((np.ones(len(where), np.int32), (piece, owner))).tocsr().tocoo()  # equal places add up
    best = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    order = np.argsort(area.data, kind="stable")
    best[area.col[order]] = area.row[order]  # the largest comes last and stays
    keep = best[owner] == piece
    result = np.zeros(labels.size, np.int32)
    result[where[keep]] = (np.cumsum(best > 0) * (best > 0)).astype(np.int32)[owner[keep]]
    return result.reshape(labels.shape)
