"""Bodies -> optical density and masks, before any optics.

Each chromatid is drawn as a tube at three times the resolution, a denser core
inside a paler coat, and averaged down. Within a body the chromatids unite;
between bodies densities add, as light passes through both.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.picture.rods import rod_density
from cytally.dosimetry.simulate.picture.shape import Body
from cytally.types import FloatArray

_FINE = 3
_COAT, _CORE = 0.62, 0.6  # density of the coat, radius of the core
_LEVEL = 120  # grey of density 1 while drawing: room for twice as much where chromatids cross
_SHIFT = 4  # sub-pixel bits of the line drawing


@dataclass(frozen=True)
class Stamp:
    """One body's own picture and the window of the image that it covers.

    Attributes
    ----------
    density : ndarray of shape (h, w), float32
        Relative optical density, 1 in the core.
    top, left : int
        Where the stamp's first pixel lies; may be outside the image.
    """

    density: NDArray[np.float32]
    top: int
    left: int


def stamp(body: Body) -> Stamp:
    """Draw one body alone."""
    if body.rods is not None:
        return Stamp(*rod_density(body, body.rods))
    reach = body.radius.max() + 2
    low = np.floor(body.chromatids.min(axis=(0, 1)) - reach).astype(int)
    high = np.ceil(body.chromatids.max(axis=(0, 1)) + reach).astype(int)
    height, width = high - low + 1
    fine = np.zeros((height * _FINE, width * _FINE), np.uint8)
    for inner in (False, True):
        for path, radius in zip(body.chromatids, body.radius, strict=True):
            _tube(fine, path - low, radius, body.density, inner)
    coarse = cv2.resize(fine, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    return Stamp(np.asarray(coarse, np.float32) / np.float32(_LEVEL), int(low[0]), int(low[1]))


def _tube(canvas: NDArray[np.uint8], path: FloatArray, radius: FloatArray, density: FloatArray, inner: bool) -> None:
    fine = ((path + 0.5) * _FINE - 0.5) * (1 << _SHIFT)
    points = np.rint(fine[:, ::-1]).astype(int).tolist()
    share, level = (_CORE, _LEVEL) if inner else (1.0, _LEVEL * _COAT)
    thick = np.maximum(np.rint(2 * radius * share * _FINE), 1).astype(int).tolist()
    grey = np.clip(density * level, 1, 255).tolist()
    for k in range(len(points) - 1):
        cv2.line(canvas, points[k], points[k + 1], grey[k], thick[k], cv2.LINE_8, _SHIFT)


def compose(stamps: list[Stamp], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Sum of all stamps: relative optical density (h, w); parts outside are lost."""
    canvas = np.zeros(shape, np.float32)
    for each in stamps:
        window, inside = _overlap(each, shape)
        canvas[window] += each.density[inside]
    return canvas


def masks(stamps: list[Stamp], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Instance image (h, w): 0 background, k + 1 for the k-th stamp; the later one on top."""
    canvas = np.zeros(shape, np.uint16)
    for number, each in enumerate(stamps, start=1):
        window, inside = _overlap(each, shape)
        canvas[window][each.density[inside] > 0.25] = number
    return canvas


def _overlap(each: Stamp, shape: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    window, inside = [], []
    for start, size, limit in zip((each.top, each.left), each.density.shape, shape, strict=True):
        low, high = min(max(start, 0), limit), max(min(start + size, limit), 0)
        window.append(slice(low, max(high, low)))
        inside.append(slice(low - start, max(high, low) - start))
    return (window[0], window[1]), (inside[0], inside[1])
