"""What a TIFF says about itself: pixel size and number of planes, from OME, ImageJ and plain tags.

Nothing said here ever costs the image: what cannot be is left aside with a note.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from cytally.images.formats.directories import Page

#: Pixels of a light microscope lie within these limits, micrometres in the specimen.
POSSIBLE_UM = (0.01, 2.0)
_UNITS = {
    "pm": 1e-6,
    "å": 1e-4,
    "angstrom": 1e-4,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "m": 1e6,
}
#: How far height and width of a square pixel may differ: both are rounded.
_SQUARE = 0.02
_LONGEST_XML = 32_000_000


@dataclass(frozen=True)
class Stated:
    """A pixel size that is possible, or None, and what is said where the file gave another."""

    pixel_size_um: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declared:
    """Planes that a file says it holds, and how many of them are channels of one field.

    Attributes
    ----------
    planes : int
        Samples of all planes together; 0 where nothing is said.
    channels : int
        More than 1 where channels are all that its planes differ in.
    elsewhere : bool
        Whether planes of the same data lie in other files.
    """

    planes: int = 0
    channels: int = 1
    elsewhere: bool = False


def stated_size(page: Page, first: Page) -> Stated:
    """The pixel size of a page; the first page of the file may hold the description."""
    text = page.description or first.description
    if _is_ome(text):
        root = ome_tree(text)
        if root is None:
            return Stated(notes=("the OME metadata cannot be read: the pixel size is not known",))
        return _ome_size(root, page)
    if text.startswith("ImageJ="):
        return _imagej_size(text, page)
    return _tag_size(page)


def possible(value: float, unit: str = "um") -> Stated:
    """A stated size, believed where a microscope can have it.

    Examples
    --------
    >>> possible(0.0).notes
    ('pixel size 0 um in the metadata is not possible, not used',)
    """
    if not math.isfinite(value) or value <= 0:
        return Stated(notes=(f"pixel size {value:g} {unit} in the metadata is not possible, not used",))
    if value == 1:
        return Stated(notes=("pixel size 1 um in the metadata is the default of an uncalibrated image, not used",))
    low, high = POSSIBLE_UM
    if not low <= value <= high:
        which = "the camera's and not the specimen's" if 2 < value < 30 else "not that of a light microscope"
        return Stated(notes=(f"pixel size {value:g} um in the metadata is {which}, not used",))
    return Stated(value)


def declared(first: Page) -> Declared:
    """What the description of the first page says about the planes in this file."""
    text = first.description
    if _is_ome(text):
        root = ome_tree(text)
        return Declared() if root is None else _ome_planes(root)
    if text.startswith("ImageJ="):
        number = {key: int(value) for key, value in re.findall(r"(?m)^(\w+)=(\d{1,9})\s*$", text)}
        channels, others = number.get("channels", 1), number.get("slices", 1) * number.get("frames", 1)
        planes = max(number.get("images", 1), channels * others)
        return Declared(planes * first.samples, channels if others == 1 else 1)
    if text.startswith('{"shape"'):
        return Declared(_shaped(text) // max(1, first.height * first.width))
    return Declared()


def _shaped(text: str) -> int:
    """Values that tifffile wrote, by the shape it left in the description."""
    try:
        return math.prod(int(length) for length in json.loads(text)["shape"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0


def _is_ome(text: str) -> bool:
    return text.lstrip("\ufeff \n").startswith(("<?xml", "<OME")) and "OME" in text[:4000]


def ome_tree(text: str) -> ElementTree.Element | None:
    """The tree of an OME description, None where it is none; one that declares entities of its own is not read."""
    if len(text) > _LONGEST_XML or "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        return ElementTree.fromstring(text.lstrip("\ufeff \n").encode())
    except (ElementTree.ParseError, LookupError, ValueError):
        return None


def _named(root: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    return (element for element in root.iter() if element.tag.rpartition("}")[2] == name)


def _ome_size(root: ElementTree.Element, page: Page) -> Stated:
    """PhysicalSizeX of the image that has the page's size, else of the first."""
    found = list(_named(root, "Pixels"))
    same = [each for each in found if _whole(each, "SizeX", 0) == page.width]
    for pixels in (same or found)[:1]:
        text, unit = pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit", "µm")
        if text is None:
            return Stated()
        if unit.lower() not in _UNITS:
            return Stated(notes=(f"pixel size {text[:40]!r} in unknown units ({unit[:40]!r}), not used",))
        try:
            value = float(text)
        except ValueError:
            return Stated(notes=(f"pixel size {text[:40]!r} in the metadata is not a number, not used",))
        return _square(possible(value * _UNITS[unit.lower()]), _ome_height(pixels))
    return Stated()


def _ome_height(pixels: ElementTree.Element) -> float | None:
    """PhysicalSizeY in micrometres, None where nothing is said that can be read."""
    unit = pixels.get("PhysicalSizeYUnit", "µm").lower()
    try:
        return float(pixels.get("PhysicalSizeY", "")) * _UNITS[unit]
    except (ValueError, KeyError):
        return None


def _square(stated: Stated, height: float | None) -> Stated:
    """No one size where pixels are not square; height in micrometres."""
    width = stated.pixel_size_um
    if width is None or not height or not 0 < height < math.inf or abs(height / width - 1) <= _SQUARE:
        return stated
    return Stated(notes=(f"pixels are not square ({width:g} um wide, {height:g} um high): the size is not used",))


def _tag_height(page: Page, unit: float) -> float | None:
    density = page.tags.get("y_resolution", (0.0,))[0]
    return unit / density if 0 < density < math.inf else None


def _ome_planes(root: ElementTree.Element) -> Declared:
    images = list(_named(root, "Pixels"))
    files = {each.text for each in _named(root, "UUID")} | ({root.get("UUID")} - {None})
    elsewhere = len(files) > 1  # planes of one data set may lie in several files
    sizes = [tuple(_whole(each, f"Size{axis}", 1) for axis in "CZT") for each in images]
    samples = [_whole(each, "SamplesPerPixel", 1) for pixels in images for each in _named(pixels, "Channel")]
    planes = 0 if elsewhere else sum(math.prod(size) for size in sizes)
    alone = len(sizes) == 1 and sizes[0][1:] == (1, 1) and all(each == 1 for each in samples)
    return Declared(planes, sizes[0][0] if alone else 1, elsewhere)


def _whole(element: ElementTree.Element, name: str, default: int) -> int:
    text = element.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else default


def _imagej_size(text: str, page: Page) -> Stated:
    """ImageJ writes its unit into the description and pixels per unit into XResolution."""
    unit = re.search(r"(?m)^unit=(.{1,40})$", text)
    name = unit[1].strip().replace("\\u00B5", "µ").lower() if unit else ""
    density = page.tags.get("x_resolution", (0.0,))[0]
    if name not in _UNITS or not density > 0:
        return Stated()
    return _square(possible(_UNITS[name] / density), _tag_height(page, _UNITS[name]))


def _tag_size(page: Page) -> Stated:
    """Only a centimetre resolution finer than 2 um per pixel is taken for a measurement."""
    density = page.tags.get("x_resolution", (0.0,))[0]
    if page.get("resolution_unit", 2) != 3 or not 0 < density < math.inf:
        return Stated()
    size = 1e4 / density
    if not POSSIBLE_UM[0] <= size < POSSIBLE_UM[1]:
        return Stated()
    return _square(Stated(size), _tag_height(page, 1e4))
