"""A chromosome cut out, set upright, with its centromere found in the profile of its width."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.chromosomes.segment import Mask, Outline, Segmented
from cytally.types import FloatArray

Float32 = NDArray[np.float32]

#: Rows and columns per pixel of the field: what is pasted back is resampled twice.
FINE = 2
#: Rim taken along and erased, in parts of a chromosome's size: optics have blurred the edge into it,
#: and a camera that sharpens draws a bright seam around it. It fades over as much again.
RIM = 0.3
#: Rim in which width and centromere are measured: farther out lie haze and seam. So near to a
#: neighbour the blurred edge is the neighbour's own.
BODY = 0.16
#: Pixels from the outline to where only slide is left.
_EDGE = 3.0
#: A centromere must be narrower than the body by this factor...
_NARROW = 0.88
#: ... and lie inside this part of the length.
_INSIDE = (0.10, 0.90)


@dataclass(frozen=True)
class Upright:
    """A piece of chromosome, long axis along the rows, `FINE` samples per pixel.

    Attributes
    ----------
    density : ndarray of float32, shape (n, m)
        Optical density above the slide around it; 0 outside.
    centromeres : tuple of float
        Rows of the centromeres.
    ends : (float, float)
        Rows where the body begins and ends.
    width : float
        Usual width of the body in samples.
    """

    density: Float32
    centromeres: tuple[float, ...]
    ends: tuple[float, float]
    width: float

    @property
    def length(self) -> float:
        """From end to end, samples."""
        return self.ends[1] - self.ends[0]

    def reversed(self) -> Upright:
        """Turned by half a turn."""
        last = len(self.density) - 1.0
        return replace(
            self,
            density=np.ascontiguousarray(self.density[::-1, ::-1]),
            centromeres=tuple(sorted(last - c for c in self.centromeres)),
            ends=(last - self.ends[1], last - self.ends[0]),
        )

    def scaled(self, size: float, stain: float) -> Upright:
        """Larger by `size`, darker by `stain`: to be laid among others."""
        rows, cols = (max(int(round(n * size)), 2) for n in self.density.shape)
        density = cv2.resize(self.density, (cols, rows), interpolation=cv2.INTER_LINEAR) * np.float32(stain)
        return Upright(
            np.asarray(density, np.float32),
            tuple(c * size for c in self.centromeres),
            (self.ends[0] * size, self.ends[1] * size),
            self.width * size,
        )


def cut_out(density: Float32, outline: Outline, field: Segmented) -> Upright:
    """Lift one chromosome off its field and set it upright.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
        Of the field.
    outline : Outline
    field : Segmented
    """
    body = _lifted(density, outline, field, BODY)
    return replace(measured(body), density=_lifted(density, outline, field, RIM))


def _lifted(density: Float32, outline: Outline, field: Segmented, rim: float) -> Float32:
    """A chromosome with a rim of so many sizes, upright; both rims give the same grid."""
    window, soft = soft_window(outline, field.size, field.occupied, rim)
    patch = density[window] - slide_around(density, window, field.occupied, rim * field.size)
    patch = _quiet(patch, _distance(~_own(outline, window)) > _EDGE) * soft
    row, col = outline.middle
    return _turned(patch, outline, (row - window[0].start, col - window[1].start), RIM * field.size)


def measured(density: Float32) -> Upright:
    """An upright body with its ends, width and, where it can be seen, its centromere."""
    mass, _, spread = profile(density)
    body = np.flatnonzero(mass > 0.3 * np.percentile(mass, 75))
    first, last = float(body[0]), float(body[-1])
    width = 4 * float(np.median(spread[body]))
    where = centromere(mass, spread, (first, last), width)
    return Upright(density, () if where is None else (where,), (first, last), width)


def profile(density: Float32) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mass, centre of mass and standard deviation across, for each row (n,)."""
    positive = np.maximum(density, 0).astype(float)
    cols = np.arange(density.shape[1])
    mass = positive.sum(axis=1)
    safe = np.maximum(mass, 1e-6)
    centre = (positive * cols).sum(axis=1) / safe
    spread = np.sqrt((positive * (cols - centre[:, None]) ** 2).sum(axis=1) / safe)
    return mass, centre, spread


