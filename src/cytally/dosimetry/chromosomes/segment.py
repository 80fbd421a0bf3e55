"""Single chromosomes of a real metaphase: what can be cut out and what must stay."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.stained import FEWEST_OBJECTS, measure
from cytally.errors import ImageError

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Stained is what reaches this part of the chromosomes' own density.
_STAINED = 0.4
#: Chromatids closer than this part of a chromosome's size belong together.
_GAP = 0.2
#: Area of a single chromosome / median area.
_AREAS = (0.2, 3.0)
#: Area / area of the convex hull: below it lie crossings, clusters and strong bends.
_SOLID = 0.8
#: Width / median width of those that are left.
_WIDTHS = (0.6, 1.45)
#: Length / width below which no direction can be told.
_SLIM = 1.15


@dataclass(frozen=True)
class Outline:
    """One single chromosome in its field.

    Attributes
    ----------
    mask : ndarray of bool, shape (h, w)
    top, left : int
        Where the mask's first pixel lies in the field.
    angle : float
        Direction of the long axis, radians from row towards column.
    length, width : float
        Axes of the ellipse of equal second moments, pixels.
    """

    mask: Mask
    top: int
    left: int
    angle: float
    length: float
    width: float

    @property
    def middle(self) -> tuple[float, float]:
        """Centre of mass (row, col) in the field."""
        row, col = np.argwhere(self.mask).mean(axis=0)
        return float(row + self.top), float(col + self.left)


@dataclass(frozen=True)
class Segmented:
    """A field taken apart.

    Attributes
    ----------
    chromosomes : tuple of Outline
        Only those that are certainly single; clusters and bent ones stay where they are.
    occupied : ndarray of bool, shape (h, w)
        Everything stained: chromosomes, clusters, nuclei, debris.
    size, stain : float
        Square root of the median chromosome area in pixels; their optical density.
    """

    chromosomes: tuple[Outline, ...]
    occupied: Mask
    size: float
    stain: float


def segment(density: Float32, source: str = "memory") -> Segmented:
    """Find the single chromosomes of a field.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
        Optical density.
    source : str
        For messages.

    Raises
    ------
    ImageError
        Nothing in the field looks like chromosomes.
    """
    found = measure(density)
    if found.objects < FEWEST_OBJECTS:
        raise ImageError(
            f"{source}: expected a metaphase with separate chromosomes, "
            f"found {found.objects} chromosome-like object(s); leave this field out"
        )
    stained = cv2.GaussianBlur(density, (0, 0), 0.03 * found.size) > _STAINED * found.stain
    united = _unite(stained, _GAP * found.size)
    outlines = [o for o in _outlines(united, found.size) if o is not None]
    if outlines:
        usual = float(np.median([o.width for o in outlines]))
        outlines = [o for o in outlines if _WIDTHS[0] * usual < o.width < _WIDTHS[1] * usual]
    return Segmented(tuple(outlines), united, found.size, found.stain)


def _unite(stained: Mask, gap: float) -> Mask:
    """Close the gaps between sister chromatids."""
    side = max(int(round(gap)) | 1, 3)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.morphologyEx(stained.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0)


def _outlines(united: Mask, size: float) -> list[Outline | None]:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(united.astype(np.uint8))
    return [_outline(labels, stats[k], k, size) for k in range(1, count)]


def _outline(labels: NDArray[np.int32], box: NDArray[np.int32], label: int, size: float) -> Outline | None:
    left, top, width, height, area = (int(v) for v in box)
    inside = top > 2 and left > 2 and top + height < labels.shape[0] - 2 and left + width < labels.shape[1] - 2
    if not inside or not _AREAS[0] * size**2 < area < _AREAS[1] * size**2:
        return None
    mask = np.asarray(labels[top : top + height, left : left + width] == label)
    if area < _SOLID * _hull_area(mask):
        return None
    found = outline_of(mask, top, left)
    return None if found.length < _SLIM * found.width else found


def outline_of(mask: Mask, top: int, left: int) -> Outline:
    """A mask at (top, left) of its field, with the direction and axes of the ellipse of equal moments."""
    return Outline(mask, top, left, *_ellipse(mask))


def _hull_area(mask: Mask) -> float:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(contours)), 1)
    return float(hull.sum())


def _ellipse(mask: Mask) -> tuple[float, float, float]:
    """Direction of the long axis and both axes of the ellipse of equal moments."""
    places = np.argwhere(mask).astype(float)
    values, vectors = np.linalg.eigh(np.cov((places - places.mean(axis=0)).T) + np.eye(2) / 12)
    long = vectors[:, 1]
    return float(np.arctan2(long[1], long[0])), float(4 * np.sqrt(values[1])), float(4 * np.sqrt(values[0]))
