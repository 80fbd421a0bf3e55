"""By how much one picture lies beside another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.types import FloatArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Offset:
    """Where the content of a second picture lies, relative to the first.

    Attributes
    ----------
    row, col : float
        Pixels by which the content moved.
    certainty : float
        Height of the peak over the other values, in their standard deviations.
    """

    row: float
    col: float
    certainty: float


def correlation(first: Float32, second: Float32, largest: int, *, sharp: float = 1.0) -> Float32:
    """Cross-correlation of two pictures for shifts up to `largest`, (2 largest + 1) squared.

    Parameters
    ----------
    first, second : ndarray of shape (h, w)
        Same size; the mean is removed and the border faded.
    largest : int
        Pixels.
    sharp : float
        1 whitens fully (phase correlation: one needle, for pictures of the same kind), 0 not
        at all (for pictures that share shapes but not textures).

    Raises
    ------
    ImageError
        Pictures of two sizes.
    """
    if first.shape != second.shape:
        raise ImageError(
            f"expected two pictures of one size to compare, got {first.shape[0]} x {first.shape[1]} and "
            f"{second.shape[0]} x {second.shape[1]}; leave one of them out"
        )
    rows, cols = first.shape
    fade = np.hanning(rows)[:, None] * np.hanning(cols)[None]
    spectra = [np.fft.rfft2((part - part.mean()) * fade) for part in (first, second)]
    product = np.conj(spectra[0]) * spectra[1]
    product /= (np.abs(product) + 1e-9) ** sharp
    full = np.fft.irfft2(product, s=first.shape)
    where = np.arange(-largest, largest + 1)
    return np.asarray(full[where % rows][:, where % cols], np.float32)


def peak(surface: Float32) -> Offset:
    """The shift of the highest value, by a parabola to a fraction of a pixel."""
    largest = surface.shape[0] // 2
    row, col = np.unravel_index(int(surface.argmax()), surface.shape)
    far = np.ones(surface.shape, bool)
    far[max(0, row - 3) : row + 4, max(0, col - 3) : col + 4] = False
    others = surface[far] if far.any() else surface
    certainty = float((surface[row, col] - others.mean()) / (others.std() + 1e-12))
    exact = [_vertex(surface[:, col], int(row)) - largest, _vertex(surface[row], int(col)) - largest]
    return Offset(exact[0], exact[1], certainty)


def shift_between(first: Float32, second: Float32, largest: int = 60) -> Offset:
    """How far the content moved from one frame to the next (phase correlation)."""
    limit = min(largest, min(first.shape) // 2 - 1)
    smooth = cv2.GaussianBlur(correlation(first, second, limit), (0, 0), 0.8)
    return peak(np.asarray(smooth, np.float32))


def moved(pixels: NDArray[np.generic], row: float, col: float) -> NDArray[np.generic]:
    """The picture with its content moved by whole pixels; what comes in repeats the border."""
    down, right = round(row), round(col)
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    cols = np.clip(np.arange(width) - right, 0, width - 1)
    return pixels[rows][:, cols]


def _vertex(line: FloatArray, top: int) -> float:
    if not 0 < top < len(line) - 1:
        return float(top)
    before, here, after = (float(v) for v in line[top - 1 : top + 2])
    bend = before - 2 * here + after
    return top + (0.5 * (before - after) / bend if bend < 0 else 0.0)