def centromere(mass: FloatArray, spread: FloatArray, ends: tuple[float, float], width: float) -> float | None:
    """Row of the primary constriction: where a body is thinnest and its chromatids meet.

    Both the mass of a row and its spread across fall there; the geometric mean of
    both is searched for its least value away from the ends. None where no place is
    clearly narrower than both arms.
    """
    low = int(ends[0] + _INSIDE[0] * (ends[1] - ends[0]))
    high = int(ends[0] + _INSIDE[1] * (ends[1] - ends[0]))
    if high - low < 6:
        return None
    narrow = cv2.GaussianBlur(np.sqrt(mass * spread).astype(np.float32)[:, None], (0, 0), 0.08 * width)[:, 0]
    row = low + int(np.argmin(narrow[low:high]))
    above, below = narrow[int(ends[0]) : row], narrow[row + 1 : int(ends[1])]
    if not above.size or not below.size or row in (low, high - 1):
        return None
    return float(row) if narrow[row] < _NARROW * min(above.max(), below.max()) else None


def soft_window(outline: Outline, size: float, occupied: Mask, rim: float = RIM) -> tuple[tuple[slice, slice], Float32]:
    """The window of a chromosome with its rim, and a mask that fades over the rim and towards neighbours."""
    rim *= size
    pad = int(np.ceil(2 * rim)) + 1
    height, width = occupied.shape
    rows = slice(max(outline.top - pad, 0), min(outline.top + outline.mask.shape[0] + pad, height))
    cols = slice(max(outline.left - pad, 0), min(outline.left + outline.mask.shape[1] + pad, width))
    own = _own(outline, (rows, cols))
    fade = np.clip(2 - _distance(~own) / rim, 0, 1)
    foreign = occupied[rows, cols] & ~own
    if foreign.any():  # a neighbour's blurred edge is its own
        fade *= np.where(own, 1, np.clip(_distance(~foreign) / (BODY * size) - 0.3, 0, 1))
    return (rows, cols), np.asarray(fade, np.float32)


def _quiet(patch: Float32, rim: Mask) -> Float32:
    """Without the camera's noise in the rim: where the body comes to lie there is noise already."""
    return np.where(rim, cv2.medianBlur(np.asarray(patch, np.float32), 5), patch).astype(np.float32)


def _distance(inside: Mask) -> Float32:
    """Pixels from each true place to the nearest false one."""
    return np.asarray(cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def slide_around(density: Float32, window: tuple[slice, slice], occupied: Mask, rim: float) -> float:
    """Density of the empty slide in a window."""
    empty = density[window][~_grown(occupied[window], int(np.ceil(rim)))]
    return float(np.median(empty)) if empty.size > 20 else float(np.percentile(density[window], 10))


def _own(outline: Outline, window: tuple[slice, slice]) -> Mask:
    """The chromosome's mask in the grid of a window that holds it."""
    own = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), bool)
    top, left = outline.top - window[0].start, outline.left - window[1].start
    own[top : top + outline.mask.shape[0], left : left + outline.mask.shape[1]] = outline.mask
    return own


def _grown(mask: Mask, by: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)


def _turned(patch: Float32, outline: Outline, middle: tuple[float, float], rim: float) -> Float32:
    """Resample so that the long axis runs along the rows."""
    half = np.array([outline.length * 0.62 + 2 * rim, outline.width * 0.85 + 2 * rim]) * FINE
    rows, cols = (int(2 * np.ceil(n) + 1) for n in half)
    u = (np.arange(rows) - rows // 2)[:, None] / FINE
    v = (np.arange(cols) - cols // 2)[None] / FINE
    cos, sin = np.cos(outline.angle), np.sin(outline.angle)
    row = (middle[0] + u * cos - v * sin).astype(np.float32)
    col = (middle[1] + u * sin + v * cos).astype(np.float32)
    return np.asarray(cv2.remap(patch, col, row, cv2.INTER_CUBIC), np.float32)
