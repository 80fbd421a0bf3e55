"""Image -> Density: optical density against the image's own background, at nominal size.

After this step light, gradient, stain strength and magnification have stopped
mattering: the empty slide is 0, the body of a chromosome about 1, and the
chromosomes have the size on which the networks were trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.stained import FEWEST_OBJECTS, Measured, measure
from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.background import background, without_corner_text
from cytally.images.formats.colour import TRANSPARENT
from cytally.types import FloatArray, Image

Float32 = NDArray[np.float32]

#: Square root of the median chromosome area after normalisation, pixels.
NOMINAL_SIZE = 26.0
#: Pixel size to which images of known pixel size are brought, micrometres.
NOMINAL_PIXEL_UM = 0.146
#: Scaling outside these limits means that something else was measured.
SCALE_LIMITS = (0.2, 4.0)
#: Stated and measured size that differ by more than this do not belong together: at 1.25 a detector loses half of
#: what it finds, at 1.4 everything. Of 720 simulated cells 14 % lie beyond it with the right size;
#: they are scored as if their size were not known.
_DIFFER = 1.3
#: Pixels of a field, and of what is made of it. With OpenVINO memory stays below 1 GB; torch takes about
#: 1.25 GB at 39 megapixels.
LARGEST_FIELD, LARGEST_DENSITY = 46_000_000, 40_000_000
_CLIP = (-0.5, 3.0)
#: Sums of intensities beyond it leave single precision.
_BRIGHTEST = 1e30
#: How much further bright objects must stand out than dark ones, before they are taken for the objects.
_INVERTED = 2.0


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
    notes : tuple of str
        Those of the image, and where its pixel size was not believed.
    groups : tuple of int
        Objects in each of two groups that lie apart, as two metaphases do; () where they are one.
    """

    values: Float32
    scale: float
    objects: int
    stain: float
    source: str
    notes: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()

    def to_image(self, places: FloatArray) -> FloatArray:
        """Full-resolution (row, col) of places (n, 2) given in this grid."""
        return (np.asarray(places, dtype=float) + 0.5) / self.scale - 0.5

    def from_image(self, places: FloatArray) -> FloatArray:
        """Places (n, 2) of the image in this grid."""
        return (np.asarray(places, dtype=float) + 0.5) * self.scale - 0.5


def normalise(image: Image) -> Density:
    """Bring a brightfield image to density and to nominal size.

    Parameters
    ----------
    image : Image
        Bright background, dark objects; RGB is reduced to its green channel,
        which Giemsa absorbs most.

    Raises
    ------
    ImageError
        NaN, no contrast, bright objects on a dark ground, objects far larger or smaller than
        chromosomes, or an image too small to hold a chromosome or too large for one field.

    Notes
    -----
    Without a pixel size the square root of the median object area is brought to
    `NOMINAL_SIZE`. It is steadier than the width of single chromosomes, which
    doubles where sister chromatids part. Where a stated pixel size and the measured
    chromosomes differ by more than a factor of 1.3, the chromosomes are believed, as they are where no
    size is stated, and a note says so.
    """
    density = optical_density(image)
    found = measure(density)
    scale, notes = _scale(image, found)
    _check_result(image, scale)
    values = _resized(density, scale) / np.float32(found.stain)
    values = np.clip(values, *_CLIP, out=values)
    notes = (*image.notes, *_signed(image), *notes)
    return Density(values, scale, found.objects, found.stain, image.source, notes, found.groups)


def _scale(image: Image, found: Measured) -> tuple[float, tuple[str, ...]]:
    """Pixels of the result per pixel of the image, and what is to be said about it."""
    measured = NOMINAL_SIZE / found.size if found.objects >= FEWEST_OBJECTS else None
    size = image.pixel_size_um
    if size is None:
        return measured or 1.0, ()
    stated = size / NOMINAL_PIXEL_UM
    if measured is None or max(stated, measured) <= _DIFFER * min(stated, measured):
        return stated, ()
    likely = f"{found.objects} objects measured: about {NOMINAL_PIXEL_UM * measured:.2g} um"
    return measured, (f"pixel size {size:g} um does not fit the chromosomes ({likely}): they are believed",)


def _check_result(image: Image, scale: float) -> None:
    low, high = SCALE_LIMITS
    if not low <= scale <= high:
        times = f"{scale:.1f} times smaller" if scale > 1 else f"{1 / scale:.1f} times larger"
        raise ImageError(
            f"{shown(image.source)}: expected chromosomes as at 63x or 100x, got objects {times} than those; "
            "is it one metaphase in focus, and is its pixel size right?"
        )
    made = image.shape[0] * image.shape[1] * scale**2
    if made > LARGEST_DENSITY:
        raise ImageError(
            f"{shown(image.source)}: expected one metaphase in the field, got {made / 1e6:.0f} megapixels at the size of its "
            f"objects (at most {LARGEST_DENSITY // 10**6}); cut the field around the metaphase"
        )


