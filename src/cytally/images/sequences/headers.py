"""What an image file says of itself, without its pixels being read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import PIL.Image
import tifffile

from cytally.images.formats.calibration import ome_tree

#: Seconds in the units that ImageJ and OME write; both leave seconds out.
_SECONDS = {
    "": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 1e-3,
    "msec": 1e-3,
    "min": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "hour": 3600.0,
    "hours": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
_MICROMETRES = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
}
_TIFF = (".tif", ".tiff")


def size_of(path: Path) -> tuple[int, int] | None:
    """Rows and columns of an image; None where the file cannot be read, which reading it will say."""
    try:
        if path.suffix.lower() in _TIFF:
            with tifffile.TiffFile(path) as tiff:
                page: Any = tiff.pages.first
                return int(page.imagelength), int(page.imagewidth)
        with PIL.Image.open(path) as picture:
            return picture.height, picture.width
    except Exception:  # decoders raise anything
        return None


def hours_between(path: Path) -> float | None:
    """Hours from one frame to the next, as OME (TimeIncrement) or ImageJ (finterval) note it in a TIFF.

    None where the file says nothing, or nothing above 0.
    """
    if path.suffix.lower() not in _TIFF:
        return None
    try:
        with tifffile.TiffFile(path) as tiff:
            return hours_noted(tiff)
    except Exception:  # a damaged file or header; reading its pixels will say so
        return None


def hours_noted(tiff: tifffile.TiffFile) -> float | None:
    """`hours_between` of a file that is open; what cannot be read is not known."""
    try:
        value, unit = _from_ome(tiff.ome_metadata) or _from_imagej(tiff.imagej_metadata) or (0.0, "")
    except Exception:  # a description that the library stumbles over
        return None
    seconds = value * _SECONDS.get(unit.strip().lower(), math.nan)
    return seconds / 3600 if seconds > 0 and math.isfinite(seconds) else None


def pixel_sizes_noted(tiff: tifffile.TiffFile) -> list[float | None]:
    """Micrometres of a pixel for each image that OME or ImageJ describe; None where not above 0 or in no known unit.

    Empty where neither says anything that can be read.
    """
    try:
        return _sizes_in_ome(tiff.ome_metadata) if tiff.ome_metadata else _size_in_imagej(tiff)
    except Exception:  # a resolution that is no fraction, a description that the library stumbles over
        return []


def _sizes_in_ome(text: str) -> list[float | None]:
    root = ome_tree(text)
    pixels = [] if root is None else [each.attrib for each in root.iter() if each.tag.endswith("Pixels")]
    return [_micrometres(each.get("PhysicalSizeX"), each.get("PhysicalSizeXUnit", "µm")) for each in pixels]


def _size_in_imagej(tiff: tifffile.TiffFile) -> list[float | None]:
    said = tiff.imagej_metadata
    page: Any = tiff.pages.first
    resolution = page.tags.get("XResolution")
    if said is None or resolution is None:
        return []
    pixels, units = resolution.value
    unit = str(said.get("unit", "")).replace(r"\u00B5", "µ")
    return [_micrometres(units / pixels if pixels else None, unit)]


def _micrometres(text: Any, unit: str) -> float | None:
    size = _number(text) * _MICROMETRES.get(unit.strip().lower(), math.nan)
    return size if size > 0 and math.isfinite(size) else None


def _from_ome(text: str | None) -> tuple[float, str] | None:
    root = ome_tree(text) if text else None
    for element in root.iter() if root is not None else ():
        if element.tag.endswith("Pixels") and "TimeIncrement" in element.attrib:
            return _number(element.attrib["TimeIncrement"]), element.attrib.get("TimeIncrementUnit", "s")
    return None


def _from_imagej(said: dict[str, Any] | None) -> tuple[float, str] | None:
    if not said or "finterval" not in said:
        return None
    return _number(said["finterval"]), str(said.get("tunit", "s"))


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan
