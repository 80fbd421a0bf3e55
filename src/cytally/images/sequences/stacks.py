"""A TIFF that holds a time-lapse -> single images, one in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.formats.colour import BLACK_IS_ZERO, RGB, WHITE_IS_ZERO, to_picture
from cytally.images.formats.directories import pages_of
from cytally.images.formats.limits import Damaged
from cytally.images.formats.orientation import upright
from cytally.images.formats.segments import PLAIN
from cytally.images.formats.tiff import opened, stored
from cytally.images.sequences.series import Place, Series, series_in
from cytally.images.sequences.series import StackPart as StackPart
from cytally.types import Pixels


@dataclass(frozen=True)
class StackPlane:
    """One image of a stack.

    Attributes
    ----------
    part : StackPart
    time, channel, z : int
        From 0.
    pixels : ndarray of shape (h, w) or (h, w, 3)
        As `read` gives them: black is 0, a palette is looked up, the picture stands upright.
    """

    part: StackPart
    time: int
    channel: int
    z: int
    pixels: Pixels


def stack_parts(path: Path) -> list[StackPart]:
    """What a stack holds; all of the file is checked.

    Raises
    ------
    ImageError
        Not a TIFF, damaged or cut off, a part of several files, pages that never end, a plane too large,
        or axes that are no time, channel or focal plane.
    """
    with _opened(path) as (_, series):
        return [one.part for one in series]


def stack_planes(path: Path, times: range | None = None) -> Iterator[StackPlane]:
    """Every plane of a TIFF: part after part, times outermost, then channels.

    Pages in sequence without a name (as from many cameras) are taken for times. The whole file is
    checked before the first plane is given.

    Parameters
    ----------
    path : Path
    times : range, optional
        Only these times of each part; all by default.

    Raises
    ------
    ImageError
        As by `stack_parts`.
    """
    with _opened(path) as (file, series), opened(file) as tiff:
        for one in series:
            part = one.part
            wanted = range(part.times) if times is None else times
            for time, channel, z in product(wanted, range(part.channels), range(part.planes)):
                pixels = _decoded(file, tiff, one.place(time, channel, z))
                yield StackPlane(part, time, channel, z, pixels)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, list[Series]]]:
    """The stack, checked; whatever goes wrong in decoding becomes an ImageError that names the file."""
    name = shown(path)
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            yield file, series_in(file, pages_of(file, size), size)
    except ImageError as error:
        raise ImageError(str(error), name) from error
    except MemoryError as error:
        raise ImageError("not a readable stack (more memory is needed than there is)", name) from error
    except Exception as error:  # decoders raise anything from SyntaxError to zlib.error
        raise ImageError(f"expected a TIFF stack ({error}); is the file complete?", name) from error


def _decoded(file: BinaryIO, tiff: tifffile.TiffFile, place: Place) -> Pixels:
    page = place.page
    samples = _behind(file, tiff, place) if place.behind else stored(tiff, page)
    if place.channel is None:
        return upright(to_picture(samples, page)[0], page.get("orientation", 1))
    photometric = page.get("photometric", BLACK_IS_ZERO)
    if photometric not in (BLACK_IS_ZERO, RGB, WHITE_IS_ZERO):
        raise ImageError("expected channels in grey, got colours; save each channel as a stack of its own")
    grey = WHITE_IS_ZERO if photometric == WHITE_IS_ZERO else BLACK_IS_ZERO
    alone = replace(page, tags={**page.tags, "samples": (1,), "photometric": (grey,)})
    pixels, _ = to_picture(samples[..., place.channel : place.channel + 1], alone)
    return upright(pixels, page.get("orientation", 1))


def _behind(file: BinaryIO, tiff: tifffile.TiffFile, place: Place) -> Pixels:
    """A plane that follows the first without a page of its own, (h, w, samples): ImageJ writes large stacks so."""
    page = place.page
    if page.get("compression", PLAIN) != PLAIN or page.planar or page.bits % 8:
        raise Damaged("expected planes in a row without pages of their own to be plain, whole bytes")
    dtype = np.dtype(tiff.pages[page.number].dtype).newbyteorder(tiff.byteorder)
    values = page.height * page.width * page.samples
    file.seek(min(page.all("strip_offsets")) + place.behind * values * dtype.itemsize)
    flat = np.frombuffer(file.read(values * dtype.itemsize), dtype)
    return flat.astype(dtype.newbyteorder("=")).reshape(page.height, page.width, page.samples)
