"""A TIFF that holds a time-lapse -> single images, one in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.formats.calibration import declared
from cytally.images.formats.colour import check_colours, to_picture
from cytally.images.formats.directories import Page, pages_of
from cytally.images.formats.limits import Damaged
from cytally.images.formats.segments import check_page
from cytally.images.formats.tiff import full_pages, opened, planes_there, stored

#: Axes of tifffile that count time where a file names none T: generic sequences of pages.
_SEQUENCE = "TIQRZ"


@dataclass(frozen=True)
class Plane:
    """One image of a stack: its time and channel, both from 0, and its pixels (h, w) or (h, w, 3)."""

    time: int
    channel: int
    pixels: NDArray[Any]


@dataclass(frozen=True)
class StackShape:
    """Times and channels of a stack."""

    times: int
    channels: int


@dataclass(frozen=True)
class _Stack:
    """An open file, axes of its planes with their lengths, and its pages in their order."""

    file: BinaryIO
    tiff: tifffile.TiffFile
    axes: str
    sizes: dict[str, int]
    pages: list[Page]

    @property
    def before(self) -> str:
        """Axes before rows and columns: pages come in their order."""
        return self.axes[: self.axes.index("Y")]


def stack_shape(path: Path) -> StackShape:
    """Times and channels.

    Raises
    ------
    ImageError
        Not a TIFF, damaged or cut off, several series, or planes that are neither times nor channels.
    """
    with _opened(path) as stack:
        return _shape(stack)


def planes(path: Path) -> Iterator[Plane]:
    """Every plane of a TIFF, times outermost.

    Pages in sequence without a name (as from many cameras) are taken for times. The whole file is
    checked before the first plane is given.

    Raises
    ------
    ImageError
        As by `stack_shape`.
    """
    with _opened(path) as stack:
        shape = _shape(stack)
        for time, channel in product(range(shape.times), range(shape.channels)):
            yield Plane(time, channel, _plane(stack, time, channel))


@contextmanager
def _opened(path: Path) -> Iterator[_Stack]:
    """The stack, checked; whatever goes wrong in decoding becomes an ImageError that names the file."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            alike, there = _planes_of(file)
            with opened(file) as tiff:
                yield _checked(_arranged(file, tiff, alike), there)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    except MemoryError as error:
        raise ImageError(f"{name}: not a readable stack (more memory is needed than there is)") from error
    except Exception as error:  # decoders raise anything from SyntaxError to zlib.error
        raise ImageError(f"{name}: expected a TIFF stack ({error}); is the file complete?") from error


def _planes_of(file: BinaryIO) -> tuple[list[Page], int]:
    """Pages of the planes, every one of them whole, and the number of planes."""
    size = file.seek(0, 2)
    pages = pages_of(file, size)
    alike = full_pages(pages)
    said = declared(pages[0])
    if said.elsewhere:
        raise ImageError("expected all planes in one file, got a part of several; save them as one stack")
    there = planes_there(alike, pages, said, size)
    if len({page.signature for page in alike}) > 1:
        raise ImageError("expected planes of one kind, got pages of different kinds; save the stack again")
    for page in alike:
        check_colours(page)
        check_page(page, file, size)
    return alike, there


def _arranged(file: BinaryIO, tiff: tifffile.TiffFile, alike: list[Page]) -> _Stack:
    """What the metadata say of the planes; single images written one after the other are a sequence."""
    number = {page.number: page for page in alike}
    full = [each for each in tiff.series if each.keyframe.index in number]
    single = all(len(each.pages) == 1 and each.axes[0] == "Y" and each.kind != "ome" for each in full)
    if len(full) > 1 and not single:
        raise ImageError(f"expected one series of images, got {len(full)} (positions?); save each as a file of its own")
    if len(full) > 1:
        axes = "I" + full[0].axes
        sizes = dict(zip(axes, (len(full), *full[0].shape), strict=True))
        return _Stack(file, tiff, axes, sizes, alike)
    (one,) = full
    inside: list[Any] = list(one.pages)
    if any(page is None for page in inside):
        raise Damaged(f"{sum(page is None for page in inside)} of {len(inside)} planes are missing")
    sizes = dict(zip(one.axes, one.shape, strict=True))
    return _Stack(file, tiff, one.axes, sizes, [number[page.index] for page in inside])


def _checked(stack: _Stack, there: int) -> _Stack:
    planes = int(np.prod([stack.sizes[axis] for axis in stack.before]))
    if planes != there or len(stack.pages) not in (1, there):
        raise Damaged(f"it holds {there} planes, but its axes {stack.axes} make {planes}")
    return stack


def _shape(stack: _Stack) -> StackShape:
    sizes = stack.sizes
    times = [axis for axis in stack.axes if axis in _SEQUENCE and sizes[axis] > 1]
    rest = set(stack.axes) - set(times) - set(_SEQUENCE) - {"C", "Y", "X", "S"}
    if len(times) > 1 or any(sizes[axis] > 1 for axis in rest):
        shape = tuple(sizes.values())
        raise ImageError(
            f"expected axes of time and channel beside rows and columns, got {stack.axes} {shape}; "
            "choose a focus plane and a position first"
        )
    return StackShape(sizes[times[0]] if times else 1, sizes.get("C", 1))


def _plane(stack: _Stack, time: int, channel: int) -> NDArray[Any]:
    before, sizes = stack.before, stack.sizes
    if "C" in stack.axes and "C" not in before:  # channels lie within a page, after the columns
        return stored(stack.tiff, stack.pages[time])[..., channel]
    at = {axis: (channel if axis == "C" else time if sizes[axis] > 1 else 0) for axis in before}
    number = int(np.ravel_multi_index([at[a] for a in before], [sizes[a] for a in before])) if before else 0
    behind = len(stack.pages) == 1 and number > 0
    page = stack.pages[0 if behind else number]
    samples = _behind(stack, page, number) if behind else stored(stack.tiff, page)
    return to_picture(samples, page)[0]


def _behind(stack: _Stack, page: Page, number: int) -> NDArray[Any]:
    """A plane that follows the first without a page of its own, (h, w, samples): ImageJ writes large stacks so."""
    dtype = np.dtype(stack.tiff.pages[page.number].dtype).newbyteorder(stack.tiff.byteorder)
    values = page.height * page.width * page.samples
    stack.file.seek(min(page.all("strip_offsets")) + number * values * dtype.itemsize)
    flat = np.frombuffer(stack.file.read(values * dtype.itemsize), dtype)
    shape = (page.height, page.width, page.samples)
    return flat.astype(dtype.newbyteorder("=")).reshape(shape)
