"""Whether every strip and tile of a TIFF page is there, whole.

A decoder fills what is missing with zeros, and a JPEG decoder what is cut off with grey: other
pixels, without a word. So all of it is checked first.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cytally.errors import ImageError
from cytally.images.formats.directories import Page
from cytally.images.formats.limits import Damaged, check_size

#: Compressions that are read, by their numbers in a TIFF; others are refused by name.
PLAIN, LZW, JPEG = 1, 5, 7
JPEG2000 = (33004, 33005, 34712)
_READ = (PLAIN, LZW, JPEG, 8, 32946, 32773, 50000, *JPEG2000)
_NAMES = {
    2: "CCITT RLE",
    3: "CCITT fax 3",
    4: "CCITT fax 4",
    6: "old-style JPEG",
    22610: "JPEG XR",
    33003: "JPEG 2000 in YCbCr",
    34887: "LERC",
    34892: "lossy JPEG",
    34925: "LZMA",
    34933: "PNG",
    50001: "WebP",
    50002: "JPEG XL",
}
_MOST_SEGMENTS = 1_000_000
#: Start of frame, JPEG: markers C0 to CF without tables (C4), extensions (C8) and conditioning (CC).
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True)
class _Grid:
    """How a page is cut: rows and columns of a segment, segments down and across, planes."""

    rows: int
    cols: int
    down: int
    across: int
    planes: int
    samples: int

    @property
    def number(self) -> int:
        return self.down * self.across * self.planes


def check_page(page: Page, file: BinaryIO, size: int) -> None:
    """Refuse a page that is too large, of an unknown kind, or not all there.

    Raises
    ------
    ImageError
        See above; the message does not name the file.
    """
    samples, bits = page.samples, page.bits
    if not 1 <= samples <= 16 or not 1 <= bits <= 64:
        raise ImageError(f"expected 1 to 4 samples of up to 64 bits, got {samples} of {bits} bits")
    if page.get("depth", 1) > 1:
        raise ImageError(
            f"expected one image, got a volume of {page.get('depth')} planes in one page; save each as a page"
        )
    expanded = 3 if "colour_map" in page.tags and samples == 1 else samples
    check_size(page.height, page.width, expanded * max(1, math.ceil(bits / 8)))
    compression = page.get("compression", PLAIN)
    if compression not in _READ:
        name = _NAMES.get(compression, f"number {compression}")
        raise ImageError(f"the compression {name} is not read; save the TIFF uncompressed or with LZW")
    grid = _grid(page)
    for index, (offset, count) in enumerate(_places(page, grid)):
        if offset == 0 or count == 0:
            raise Damaged(f"part {index + 1} of {grid.number} of the image is missing")
        if offset + count > size:
            raise Damaged(f"part {index + 1} of {grid.number} of the image lies beyond the end of the file")
        _check_segment(page, grid, index, (offset, count), file)


def _grid(page: Page) -> _Grid:
    planes, samples = (page.samples, 1) if page.planar else (1, page.samples)
    if page.tiled:
        rows, cols = page.get("tile_height"), page.get("tile_width")
        if rows < 1 or cols < 1 or rows * cols > max(4 * page.height * page.width, 2048**2):
            raise ImageError(
                f"expected tiles of the image's order of size, got {rows} x {cols}; the file is damaged, export it again"
            )
    else:
        rows, cols = min(page.get("strip_rows", page.height), page.height), page.width
        if rows < 1:
            raise Damaged("expected strips of at least one row, got 0")
    grid = _Grid(rows, cols, math.ceil(page.height / rows), math.ceil(page.width / cols), planes, samples)
    if grid.number > _MOST_SEGMENTS:
        raise ImageError(f"expected at most {_MOST_SEGMENTS} strips or tiles, got {grid.number}; save it again")
    return grid


def _places(page: Page, grid: _Grid) -> Iterator[tuple[int, int]]:
    # Old writers list tiles under the tags of strips.
    offsets = (page.tiled and page.all("tile_offsets")) or page.all("strip_offsets")
    counts = (page.tiled and page.all("tile_counts")) or page.all("strip_counts")
    if not counts and page.get("compression", PLAIN) == PLAIN:
        counts = tuple(_plain_bytes(page, grid, index) for index in range(grid.number))
    if len(offsets) < grid.number or len(counts) < grid.number:
        raise Damaged(f"expected {grid.number} strips or tiles, got {min(len(offsets), len(counts))}")
    return zip(offsets[: grid.number], counts[: grid.number], strict=True)


def _rows(page: Page, grid: _Grid, index: int) -> int:
    """Rows of a segment that lie in the image."""
    return min(grid.rows, page.height - (index // grid.across) % grid.down * grid.rows)


def _plain_bytes(page: Page, grid: _Grid, index: int) -> int:
    rows = grid.rows if page.tiled else _rows(page, grid, index)
    return rows * math.ceil(grid.cols * grid.samples * page.bits / 8)


def _check_segment(page: Page, grid: _Grid, index: int, place: tuple[int, int], file: BinaryIO) -> None:
    compression = page.get("compression", PLAIN)
    if compression == PLAIN:
        needed = _plain_bytes(page, grid, index)
        if place[1] < needed:
            raise Damaged(f"part {index + 1} of {grid.number} has {place[1]} of {needed} bytes")
    elif compression == JPEG or compression in JPEG2000:
        file.seek(place[0])
        data = file.read(place[1])
        declared = _jpeg_frame(data) if compression == JPEG else _jpeg2000_frame(data)
        _check_frame(declared, page, grid, index)
        if data.rstrip(b"\0")[-2:] != b"\xff\xd9":  # end of image, of both
            raise Damaged(f"part {index + 1} of {grid.number} of the image is cut off (JPEG)")


def _check_frame(declared: tuple[int, int, int], page: Page, grid: _Grid, index: int) -> None:
    rows, cols, samples = declared
    last = page.width - index % grid.across * grid.cols
    if rows not in (grid.rows, _rows(page, grid, index)) or cols not in (grid.cols, last) or samples != grid.samples:
        raise ImageError(
            f"part {index + 1} of {grid.number} holds a JPEG of {rows} x {cols} pixels of {samples} samples where "
            f"{grid.rows} x {grid.cols} of {grid.samples} are declared; the file is damaged, export it again"
        )


def _jpeg_frame(data: bytes) -> tuple[int, int, int]:
    """Rows, columns and samples that a JPEG stream declares (ITU T.81, B.2.2)."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            rows, cols, samples = struct.unpack(">HHB", data[at + 5 : at + 10])
            return rows, cols, samples
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD7:  # filling, and markers without a length
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise ImageError(
        "expected a JPEG stream in the TIFF, got none that declares its size; the file is damaged, export it again"
    )


def _jpeg2000_frame(data: bytes) -> tuple[int, int, int]:
    """The same of a JPEG 2000 codestream (ITU T.800, A.5.1), bare or in its boxes."""
    at = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at < 0 or at + 42 > len(data):
        raise ImageError("expected a JPEG 2000 stream in the TIFF, got none; the file is damaged, export it again")
    right, bottom, left, top = struct.unpack(">4I", data[at + 8 : at + 24])
    (samples,) = struct.unpack(">H", data[at + 40 : at + 42])
    return bottom - top, right - left, samples
