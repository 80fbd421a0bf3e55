"""One image out of a PNG, JPEG or BMP."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import IO

import imagecodecs
import numpy as np
import PIL.Image

from cytally.errors import ImageError
from cytally.images.formats.colour import TRANSPARENT
from cytally.images.formats.limits import LARGEST_BYTES, Damaged, Decoded, check_size
from cytally.types import Pixels

PIL.Image.MAX_IMAGE_PIXELS = None  # our own limit, with a clearer message
#: Nothing else is tried, whatever the bytes say.
_FORMATS = ("PNG", "JPEG", "BMP")
_ORIENTATION = 0x0112  # tag of EXIF
_PNG = b"\x89PNG\r\n\x1a\n"
#: Chunks of a PNG that make its picture; texts and profiles may be damaged, or bombs.
_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"acTL", b"IDAT", b"eXIf", b"IEND")
#: Share of a JPEG's rows that are rarely of exactly one colour, unless its data ended there.
_BLANK = 8


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
    with path.open("rb") as file:
        png = file.read(8) == _PNG
        file.seek(0)
        data = _picture_chunks(file) if png else b""
        with _opened(io.BytesIO(data) if png else file) as picture:
            deep = 2 if png and data[24] == 16 else 1
            bands = 3 if picture.mode == "P" else len(picture.getbands())
            check_size(picture.height, picture.width, bands * deep)
            orientation = 1 if png and b"eXIf" not in data else _orientation(picture)  # Pillow decodes to find none
            if png:
                pixels, notes = _png_pixels(picture, data, as_numbers=as_numbers)
            else:
                pixels, notes = _pixels(picture, as_numbers=as_numbers)
    return Decoded(pixels, orientation=orientation, notes=notes)


def _picture_chunks(file: IO[bytes]) -> bytes:
    """A PNG without what is not its picture."""
    kept, spent = [file.read(8)], 0
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        spent += length if kind in _CHUNKS else 0
        if spent > LARGEST_BYTES:
            raise ImageError(
                f"expected at most {LARGEST_BYTES // 10**6} MB of compressed pixels, got more; cut the scan"
            )
        if kind in _CHUNKS:
            kept += [head, file.read(length + 4)]
        else:
            file.seek(length + 4, 1)
        if kind == b"IEND":
            break
    return b"".join(kept)


def _png_pixels(picture: PIL.Image.Image, data: bytes, *, as_numbers: bool) -> tuple[Pixels, tuple[str, ...]]:
    """Decoded by libpng, which keeps 16 bits of colour and notices rows that lack; Pillow keeps palette numbers."""
    if getattr(picture, "is_animated", False):
        raise ImageError("expected one image, got an animation; save each frame as a file of its own")
    pixels = np.asarray(imagecodecs.png_decode(data))
    if as_numbers and picture.mode in ("P", "1"):
        return _pixels(picture, as_numbers=True)
    if pixels.shape[:2] != (picture.height, picture.width):
        raise Damaged(f"expected {picture.height} x {picture.width} pixels, got {pixels.shape}")
    return (pixels, ()) if pixels.ndim == 2 or pixels.shape[2] == 3 else _opaque(pixels)


def _opened(source: IO[bytes]) -> PIL.Image.Image:
    """What Pillow thinks of damaged EXIF, on the way to its resolution, is of no concern here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return PIL.Image.open(source, formats=_FORMATS)
        except PIL.UnidentifiedImageError:
            empty = not source.seek(0, 2)
            raise Damaged("it is empty" if empty else "its content is no PNG, JPEG, BMP or TIFF") from None


def _pixels(picture: PIL.Image.Image, *, as_numbers: bool) -> tuple[Pixels, tuple[str, ...]]:
    """All of it, so that a truncated file is noticed; transparency is left aside."""
    mode = picture.mode
    if mode == "1":
        bits = np.asarray(picture)
        return bits.astype(np.uint8) * np.uint8(1 if as_numbers else 255), ()
    if mode == "P" and as_numbers:
        return np.asarray(picture), ()
    if mode == "RGBA":  # of a BMP
        return _opaque(np.asarray(picture))
    if mode == "CMYK":
        return np.asarray(picture.convert("RGB")), ("colours converted from CMYK",)
    pixels = np.asarray(picture.convert("RGB") if mode == "P" else picture)
    return pixels, _blank(pixels) if picture.format in ("JPEG", "MPO") else ()


def _blank(pixels: Pixels) -> tuple[str, ...]:
    """Where the data of a JPEG end early, its decoder goes on in one colour, and nothing else tells."""
    last = pixels[-max(16, len(pixels) // _BLANK) :]
    colour = pixels[-1, -1]
    blank = bool((last == colour).all()) and 0 < int(np.max(colour)) < 255
    return ("its lowest rows are all of one colour: is the file complete?",) if blank else ()


def _opaque(pixels: Pixels) -> tuple[Pixels, tuple[str, ...]]:
    """Grey or RGB without the transparency behind it."""
    alpha, colours = pixels[..., -1], pixels[..., :-1]
    notes = () if (alpha == alpha.flat[0]).all() else (TRANSPARENT,)
    return colours[..., 0] if colours.shape[2] == 1 else colours, notes


def _orientation(picture: PIL.Image.Image) -> int:
    """What EXIF says, 1 where it says nothing or cannot be read: it never costs the image."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = picture.getexif().get(_ORIENTATION, 1)
        return int(found) if found in range(1, 9) else 1
    except Exception:
        return 1
