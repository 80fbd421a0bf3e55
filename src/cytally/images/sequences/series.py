"""Pages of a TIFF -> its series: which page is which time, channel and focal plane.

What the metadata say only puts pages in order. Pixels come from pages that were checked before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np
import tifffile

from cytally.errors import ImageError
from cytally.images.formats.calibration import declared
from cytally.images.formats.colour import check_colours
from cytally.images.formats.directories import Page
from cytally.images.formats.limits import Damaged
from cytally.images.formats.segments import check_page
from cytally.images.formats.tiff import full_pages, planes_there
from cytally.images.sequences.headers import hours_noted, pixel_sizes_noted

#: Axes of tifffile for pages in a row that no name tells what they are: as many cameras write time-lapses.
_UNNAMED = "IQR"
_KNOWN = set("TCZYXS" + _UNNAMED)
_OTHER_AXES = (
    "expected axes of time, channel and focal plane beside rows and columns, got {} {}; save it with those axes, "
    "as an ImageJ or OME stack"
)
#: Kinds of tifffile in which the file itself says where one series ends and the next begins.
_TOLD = ("ome", "mmstack", "shaped")


@dataclass(frozen=True)
class StackPart:
    """One series of a stack, such as one position.

    Attributes
    ----------
    number, name : int, str
        From 0; the name is "" where the file gives none.
    times, channels, planes : int
        Planes are focal planes.
    pixel_size_um : float or None
    hours : float or None
        Between times.
    """

    number: int
    name: str
    times: int
    channels: int
    planes: int
    pixel_size_um: float | None
    hours: float | None


@dataclass(frozen=True)
class Place:
    """Where a plane lies: a page, how many planes behind it without pages of their own, and its sample.

    `channel` is None where all samples of the page are one picture.
    """

    page: Page
    behind: int
    channel: int | None


@dataclass(frozen=True)
class Series:
    """A series, its axes with their lengths, and its pages in the order of the axes that step through them.

    Axes are tifffile's: rows Y, columns X, samples of a colour S, time T, channel C, focal plane Z.
    """

    part: StackPart
    axes: str
    sizes: dict[str, int]
    pages: tuple[Page, ...]

    @property
    def inside(self) -> bool:
        """Channels are samples of one page: behind its columns, or planes of their own within it."""
        first = self.pages[0]
        if "C" not in self.axes or first.samples != self.sizes["C"] or first.samples == 1:
            return False
        return self.axes.index("C") > self.axes.index("Y") or (
            first.planar and len(self.pages) * first.samples == prod(self.sizes[axis] for axis in self._outer())
        )

    def _outer(self) -> str:
        return "".join(axis for axis in self.axes if axis not in "YXS")

    @property
    def steps(self) -> str:
        """Axes of which every value has a page of its own."""
        return self._outer().replace("C", "") if self.inside else self._outer()

    @property
    def count(self) -> int:
        """Pages that there must be, or places behind the only one."""
        return prod(self.sizes[axis] for axis in self.steps)

    def place(self, time: int, channel: int, z: int) -> Place:
        """Where one plane lies; all from 0."""
        wanted = {"T": time, "C": channel, "Z": z} | dict.fromkeys(_UNNAMED, time)
        at = [wanted[axis] if self.sizes[axis] > 1 else 0 for axis in self.steps]
        number = int(np.ravel_multi_index(at, [self.sizes[axis] for axis in self.steps])) if at else 0
        single = len(self.pages) == 1
        return Place(self.pages[0 if single else number], number if single else 0, channel if self.inside else None)


def series_in(file: BinaryIO, pages: list[Page], size: int) -> list[Series]:
    """All series of a TIFF, every page of them checked; reduced copies are left aside.

    Single images written one after the other are one sequence.

    Parameters
    ----------
    file : binary file
    pages : list of Page
        All that it has.
    size : int
        Of the file, bytes.

    Raises
    ------
    ImageError
        A part of several files; a page that is not whole, too large or of a kind that is not read; pages of different kinds that nothing tells apart; axes that are no time,
        channel or focal plane.
    Damaged
        Fewer or more planes than its axes make.
    """
    said = declared(pages[0])
    if said.elsewhere:
        raise ImageError("expected all planes in one file, got a part of several; save them as one stack")
    with _described(file) as tiff:
        found = list(tiff.series)
        images = _images(found, pages)
        for page in images:
            _check(page, file, size)
        there = planes_there(images, pages, said, size)
        numbered = {page.number: page for page in images}
        several = _sequence([one for one in found if one.keyframe.index in numbered], numbered)
        hours, sizes_um = hours_noted(tiff), pixel_sizes_noted(tiff)
    names = [str(one.name) for one in several]
    made = []
    for number, one in enumerate(several):
        name = names[number] if names.count(names[number]) == 1 and len(names) > 1 else ""
        times, channels, planes = one.extent()
        um = sizes_um[min(number, len(sizes_um) - 1)] if sizes_um else None
        part = StackPart(number, name, times, channels, planes, um, hours)
        made.append(Series(part, one.axes, one.sizes, one.pages))
    _check_planes(made, there)
    return made


def _described(file: BinaryIO) -> tifffile.TiffFile:
    """The library's view of what the metadata say; it is asked for no pixels and opens no other file."""
    file.seek(0)
    return tifffile.TiffFile(file, name="image", _multifile=False, is_ndpi=False, is_ndtiff=False)


