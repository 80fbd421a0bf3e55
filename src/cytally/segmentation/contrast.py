"""What stands out of the noise of an image, and what an adaptive threshold only made of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.segmentation.declump import kept
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
#: The band of detail in which noise is measured: Gaussian sigmas in pixels, finer than any nucleus but
#: coarse enough to see noise that a camera or a JPEG has smeared over neighbours.
_BAND = (1.0, 1.6)
#: Standard deviation of white noise of deviation 1 seen through that band: for a difference of two unit
#: Gaussians, 1/(4 pi) (1/a^2 + 1/b^2 - 4/(a^2 + b^2)), under the root.
_SEEN = float(np.sqrt((1 / _BAND[0] ** 2 + 1 / _BAND[1] ** 2 - 4 / (_BAND[0] ** 2 + _BAND[1] ** 2)) / (4 * np.pi)))
#: Of the floor: what an object must reach above smeared noise, and what the highest of an image must.
_EACH, _HIGHEST = 5 / 9, 8 / 9
#: Noise that is smeared over neighbours is larger than white noise by up to so much, once smoothed.
_SMEARED = 5.0
#: Noise is normally distributed: these shares of it lie two, one and no standard deviations below the middle, and
#: the standard deviation is 1.4826 times the median absolute one. A crowd of nuclei is not (0.73 to 0.89 of it),
#: nor are a few, or haze (1.07 to 16); beside few nuclei the darker half is.
_QUANTILES, _ALIKE = (0.0228, 0.1587, 0.5), (0.9, 1.06)
#: Edge of the pieces of an image in which noise is measured, pixels.
_PIECE = 192
#: Points along a side at which uneven light is measured.
_GRID = 64


def noise_of(image: NDArray[np.generic], scale: float = 1.0) -> float:
    """Standard deviation of the noise from pixel to pixel, robust against what the image shows.

    1.4826 times the median absolute value in a band of fine detail, as if the noise were white. Of a
    large image, nine pieces are looked at.

    Parameters
    ----------
    image : ndarray of shape (h, w)
    scale : float
        By how much the image was enlarged; noise is that of an image of this size that was not.
    """
    bands = []
    for piece in _pieces(image):
        fine, coarse = (cv2.GaussianBlur(piece, (0, 0), sigma * scale) for sigma in _BAND)
        bands.append(np.abs(fine - coarse).ravel())
    return 1.4826 * float(np.median(np.concatenate(bands))) / _SEEN * scale


def is_noise(
    image: NDArray[np.generic], diameters: tuple[float, float], least: float = 8.0, scale: float = 1.0
) -> bool:
    """Nothing in the image stands out of its noise.

    The image between the sizes of the smallest and the largest nucleus, freed of hot pixels and uneven
    light, is compared with what noise does there: white, or smeared over neighbours (out of a filter, a
    JPEG, an enlargement), which makes it up to five times as large but leaves it normally distributed.
    Of noise alone the highest of a million pixels reaches 5 to 7 standard deviations; 20 published
    images of nuclei reach 47 and more.

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
    return _Smoothed.of(image, diameters, scale).is_noise(least)


@dataclass(frozen=True)
class Heights:
    """How far objects stand above their surroundings, each (n,).

    Attributes
    ----------
    over_noise : ndarray
        In standard deviations of what white noise does there.
    over_ground : ndarray
        In those of noise that is smeared over neighbours, where the ground is distributed as such noise is.
    """

    over_noise: FloatArray
    over_ground: FloatArray


def standing_out(
    image: NDArray[np.generic],
    labels: IntArray,
    diameters: tuple[float, float],
    least: float,
    scale: float = 1.0,
) -> IntArray:
    """Objects that stand out of the noise; all others are what a threshold made of it, and are dropped.

    An object stands out by `least` deviations of white noise and by 5/9 of that of smeared noise, in an
    image that is not all noise (8/9).

    Parameters
    ----------
    image : ndarray of shape (h, w)
    labels : ndarray of int32, shape (h, w)
    diameters, least, scale : as `is_noise` takes them
    """
    if not labels.any():
        return labels
    smoothed = _Smoothed.of(image, diameters, scale)
    if smoothed.is_noise(_HIGHEST * least):
        return np.zeros_like(labels)
    found = smoothed.heights(labels)
    keep = (found.over_noise >= least) & (found.over_ground >= _EACH * least)
    return labels if keep.all() else kept(labels, np.concatenate([[False], keep]))