def _grey(image: Image) -> Float32:
    height, width = image.shape
    if min(height, width) < 16:
        raise ImageError(f"{shown(image.source)}: expected at least 16 x 16 pixels, got {height} x {width}")
    if height * width > LARGEST_FIELD:
        raise ImageError(
            f"{shown(image.source)}: expected a field of at most {LARGEST_FIELD // 10**6} megapixels, got "
            f"{height} x {width}; cut the scan into fields first"
        )
    pixels = image.pixels[..., 1] if image.pixels.ndim == 3 else image.pixels
    with np.errstate(over="ignore"):  # what is too large for single precision becomes infinite, and is refused
        grey = pixels.astype(np.float32)
    if pixels.dtype.kind == "f" and not np.isfinite(grey).all():
        bad = int((~np.isfinite(grey)).sum())
        raise ImageError(f"{shown(image.source)}: expected finite grey values, got {bad} NaN or infinite ones")
    low, high = float(grey.min()), float(grey.max())
    if max(high, -low) > _BRIGHTEST:
        raise ImageError(f"{shown(image.source)}: expected intensities below {_BRIGHTEST:g}, got {max(high, -low):g}")
    if high - low <= 1e-3 * max(abs(high), 1e-6):
        raise ImageError(f"{shown(image.source)}: no contrast (every pixel is {high:g}); is the image empty?")
    return grey - np.float32(_black(image.pixels.dtype, low)) if low < 0 else grey


def _black(dtype: np.dtype[Any], low: float) -> float:
    """Where black lies if there are negative values: unsigned numbers may have been stored as signed ones."""
    lowest = float(np.iinfo(dtype).min) if dtype.kind == "i" else 0.0
    return lowest if dtype.itemsize <= 2 and low < lowest / 4 else low


def _signed(image: Image) -> tuple[str, ...]:
    """What is said of negative values: density is a ratio, and depends on where black lies."""
    if image.pixels.dtype.kind not in "if" or not (low := float(image.pixels.min())) < 0:
        return ()
    return (f"grey values below 0: {_black(image.pixels.dtype, low):g} is taken for black; save it as unsigned",)


def optical_density(image: Image) -> Float32:
    """log10 of background over grey (h, w); what is brighter than the background is below 0.

    Raises
    ------
    ImageError
        NaN, no contrast, too small or too large, bright objects on a dark ground, or a black ground; a picture
        that is lost with its transparency.
    """
    try:
        return _density(image)
    except ImageError as error:
        if TRANSPARENT not in image.notes:
            raise
        raise ImageError(
            f"{shown(image.source)}: its picture is in the transparency, which is left aside; flatten it on white "
            "(in GIMP: Image > Flatten Image)"
        ) from error


def _density(image: Image) -> Float32:
    grey = without_corner_text(_grey(image))
    if bright_on_dark(grey):
        raise ImageError(
            f"{shown(image.source)}: expected dark chromosomes on a bright ground (Giemsa, brightfield), got bright objects on a "
            "dark ground; an inverted Giemsa image can be inverted back (in ImageJ: Edit > Invert), fluorescence is not scored"
        )
    light = background(grey)
    floor = 0.004 * float(light.max())
    if not 0 < floor < np.inf:
        raise ImageError(f"{shown(image.source)}: expected a bright ground, got black; is the image empty?")
    light /= np.maximum(grey, floor, out=grey)
    density: Float32 = cv2.log(light, light)
    density /= np.float32(np.log(10))
    if not cv2.checkRange(density)[0]:
        raise ImageError(f"{shown(image.source)}: no density can be measured; is it a brightfield image?")
    return density


def bright_on_dark(grey: Float32) -> bool:
    """Whether the objects of an image are brighter than its ground.

    Measured against the median and against the border, the brightest 0.5 % stand out further than the darkest.
    On 71 Giemsa fields neither ratio exceeded 0.36; inverted, both were at least 2.7, on 51 DAPI fields at least 8.

    Parameters
    ----------
    grey : ndarray of float32, shape (h, w)
    """
    some = grey[::3, ::3]
    width = max(2, min(some.shape) // 20)
    rim = (some[:width], some[-width:], some[:, :width], some[:, -width:])
    dark, middle, bright = (float(v) for v in np.percentile(some, [0.5, 50, 99.5]))
    border = float(np.median(np.concatenate([part.ravel() for part in rim])))
    least = max(1e-3 * (bright - dark), 1e-30)
    against = [(bright - level) / max(level - dark, least) for level in (middle, border)]
    return against[0] * against[1] > _INVERTED**2


def _resized(values: Float32, scale: float) -> Float32:
    if abs(scale - 1) < 0.01:
        return values
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(int(round(values.shape[1] * scale)), 1), max(int(round(values.shape[0] * scale)), 1)
    return np.asarray(cv2.resize(values, size, interpolation=how), np.float32)