def _check(page: Page, file: BinaryIO, size: int) -> None:
    """Refuse a page of which no image can be made."""
    check_colours(page)
    check_page(page, file, size)
    real = page.get("sample_format", 1) == 3
    if page.bits == 16 if real else page.bits > 32:
        raise ImageError(
            f"expected whole numbers of up to 32 bits, or real ones of 32 or 64, got {'real' if real else 'whole'} ones "
            f"of {page.bits}; save the stack with 16 bits"
        )


def _images(found: list[Any], pages: list[Page]) -> list[Page]:
    """Pages that are no reduced copies; of one kind, where the file does not say which belong together."""
    if any(one.kind in _TOLD for one in found):
        most = max((page.height * page.width for page in pages if not page.reduced), default=0)
        return [page for page in pages if not page.reduced or page.height * page.width > most]
    images = full_pages(pages)
    if len({page.signature for page in images}) > 1:
        raise ImageError("expected planes of one kind, got pages of different kinds; save the stack again")
    return images


@dataclass(frozen=True)
class _Told:
    """What tifffile says of one series."""

    name: str
    axes: str
    sizes: dict[str, int]
    pages: tuple[Page, ...]

    def extent(self) -> tuple[int, int, int]:
        """Times, channels and focal planes; pages in a row without a name are times."""
        sizes = self.sizes
        unnamed = [axis for axis in self.axes if axis in _UNNAMED and sizes[axis] > 1]
        other = [axis for axis in self.axes if axis not in _KNOWN and sizes[axis] > 1]
        if other or len(unnamed) > 1 or (unnamed and sizes.get("T", 1) > 1):
            raise ImageError(_OTHER_AXES.format(self.axes, tuple(sizes.values())))
        times = sizes[unnamed[0]] if unnamed else sizes.get("T", 1)
        return times, sizes.get("C", 1), sizes.get("Z", 1)


def _sequence(full: list[Any], numbered: dict[int, Page]) -> list[_Told]:
    """Series as they are told; single images of one kind that were written one after the other are one."""
    told = [_told(one, numbered) for one in full]
    if not told:
        raise Damaged("expected a series of images, got none")
    single = all(len(one.pages) == 1 and one.axes[0] == "Y" for one in told)
    alike = len({one.pages[0].signature for one in told}) == 1
    if len(told) > 1 and single and alike and not any(one.kind in ("ome", "mmstack") for one in full):
        first = told[0]
        return [_Told("", "I" + first.axes, {"I": len(told)} | first.sizes, tuple(one.pages[0] for one in told))]
    return told


def _told(one: Any, numbered: dict[int, Page]) -> _Told:
    axes, inside = str(one.axes), list(one.pages)
    lacking = sum(page is None or page.index not in numbered for page in inside)
    if lacking:
        raise Damaged(f"{lacking} of {len(inside)} planes are missing")
    if "Y" not in axes or "X" not in axes or len(set(axes)) < len(axes):
        raise ImageError(_OTHER_AXES.format(axes, tuple(one.shape)))
    sizes = dict(zip(axes, (int(length) for length in one.shape), strict=True))
    pages = tuple(numbered[page.index] for page in inside)
    if len(pages) == 1:  # tifffile names the first of a row without gaps; others may have pages of their own
        planes = prod(length for axis, length in sizes.items() if axis not in "YXS")
        chain = [numbered.get(pages[0].number + step) for step in range(planes)]
        alike = [page for page in chain if page is not None and page.signature == pages[0].signature]
        pages = tuple(alike) if len(alike) == planes and planes else pages
    return _Told(str(one.name or ""), axes, sizes, pages)


def _check_planes(series: list[Series], there: int) -> None:
    """All planes belong to a series, and every series has all of its planes."""
    made = sum(one.count for one in series)
    if made != there or any(len(one.pages) not in (1, one.count) for one in series):
        axes = " and ".join(one.axes for one in series)
        raise Damaged(f"it holds {there} planes, but its axes {axes} make {made}")
