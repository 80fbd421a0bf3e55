"""Image -> Density: optical density against the image's own background, at nominal size.

After this step light, gradient, stain strength and magnification have stopped
mattering: the empty slide is 0, the body of a chromosome about 1, and the
chromosomes have the size on which the networks were trained.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.images.background import background, without_corner_text
from cytally.types import FloatArray, Image

Float32 = NDArray[np.float32]

#: Square root of the median chromosome area after normalisation, pixels.
NOMINAL_SIZE = 26.0
#: Pixel size to which images of known pixel size are brought, micrometres.
NOMINAL_PIXEL_UM = 0.146
#: Scaling outside these limits means that something else was measured.
SCALE_LIMITS = (0.2, 4.0)
#: Fewer chromosome-like objects than this, and size and stain are not measured.
FEWEST_OBJECTS = 5
_CLIP = (-0.5, 3.0)


@dataclass(frozen=True)
class Density:
    """What networks see.

    Attributes
    ----------
    values : ndarray of float32, shape (h, w)
        Optical density in units of the chromosomes' own, clipped to [-0.5, 3].
    scale : float
        Pixels here per pixel of the image.
    objects : int
        Chromosome-like objects from which size and stain were measured.
    stain : float
        Optical density of the chromosomes before division.
    source : str
    """

    values: Float32
    scale: float
    objects: int
    stain: float
    source: str

    def to_image(self, places: FloatArray) -> FloatArray:
        """Full-resolution (row, col) of places (n, 2) given in this grid."""
        return (np.asarray(places, dtype=float) + 0.5) / self.scale - 0.5

    def from_image(self, places: FloatArray) -> FloatArray:
        """Places (n, 2) of the image in this grid."""
        return (np.asarray(places, dtype=float) + 0.5) * self.scale - 0.5


@dataclass(frozen=True)
class Measured:
    """Chromosome-like objects of an image: their number, size in pixels and stain."""

    objects: int
    size: float
    stain: float


def normalise(image: Image, *, measure_size: bool = False) -> Density:
    """Bring a brightfield image to density and to nominal size.

    Parameters
    ----------
    image : Image
        Bright background, dark objects; RGB is reduced to its green channel,
        which Giemsa absorbs most.
    measure_size : bool
        Measure the chromosomes even where the pixel size is known.

    Raises
    ------
    ImageError
        NaN, an image without contrast, or one too small to hold a chromosome.

    Notes
    -----
    Without a pixel size the square root of the median object area is brought to
    `NOMINAL_SIZE`. It is steadier than the width of single chromosomes, which
    doubles where sister chromatids part.
    """
    density = optical_density(image)
    found = measure(density)
    if image.pixel_size_um is not None and not measure_size:
        scale = image.pixel_size_um / NOMINAL_PIXEL_UM
    elif found.objects >= FEWEST_OBJECTS:
        scale = NOMINAL_SIZE / found.size
    else:
        scale = 1.0
    scale = float(np.clip(scale, *SCALE_LIMITS))
    values = _resized(density, scale) / np.float32(found.stain)
    return Density(np.clip(values, *_CLIP, out=values), scale, found.objects, found.stain, image.source)


def _grey(image: Image) -> Float32:
    height, width = image.shape
    if min(height, width) < 16:
        raise ImageError(f"{image.source}: expected at least 16 x 16 pixels, got {height} x {width}")
    pixels = image.pixels[..., 1] if image.pixels.ndim == 3 else image.pixels
    grey = pixels.astype(np.float32)
    if pixels.dtype.kind == "f" and not np.isfinite(grey).all():
        bad = int((~np.isfinite(grey)).sum())
        raise ImageError(f"{image.source}: expected finite grey values, got {bad} NaN or infinite ones")
    low, high = float(grey.min()), float(grey.max())
    if high - low <= 1e-3 * max(abs(high), 1e-6):
        raise ImageError(f"{image.source}: no contrast (every pixel is {high:g}); is the image empty?")
    return grey - low if low < 0 else grey


def optical_density(image: Image) -> Float32:
    """log10 of background over grey (h, w); what is brighter than the background is below 0.

    Raises
    ------
    ImageError
        NaN, no contrast, or too small.
    """
    grey = without_corner_text(_grey(image))
    light = background(grey)
    floor = 0.004 * float(light.max())
    light /= np.maximum(grey, floor)
    density: Float32 = cv2.log(light)
    density /= np.float32(np.log(10))
    return density


def measure(density: Float32) -> Measured:
    """Find what looks like single chromosomes and measure size and stain.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)

    Returns
    -------
    Measured
        With fewer than five objects size is NaN and stain the 99.5th percentile.
    """
    smooth = cv2.GaussianBlur(density, (5, 5), 1.0)
    level = _threshold(smooth)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((smooth > level).astype(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA].astype(float)
    area[0] = 0
    keep = _chromosome_like(area)
    if keep.sum() < FEWEST_OBJECTS:
        stain = max(float(np.percentile(smooth[::2, ::2], 99.5)), 0.05)
        return Measured(int(keep.sum()), float("nan"), stain)
    core = smooth[keep[labels]]
    return Measured(int(keep.sum()), float(np.sqrt(np.median(area[keep]))), max(float(np.median(core)), 0.02))


def _threshold(smooth: Float32) -> float:
    """Otsu's level among densities that are not saturated, never within the noise."""
    high = max(float(np.percentile(smooth[::3, ::3], 99.8)), 0.05)
    scaled = np.clip(smooth[::2, ::2] * (255 / high), 0, 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return max(float(level) * high / 255 * 0.9, 0.02)


def _chromosome_like(area: FloatArray) -> NDArray[np.bool_]:
    """Objects of the commonest size: neither specks nor nuclei nor large clusters.

    For every object those within a factor of three of its area are counted,
    larger ones a little more; the object with most company sets the size.
    """
    candidates = np.flatnonzero(area >= 20)
    if not candidates.size:
        return area >= 20
    logs = np.log(area[candidates])
    order = np.argsort(logs)
    weight = np.concatenate([[0.0], np.cumsum(np.exp(logs[order] / 4))])
    high = np.searchsorted(logs[order], logs + np.log(3), side="right")
    low = np.searchsorted(logs[order], logs - np.log(3), side="left")
    typical = float(area[candidates[int(np.argmax(weight[high] - weight[low]))]])
    for _ in range(4):
        keep = (area > 0.25 * typical) & (area < 4 * typical)
        typical = float(np.median(area[keep]))
    return np.asarray((area > 0.25 * typical) & (area < 4 * typical))


def _resized(values: Float32, scale: float) -> Float32:
    if abs(scale - 1) < 0.01:
        return values
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(int(round(values.shape[1] * scale)), 1), max(int(round(values.shape[0] * scale)), 1)
    return np.asarray(cv2.resize(values, size, interpolation=how), np.float32)
