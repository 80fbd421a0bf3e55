"""path -> Image: PNG, JPEG, BMP, TIFF and OME-TIFF, grey or RGB, 8, 16 and 32 bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.find import ENDINGS as ENDINGS
from cytally.images.find import find_images as find_images
from cytally.images.formats.limits import Decoded
from cytally.images.formats.orientation import upright
from cytally.images.formats.plain import read_plain
from cytally.images.formats.tiff import read_tiff
from cytally.types import Image

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read(path: str | Path, *, as_numbers: bool = False) -> Image:
    """Read one image.

    Parameters
    ----------
    path : str or Path
        The ending must be that of an image, upper or lower case; the format is told from the content.
    as_numbers : bool
        Leave grey and palette numbers as they are stored, whatever look they were given: for masks.

    Returns
    -------
    Image
        Pixels (h, w) or (h, w, 3), turned upright; black is 0. Pixel size where OME, ImageJ or a
        metric resolution gives one that is possible. What was converted or left aside stands in its notes.

    Raises
    ------
    ImageError
        Missing, truncated, damaged, too large, a stack, a colour space that is not read, NaN or
        infinite values, or not an image.
    """
    path = Path(path)
    ending = path.suffix.lower()
    name = shown(path)
    if ending not in ENDINGS:
        raise ImageError(f"expected an image ({', '.join(ENDINGS)}), got {ending or 'no ending'}", name)
    if not path.is_file():
        raise ImageError("no such file", name)
    try:
        with path.open("rb") as file:
            tiff = file.read(4) in _TIFF
        found = (read_tiff if tiff else read_plain)(path, as_numbers=as_numbers)
        pixels = upright(_finite(found).pixels, found.orientation)
    except ImageError as error:
        raise ImageError(str(error), name) from error
    except MemoryError as error:
        raise ImageError("not a readable image (more memory is needed than there is)", name) from error
    except Exception as error:  # decoders raise anything from SyntaxError to zlib.error
        raise ImageError(f"not a readable image ({error}); is the file complete?", name) from error
    return Image(pixels, found.pixel_size_um, str(path), found.notes)


def _finite(found: Decoded) -> Decoded:
    if found.pixels.dtype.kind == "f":
        bad = found.pixels.size - int(np.count_nonzero(np.isfinite(found.pixels)))
        if bad:
            raise ImageError(f"expected finite grey values, got {bad} NaN or infinite ones; mend or leave it out")
    return found
