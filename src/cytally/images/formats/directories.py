"""The pages of a TIFF, walked once without decoding a pixel.

TIFF 6.0 section 2, and BigTIFF. The libraries that decode follow the chain of pages in good faith;
here a chain that bites its tail, leaves the file or never ends is an error.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from cytally.errors import ImageError
from cytally.images.formats.limits import MOST_PAGES, Damaged

#: What is wrong with a file is told by errors; the library's own words would stand beside them on the screen.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)

#: Types of TIFF 6.0 and BigTIFF: letter of `struct` and numbers in each value.
_TYPES = {
    1: ("B", 1),
    2: ("B", 1),
    3: ("H", 1),
    4: ("I", 1),
    5: ("I", 2),
    6: ("b", 1),
    7: ("B", 1),
    8: ("h", 1),
    9: ("i", 1),
    10: ("i", 2),
    11: ("f", 1),
    12: ("d", 1),
    13: ("I", 1),
    16: ("Q", 1),
    17: ("q", 1),
    18: ("Q", 1),
}
_TEXT = (1, 2, 6, 7)
_MOST_ENTRIES = 1000
#: Bytes of all numbers and of all text of one page, and of those kept of all pages; numbers become objects.
_MOST = (16_000_000, 128_000_000)

#: Tags that decide what a page is.
WANTED = {
    "kind": 254,
    "old_kind": 255,
    "width": 256,
    "height": 257,
    "bits": 258,
    "compression": 259,
    "photometric": 262,
    "description": 270,
    "strip_offsets": 273,
    "orientation": 274,
    "samples": 277,
    "strip_rows": 278,
    "strip_counts": 279,
    "x_resolution": 282,
    "y_resolution": 283,
    "planar": 284,
    "resolution_unit": 296,
    "colour_map": 320,
    "tile_width": 322,
    "tile_height": 323,
    "tile_offsets": 324,
    "tile_counts": 325,
    "sub_pages": 330,
    "ink_set": 332,
    "extra_samples": 338,
    "sample_format": 339,
    "jpeg_tables": 347,
    "ycbcr_coefficients": 529,
    "ycbcr_subsampling": 530,
    "black_white": 532,
    "depth": 32997,
    "metamorph": 33629,
}
_NAMES = {code: name for name, code in WANTED.items()}
Numbers = Sequence[float]


@dataclass(frozen=True)
class Page:
    """One page of a TIFF: its tags by name, numbers as tuples; what a page does not say has its default."""

    number: int
    tags: Mapping[str, Numbers]

    def get(self, name: str, default: int = 0) -> int:
        """The first number of a tag."""
        values = self.tags.get(name)
        return int(values[0]) if values else default

    def all(self, name: str) -> tuple[int, ...]:
        """All numbers of a tag."""
        return tuple(int(value) for value in self.tags.get(name, ()))

    @property
    def height(self) -> int:
        """Rows."""
        return self.get("height")

    @property
    def width(self) -> int:
        """Columns."""
        return self.get("width")

    @property
    def samples(self) -> int:
        """Values per pixel."""
        return self.get("samples", 1)

    @property
    def bits(self) -> int:
        """Bits of a sample."""
        return self.get("bits", 1)

    @property
    def planar(self) -> bool:
        """Whether each sample is stored as a plane of its own."""
        return self.get("planar", 1) == 2 and self.samples > 1

    @property
    def tiled(self) -> bool:
        """Whether it is cut into tiles, and not into strips."""
        return "tile_width" in self.tags

    @property
    def reduced(self) -> bool:
        """Whether it calls itself a reduced copy of another page, or a mask for one."""
        return bool(self.get("kind") & 5) or self.get("old_kind", 1) == 2

    @property
    def description(self) -> str:
        """Text, of OME or ImageJ perhaps."""
        text = self.tags.get("description", b"")
        return (text if isinstance(text, bytes) else b"").rstrip(b"\0").decode("utf-8", "replace")

    @property
    def signature(self) -> tuple[object, ...]:
        """What pages of one stack have in common."""
        names = (
            "height",
            "width",
            "samples",
            "bits",
            "compression",
            "photometric",
            "planar",
            "sample_format",
        )
        tiling = ("tile_width", "tile_height", "strip_rows")
        return tuple(self.all(name) for name in (*names, *tiling))


@dataclass(frozen=True)
class _Layout:
    """Byte order, and the widths of classic TIFF or BigTIFF."""

    order: str
    big: bool

    def number(self, data: bytes) -> int:
        letter = {2: "H", 4: "I", 8: "Q"}[len(data)]
        return int(struct.unpack(self.order + letter, data)[0])


def pages_of(file: BinaryIO, size: int) -> list[Page]:
    """The pages of a TIFF in their order.

    Parameters
    ----------
    file : binary file
    size : int
        Of the file, bytes.

    Raises
    ------
    ImageError
        No TIFF; a page that lies beyond the end; pages whose chain comes back to an earlier one, or never ends.
    """
    layout, offset = _header(file)
    pages: list[Page] = []
    seen: set[int] = set()
    kept = [0, 0]
    while offset:
        if offset in seen:
            raise ImageError(
                f"page {len(pages) + 1} points back to an earlier page: the file is damaged; export it again"
            )
        if len(pages) == MOST_PAGES:
            raise ImageError(f"expected at most {MOST_PAGES} pages, got more; split the stack")
        seen.add(offset)
        tags, offset = _directory(file, layout, offset, size, kept)
        pages.append(Page(len(pages), tags))
    if not pages:
        raise Damaged("expected a TIFF with a page, got none")
    return pages


def _header(file: BinaryIO) -> tuple[_Layout, int]:
    file.seek(0)
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise Damaged("expected a TIFF, got other bytes")
    layout = _Layout(order, _is_big(head, order))
    return layout, layout.number(head[8:16] if layout.big else head[4:8])


def _is_big(head: bytes, order: str) -> bool:
    """Whether a header is that of BigTIFF.

    Raises
    ------
    ImageError
        Neither TIFF nor BigTIFF.
    Damaged
        Cut off within the header.
    """
    version = struct.unpack(order + "H", head[2:4])[0]
    if version == 43 and len(head) < 16:
        raise Damaged(f"expected a header of 16 bytes, got {len(head)}")
    if version == 43 and struct.unpack(order + "HH", head[4:8]) == (8, 0):
        return True
    if version != 42:
        raise ImageError(f"expected a TIFF (version 42 or 43), got version {version}; is it another format?")
    return False


def _directory(
    file: BinaryIO, layout: _Layout, offset: int, size: int, kept: list[int]
) -> tuple[dict[str, Numbers], int]:
    """Tags and the place of the next page; `kept` counts bytes of numbers and text over all pages."""
    width, entry, link = (8, 20, 8) if layout.big else (2, 12, 4)
    count = layout.number(_at(file, offset, width, size))
    if not 1 <= count <= _MOST_ENTRIES:
        raise Damaged(f"expected a page of 1 to {_MOST_ENTRIES} tags, got {count}")
    body = _at(file, offset + width, count * entry + link, size)
    tags: dict[str, Numbers] = {}
    spent = [0, 0]  # numbers, text
    for code, kind, number, value in _entries(body[: count * entry], layout):
        letter, each = _TYPES.get(kind, ("", 0))
        length = struct.calcsize(letter) * each * number
        name, text = _NAMES.get(code), kind in _TEXT
        spent[text] += length
        kept[text] += length if name else 0
        if spent[text] > _MOST[text] or kept[text] > _MOST[text]:
            raise ImageError(
                f"tag {code} declares {number} values, more than a page may hold; the file is damaged, export it again"
            )
        if name and number and letter and name not in tags:
            data = value[:length] if length <= len(value) else _at(file, layout.number(value), length, size)
            tags[name] = _values(data, layout.order + letter, each)
    return tags, layout.number(body[-link:])


def _entries(body: bytes, layout: _Layout) -> Iterator[tuple[int, int, int, bytes]]:
    """Code, type, count and the bytes that hold the value or its place."""
    form = struct.Struct(layout.order + ("HHQ8s" if layout.big else "HHI4s"))
    yield from form.iter_unpack(body)


def _values(data: bytes, form: str, each: int) -> Numbers:
    if form[1] == "B":
        return data
    numbers = np.frombuffer(data, np.dtype(form[0] + np.dtype(form[1]).str[1:]))
    if each == 1:
        return tuple(numbers.tolist())
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple((numbers[0::2].astype(float) / numbers[1::2]).tolist())


def _at(file: BinaryIO, offset: int, length: int, size: int) -> bytes:
    if offset + length > size:
        raise Damaged(f"expected {length} bytes at {offset}, but the file ends at {size}")
    file.seek(offset)
    return file.read(length)
