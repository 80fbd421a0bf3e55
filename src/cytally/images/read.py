"""path -> Image: PNG, JPEG, BMP, TIFF and OME-TIFF, grey or RGB, 8, 16 and 32 bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import PIL.Image
import tifffile
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.types import Image

#: Endings that are read; others in a folder are left alone.
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
#: A metaphase field is far smaller; a larger image is a scan that must be cut first.
LARGEST_PIXELS = 100_000_000
PIL.Image.MAX_IMAGE_PIXELS = None  # our own limit, with a clearer message


def read(path: str | Path) -> Image:
    """Read one image.

    Parameters
    ----------
    path : str or Path
        The ending decides the format, upper or lower case.

    Returns
    -------
    Image
        Pixels (h, w) or (h, w, 3) as stored; pixel size where an OME-TIFF or a
        TIFF with a metric resolution gives it. A transparency channel is dropped.

    Raises
    ------
    ImageError
        Missing, truncated, not an image, not two-dimensional, or too large.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ImageError(f"{path}: expected an image ({', '.join(ENDINGS)}), got {ending or 'no ending'}")
    if not path.is_file():
        raise ImageError(f"{path}: no such file")
    load: Callable[[Path], tuple[NDArray[Any], float | None]]
    load = _read_tiff if ending in (".tif", ".tiff") else _read_plain
    try:
        pixels, size = load(path)
    except ImageError:
        raise
    except Exception as error:  # decoders raise anything from SyntaxError to zlib.error
        raise ImageError(f"{path}: not a readable image ({error}); is the file complete?") from error
    return Image(_two_dimensional(pixels, path), size, str(path))


def find_images(path: str | Path) -> list[Path]:
    """All images of a folder (and the folders in it), one file, or a glob, sorted.

    Names that begin with a dot or an underscore are left alone, as are folders so named.

    Raises
    ------
    ImageError
        Nothing there, or no image among what is there.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if path.is_dir():
        inside = (p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
        found = sorted(p for p in inside if not _hidden(p.relative_to(path)))
    else:
        found = sorted(p for p in path.parent.glob(path.name) if p.suffix.lower() in ENDINGS)
    if not found:
        raise ImageError(f"{path}: expected images ({', '.join(ENDINGS)}), found none; is the path right?")
    return found


def _hidden(path: Path) -> bool:
    return any(part[0] in "._" for part in path.parts)


def _check_size(height: int, width: int, path: Path) -> None:
    if height * width > LARGEST_PIXELS:
        raise ImageError(
            f"{path}: expected a field of at most {LARGEST_PIXELS // 10**6} megapixels, got "
            f"{height} x {width}; cut the scan into fields first"
        )


def _read_plain(path: Path) -> tuple[NDArray[Any], float | None]:
    with PIL.Image.open(path) as picture:
        _check_size(picture.height, picture.width, path)
        deep_colour = picture.format == "PNG" and picture.mode == "RGB" and _png_depth(path) == 16
        plain = picture.convert("RGB") if picture.mode in ("P", "LA", "PA", "CMYK", "1") else picture
        pixels = np.asarray(plain)  # decodes all of it, so that a truncated file is noticed
    if deep_colour:  # Pillow would keep 8 of the 16 bits
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        pixels = pixels if stored is None else stored[..., 2::-1]
    return pixels, None


def _png_depth(path: Path) -> int:
    with path.open("rb") as file:
        return file.read(25)[24]


def _read_tiff(path: Path) -> tuple[NDArray[Any], float | None]:
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        _check_size(int(page.imagelength), int(page.imagewidth), path)
        alike = sum(other.shape == page.shape for other in tiff.pages)
        if alike > 1:
            raise ImageError(
                f"{path}: expected one image, got a stack of {alike}; save each plane as a file of its own ('cytally livecell unstack' does)"
            )
        pixels = page.asarray()
        ome = tiff.ome_metadata
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            pixels = pixels.max() - pixels
        return pixels, _ome_pixel_size(ome) if ome else _tiff_pixel_size(page)


def _ome_pixel_size(ome: str) -> float | None:
    factor = {"nm": 1e-3, "µm": 1.0, "um": 1.0, "mm": 1e3}
    for element in ElementTree.fromstring(ome).iter():
        if element.tag.endswith("Pixels") and "PhysicalSizeX" in element.attrib:
            unit = element.attrib.get("PhysicalSizeXUnit", "µm")
            return float(element.attrib["PhysicalSizeX"]) * factor[unit] if unit in factor else None
    return None


def _tiff_pixel_size(page: Any) -> float | None:
    """Only a centimetre resolution finer than 2 um per pixel is taken for a measurement."""
    tags = page.tags
    if "XResolution" not in tags or "ResolutionUnit" not in tags or int(tags["ResolutionUnit"].value) != 3:
        return None
    top, bottom = tags["XResolution"].value
    size = 1e4 * bottom / top if top else 0.0
    return size if 0 < size < 2 else None


def _two_dimensional(pixels: NDArray[Any], path: Path) -> NDArray[Any]:
    pixels = np.squeeze(pixels)
    if pixels.ndim == 3 and pixels.shape[0] in (3, 4) and pixels.shape[2] not in (3, 4):
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        return pixels[..., :3]
    if pixels.ndim == 0:
        return pixels.reshape(1, 1)
    if pixels.ndim != 2:
        raise ImageError(f"{path}: expected one grey or RGB image, got an array of shape {pixels.shape}")
    return pixels
