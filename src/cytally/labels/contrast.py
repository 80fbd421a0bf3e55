"""What stands out of the noise of an image, and what an adaptive threshold only made of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.labels.declump import kept
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
#: The band of detail in which noise is measured: Gaussian sigmas in pixels, finer than any nucleus but
#: coarse enough to see noise that a camera or a JPEG has smeared over neighbours.
_BAND = (1.0, 1.6)
#: Standard deviation of white noise of deviation 1 seen through that band: for a difference of two unit
#: Gaussians, 1/(4 pi) (1/a^2 + 1/b^2 - 4/(a^2 + b^2)), under the root.
_SEEN = float(
    np.sqrt((1 / _BAND[0] ** 2 + 1 / _BAND[1] ** 2 - 4 / (_BAND[0] ** 2 + _BAND[1] ** 2)) / (4 * np.pi))
)


#: Of the floor: what an object must reach above the ground, and what the highest of an image must.
_EACH, _HIGHEST = 4 / 9, 8 / 9
#: Noise that is smeared over neighbours is larger than white noise by up to so much, once smoothed.
_SMEARED = 5.0
#: Points along a side at which uneven light is measured.
_GRID = 64


def noise_of(image: NDArray[np.generic], scale: float = 1.0) -> float:
    """Standard deviation of the noise from pixel to pixel, robust against what the image shows.

    1.4826 times the median absolute value in a band of fine detail, as if the noise were white.

    Parameters
    ----------
    image : ndarray of shape (h, w)
    scale : float
        By how much the image was enlarged.
    """
    raw = np.asarray(image, np.float32)
    fine, coarse = (cv2.GaussianBlur(raw, (0, 0), sigma * scale) for sigma in _BAND)
    band = (fine - coarse)[::2, ::2]
    return 1.4826 * float(np.median(np.abs(band))) / _SEEN * scale


@dataclass(frozen=True)
class Heights:
    """How far objects stand above their surroundings, each (n,).

    Attributes
    ----------
    over_noise : ndarray
        In standard deviations of what white noise does there.
    over_ground : ndarray
        In those of the ground as it is, haze and smeared noise included, where these are larger.
    """

    over_noise: FloatArray
    over_ground: FloatArray


def white_noise(image: NDArray[np.generic], sigma: float, scale: float = 1.0) -> float:
    """Standard deviation of the image's noise once smoothed: s / (2 sqrt(pi) sigma) for white noise of s."""
    return max(noise_of(image, scale) / (2 * np.sqrt(np.pi) * sigma), 1e-12)


def is_noise(
    image: NDArray[np.generic], diameters: tuple[float, float], least: float, scale: float = 1.0
) -> bool:
    """Nothing in the image stands out of its noise.

    The image between the sizes of the smallest and the largest nucleus is compared with what noise
    does there: white, or smeared over neighbours (out of a filter, a JPEG, an enlargement), which
    makes it up to five times as large. Of noise alone the highest of a million pixels reaches 5
    to 7 standard deviations; published images of nuclei reach 50 and more.

    Parameters
    ----------
    image : ndarray of shape (h, w)
    diameters : tuple of float
        Of the smallest and the largest nucleus, pixels.
    least : float
        Standard deviations.
    scale : float
        By how much the image was enlarged.
    """
    raw = _level(np.asarray(image, np.float32))
    band = cv2.GaussianBlur(raw, (0, 0), diameters[0] / 2) - _wide(raw, diameters[1])
    white = white_noise(raw, diameters[0] / 2, scale)
    spread = 1.4826 * float(np.median(np.abs(band - np.median(band))))
    return float(band.max()) < least * max(white, min(spread, _SMEARED * white))


def heights(
    image: NDArray[np.generic], labels: IntArray, diameters: tuple[float, float], scale: float = 1.0
) -> Heights:
    """How far each object stands above its surroundings.

    The image is smoothed to the size of the smallest nucleus, its surroundings to that of the largest;
    the highest difference within each object counts.

    Parameters
    ----------
    image : ndarray of shape (h, w)
    labels : ndarray of int32, shape (h, w)
    diameters, scale : tuple of float, float
        As `is_noise` takes them.
    """
    raw = np.asarray(image, np.float32)
    above = cv2.GaussianBlur(raw, (0, 0), diameters[0] / 2) - _ground(raw, labels, diameters[1])
    top = np.full(int(labels.max(initial=0)) + 1, -np.inf)
    np.maximum.at(top, labels.ravel(), above.ravel())
    white = white_noise(raw, diameters[0] / 2, scale)
    rest = above[labels == 0]
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest)))) if rest.size else 0.0
    return Heights(np.asarray(top[1:] / white), np.asarray(top[1:] / max(white, spread)))


def standing_out(
    image: NDArray[np.generic], labels: IntArray, diameters: tuple[float, float], least: float, scale: float = 1.0
) -> IntArray:
    """Objects that stand out of the noise; all others are what a threshold made of it, and are dropped.

    An object stands out by `least` deviations of the noise and by 4/9 of that of the ground, haze
    included, in an image that is not all noise (8/9). Single nuclei of published images: 5 to 400 of the ground.
    """
    if not labels.any():
        return labels
    if is_noise(image, diameters, _HIGHEST * least, scale):
        return np.zeros_like(labels)
    found = heights(image, labels, diameters, scale)
    keep = (found.over_noise >= least) & (found.over_ground >= _EACH * least)
    return labels if keep.all() else kept(labels, np.concatenate([[False], keep]))


def _level(raw: Float32) -> Float32:
    """The image without uneven light: less the surface of second degree that fits it best."""
    height, width = raw.shape
    small = cv2.resize(raw, (min(width, _GRID), min(height, _GRID)), interpolation=cv2.INTER_AREA)
    rows, cols = (np.linspace(-1, 1, size, dtype=np.float32) for size in small.shape)
    terms = [1 + 0 * rows[:, None] * cols, rows[:, None] + 0 * cols, 0 * rows[:, None] + cols, rows[:, None] * cols,
             rows[:, None] ** 2 + 0 * cols, 0 * rows[:, None] + cols**2]  # fmt: skip
    design = np.stack([term.ravel() for term in terms], axis=1)
    surface = (design @ np.linalg.lstsq(design, small.ravel(), rcond=None)[0]).reshape(small.shape)
    return np.asarray(raw - cv2.resize(surface.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _wide(raw: Float32, largest: float) -> Float32:
    """The image smoothed to the size of the largest nucleus, at a coarser grid."""
    step = max(1, int(largest // 8))
    small = [max(1, -(-side // step)) for side in raw.shape[::-1]]
    coarse = cv2.GaussianBlur(cv2.resize(raw, small, interpolation=cv2.INTER_AREA), (0, 0), largest / step)
    return np.asarray(cv2.resize(coarse, raw.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _ground(raw: Float32, labels: IntArray, largest: float) -> Float32:
    """Mean of what is no object, near each place."""
    reach = max(largest, 3.0)
    free = (labels == 0).astype(np.float32)
    step = max(1, int(reach // 8))
    small = tuple(max(1, -(-side // step)) for side in raw.shape[::-1])
    weight, value = (cv2.resize(part, small, interpolation=cv2.INTER_AREA) for part in (free, raw * free))
    weight, value = (cv2.GaussianBlur(part, (0, 0), reach / step) for part in (weight, value))
    lowest = float(raw[labels == 0].mean()) if free.any() else float(raw.min())
    mean = np.where(weight > 1e-3, value / np.maximum(weight, 1e-3), lowest).astype(np.float32)
    return np.asarray(cv2.resize(mean, raw.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
