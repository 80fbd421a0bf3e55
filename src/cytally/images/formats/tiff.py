"""One image out of a TIFF: which page, whole or not at all, in grey or RGB."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile

from cytally.errors import ImageError
from cytally.images.formats.calibration import Declared, Stated, declared, stated_size
from cytally.images.formats.colour import check_colours, to_picture
from cytally.images.formats.directories import Page, pages_of
from cytally.images.formats.limits import Damaged, Decoded
from cytally.images.formats.segments import PLAIN, check_page
from cytally.types import Pixels

#: A page of more than this share of the largest one's area is no thumbnail, label or pyramid level.
_RIVAL = 0.3


def read_tiff(path: Path, *, as_numbers: bool = False) -> Decoded:
    """The one image of a TIFF.

    Parameters
    ----------
    path : Path
    as_numbers : bool
        Leave grey and palette numbers as they are stored (masks).

    Raises
    ------
    ImageError
        A stack, several images, channels that are no RGB, anything missing, damaged or too large.
        The message does not name the file.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        pages = pages_of(file, size)
        chosen = _full_resolution(pages)
        said = declared(pages[0])
        _check_planes(chosen, pages, said, size)
        for page in chosen:
            check_colours(page)
            check_page(page, file, size)
        parts = decode(file, chosen, as_numbers=as_numbers)
    stated = stated_size(chosen[0], pages[0])
    return _together(parts, chosen[0], stated)


def _together(parts: list[tuple[Pixels, tuple[str, ...]]], page: Page, stated: Stated) -> Decoded:
    pixels, notes = parts[0]
    if len(parts) > 1:
        pixels = np.stack([part for part, _ in parts], axis=2)
        notes = (*notes, "three channels of one field, taken as red, green and blue")
    return Decoded(pixels, stated.pixel_size_um, page.get("orientation", 1), (*notes, *stated.notes))


def decode(file: BinaryIO, pages: list[Page], *, as_numbers: bool = False) -> list[tuple[Pixels, tuple[str, ...]]]:
    """Pixels and notes of pages that have been checked.

    Raises
    ------
    Damaged
        What came out is not what was declared.
    """
    with opened(file) as tiff:
        return [to_picture(stored(tiff, page), page, as_numbers=as_numbers) for page in pages]


def opened(file: BinaryIO) -> tifffile.TiffFile:
    """The library's view of a file whose pages have been checked.

    Vendors' private structures are not asked for, nor other files: they lead to other pages than those checked.
    """
    file.seek(0)
    return tifffile.TiffFile(
        file,
        name="image",
        _multifile=False,
        is_lsm=False,
        is_scanimage=False,
        is_ndpi=False,
        is_stk=False,
    )


def stored(tiff: tifffile.TiffFile, page: Page) -> Pixels:
    """Pixels of a page as stored, (h, w, samples).

    Raises
    ------
    Damaged
        What came out is not what was declared.
    """
    found: Any = tiff.pages[page.number]
    samples = found.asarray(squeeze=False, maxworkers=1)
    samples = np.moveaxis(samples[:, 0, ..., 0], 0, 2) if page.planar else samples[0, 0]
    if samples.shape != (page.height, page.width, page.samples):
        raise Damaged(f"expected {page.height} x {page.width} pixels of {page.samples} samples, got {samples.shape}")
    return np.asarray(samples)


def full_pages(pages: list[Page]) -> list[Page]:
    """Pages of the largest size that are no reduced copies; of one size, in their order.

    A page larger than all others is no reduced copy, whatever it calls itself.

    Raises
    ------
    ImageError
        Two sizes that could both be meant; or only reduced copies, the image itself lying elsewhere.
    """
    full = [page for page in pages if not page.reduced]
    if not full and any("sub_pages" in page.tags for page in pages):
        raise ImageError("expected an image, got thumbnails of one (a raw file?); export it as a plain TIFF")
    most = max((page.height * page.width for page in full), default=0)
    full = [page for page in pages if not page.reduced or page.height * page.width > most]
    largest = max(full, key=lambda page: page.height * page.width)
    area = largest.height * largest.width
    size = (largest.height, largest.width)
    alike = [page for page in full if (page.height, page.width) == size]
    others = (page for page in full if (page.height, page.width) != size)
    rival = next((page for page in others if page.height * page.width > _RIVAL * area), None)
    if rival is not None:
        raise ImageError(
            f"expected one image, got pages of {largest.height} x {largest.width} and "
            f"{rival.height} x {rival.width}; save each as a file of its own"
        )
    return alike


def _full_resolution(pages: list[Page]) -> list[Page]:
    """The page of the image; several where they are alike."""
    alike = full_pages(pages)
    return alike if len(alike) > 1 else alike[:1]


def _check_planes(alike: list[Page], pages: list[Page], said: Declared, size: int) -> None:
    """One plane, or three channels of one field.

    Raises
    ------
    ImageError
        Fewer planes than declared; a stack; channels that are no RGB.
    """
    found = planes_there(alike, pages, said, size)
    channels = said.channels if said.channels == found and alike[0].samples == 1 else 1
    if channels == 3 == len(alike) and len({page.signature for page in alike}) == 1:
        return
    if channels > 1:
        raise ImageError(
            f"expected grey or RGB, got one field in {channels} channels; save the one that shows the cells, "
            "or all of them as RGB (in ImageJ: Image > Type > RGB Color)"
        )
    if found > 1:
        raise ImageError(
            f"expected one image, got a stack of {found}; save each plane as a file of its own "
            "('cytally livecell unstack' does)"
        )


def planes_there(alike: list[Page], pages: list[Page], said: Declared, size: int) -> int:
    """Planes of a file: its pages, or those that follow one page without pages of their own.

    Raises
    ------
    ImageError
        The file declares more planes than it holds.
    """
    first = alike[0]
    there = sum(page.samples for page in pages if page.reduced == first.reduced)
    behind = len(first.tags.get("metamorph", ()))  # as many values as planes
    if max(said.planes, behind) <= there:
        return len(alike)
    planes = max(said.planes // first.samples, behind)
    plane = first.height * first.width * first.samples * max(1, first.bits // 8)
    start = min(first.all("strip_offsets"), default=size)
    if len(pages) == 1 and first.get("compression", PLAIN) == PLAIN and start + planes * plane <= size:
        return planes
    raise Damaged(f"the file declares {planes} planes and holds {len(alike)}")
