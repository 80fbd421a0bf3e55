"""One image out of a PNG, JPEG or BMP."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.images.formats.limits import Decoded, check_size

PIL.Image.MAX_IMAGE_PIXELS = None  # our own limit, with a clearer message
#: Nothing else is tried, whatever the bytes say.
_FORMATS = ("PNG", "JPEG", "BMP")
_ORIENTATION = 0x0112  # tag of EXIF


def read_plain(path: Path, *, as_numbers: bool = False) -> Decoded:
    """The image of a PNG, JPEG or BMP.

    Parameters
    ----------
    path : Path
    as_numbers : bool
        Leave the numbers of a palette image as stored (masks).

    Raises
    ------
    ImageError
        Too large, or an animation; the message does not name the file. Decoders raise errors of
        their own for what is damaged or cut off.
    """
    with _opened(path) as picture:
        depth = _png_depth(path) if picture.format == "PNG" else 8
        bands = 3 if picture.mode == "P" else len(picture.getbands())
        check_size(picture.height, picture.width, bands * max(1, depth // 8))
        if picture.format == "PNG" and getattr(picture, "is_animated", False):
            raise ImageError(
                f"expected one image, got an animation of {getattr(picture, 'n_frames', 2)}; save each frame"
            )
        orientation = _orientation(picture)
        if depth == 16:  # Pillow would keep 8 bits of colour
            return _deep(path, orientation)
        pixels, notes = _pixels(picture, as_numbers=as_numbers)
    return Decoded(pixels, orientation=orientation, notes=notes)


def _opened(path: Path) -> PIL.Image.Image:
    """What Pillow thinks of damaged EXIF, on the way to its resolution, is of no concern here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PIL.Image.open(path, formats=_FORMATS)


def _pixels(picture: PIL.Image.Image, *, as_numbers: bool) -> tuple[NDArray[Any], tuple[str, ...]]:
    """All of it, so that a truncated file is noticed; transparency is left aside."""
    mode = picture.mode
    if mode == "1":
        bits = np.asarray(picture)
        return bits.astype(np.uint8) * np.uint8(1 if as_numbers else 255), ()
    if mode in ("P", "PA") and as_numbers:
        return np.asarray(picture) if mode == "P" else np.asarray(picture)[..., 0], ()
    if mode in ("LA", "RGBA"):
        return _opaque(np.asarray(picture))
    if mode == "CMYK":
        return np.asarray(picture.convert("RGB")), ("colours converted from CMYK",)
    return np.asarray(picture.convert("RGB") if mode in ("P", "PA") else picture), ()


def _deep(path: Path, orientation: int) -> Decoded:
    pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return Decoded(pixels, orientation=orientation)
    pixels, notes = _opaque(pixels)
    return Decoded(pixels, orientation=orientation, notes=notes)


def _opaque(pixels: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Grey or RGB without the transparency behind it."""
    alpha, colours = pixels[..., -1], pixels[..., :-1]
    notes = () if (alpha == alpha.flat[0]).all() else ("transparency was left aside",)
    return colours[..., 0] if colours.shape[2] == 1 else colours, notes


def _png_depth(path: Path) -> int:
    with path.open("rb") as file:
        return file.read(25)[24]


def _orientation(picture: PIL.Image.Image) -> int:
    """What EXIF says, 1 where it says nothing or cannot be read: it never costs the image."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = picture.getexif().get(_ORIENTATION, 1)
        return int(found) if found in range(1, 9) else 1
    except Exception:
        return 1