@dataclass(frozen=True)
class _Smoothed:
    """An image smoothed to the size of the smallest nucleus, on a grid as coarse as that allows.

    `white` is the deviation of white noise in it: s / (2 sqrt(pi) sigma) for noise of deviation s.
    """

    pixels: Float32
    step: int
    reach: float
    white: float

    @staticmethod
    def of(image: NDArray[np.generic], diameters: tuple[float, float], scale: float) -> _Smoothed:
        """An image (h, w) whose nuclei have diameters between two bounds, in pixels; `scale` as of `noise_of`."""
        sigma = diameters[0] / 2
        step = max(1, int(sigma / 1.2))
        even = cv2.medianBlur(np.asarray(image, np.float32), 3 if scale < 2 else 5)  # no hot pixels
        coarse = _resized(np.asarray(even, np.float32), step)
        left = float(np.sqrt(sigma**2 - (step**2 - 1) / 12)) / step  # a mean over `step` pixels smooths by itself
        white = max(noise_of(image, scale) / (2 * np.sqrt(np.pi) * sigma), 1e-12)
        return _Smoothed(cv2.GaussianBlur(coarse, (0, 0), left), step, diameters[1] / step, white)

    def is_noise(self, least: float) -> bool:
        """Whether nothing in it rises `least` deviations of the noise above the middle."""
        level = _level(self.pixels)
        band = level - _wide(level, self.reach)
        return float((band - np.median(band)).max()) < least * self._noise(band, darker=False)

    def heights(self, labels: IntArray) -> Heights:
        """The highest place of each object above the mean of the ground around it; objects between grid points are high."""
        half = self.step // 2
        seen = labels[half :: self.step, half :: self.step]
        rows, cols = (min(a, b) for a, b in zip(seen.shape, self.pixels.shape, strict=True))
        seen, pixels = seen[:rows, :cols], self.pixels[:rows, :cols]
        above = pixels - _ground(pixels, seen == 0, self.reach)
        top = np.full(int(labels.max(initial=0)) + 1, -np.inf)
        np.maximum.at(top, seen.ravel(), above.ravel())
        top[np.isneginf(top)] = np.inf
        return Heights(np.asarray(top[1:] / self.white), np.asarray(top[1:] / self._noise(above, darker=True)))

    def _noise(self, values: Float32, darker: bool) -> float:
        """Deviation of the noise: white, or as large as values, or their darker half, say where these are distributed as noise is."""
        some = values[::2, ::2]
        lowest, low, middle = (float(v) for v in np.quantile(some, _QUANTILES))
        spread, wide = (middle - low), (middle - lowest) / 2
        if not darker:
            rest = some - middle
            spread, wide = 1.4826 * float(np.median(np.abs(rest))), float(rest.std())
        alike = _ALIKE[0] * spread <= wide <= _ALIKE[1] * spread
        return spread if alike and self.white < spread <= _SMEARED * self.white else self.white


def _pieces(image: NDArray[np.generic]) -> list[Float32]:
    starts = [sorted({0, (size - _PIECE) // 2, size - _PIECE}) if size > 3 * _PIECE else [0] for size in image.shape]
    ends = [_PIECE if size > 3 * _PIECE else size for size in image.shape]
    return [
        np.asarray(image[row : row + ends[0], col : col + ends[1]], np.float32)
        for row in starts[0]
        for col in starts[1]
    ]


def _resized(raw: Float32, step: float) -> Float32:
    size = [max(1, round(side / step)) for side in raw.shape[::-1]]
    return np.asarray(cv2.resize(raw, size, interpolation=cv2.INTER_AREA), np.float32)


def _level(pixels: Float32) -> Float32:
    """Without uneven light: less the surface of second degree that fits best."""
    small = _resized(pixels, max(1, min(pixels.shape) // _GRID))
    rows, cols = np.meshgrid(*(np.linspace(-1, 1, size) for size in small.shape), indexing="ij")
    terms = np.stack([np.ones_like(rows), rows, cols, rows * cols, rows**2, cols**2], axis=-1)
    best = np.linalg.lstsq(terms.reshape(-1, 6), small.ravel(), rcond=None)[0]
    surface = cv2.resize((terms @ best).astype(np.float32), pixels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(pixels - surface, np.float32)


def _wide(pixels: Float32, reach: float) -> Float32:
    """Smoothed to the size of the largest nucleus, by way of a coarser grid."""
    step = max(1, int(reach // 4))
    coarse = cv2.GaussianBlur(_resized(pixels, step), (0, 0), reach / step)
    return np.asarray(cv2.resize(coarse, pixels.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _ground(pixels: Float32, free: NDArray[np.bool_], reach: float) -> Float32:
    """Mean of what is no object, near each place."""
    weight = _wide(free.astype(np.float32), reach)
    value = _wide(np.where(free, pixels, 0).astype(np.float32), reach)
    lowest = float(pixels[free].mean()) if free.any() else float(pixels.min())
    return np.where(weight > 1e-3, value / np.maximum(weight, 1e-3), lowest).astype(np.float32)
