"""Every plane of a TIFF stack, of all its series, with what the stack says of pixels and times."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import CytallyError, ImageError
from cytally.files.atomic import write_bytes
from cytally.images.sequences.headers import hours_noted, pixel_sizes_noted
from cytally.types import Image

#: Axes of tifffile for pages in a row that no name tells what they are: as many cameras write time-lapses.
_UNNAMED = "IQR"
_KNOWN = set("TCZYXS" + _UNNAMED)


@dataclass(frozen=True)
class StackPart:
    """One series of a stack, such as one position.

    Attributes
    ----------
    number, name : int, str
        From 0; the name is "" where the file gives none.
    times, channels, planes : int
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
class StackPlane:
    """One image of a part: time, channel and focal plane, all from 0, and its pixels (h, w) or (h, w, 3)."""

    time: int
    channel: int
    z: int
    pixels: NDArray[Any]


def stack_parts(path: Path) -> list[StackPart]:
    """What a stack holds.

    Raises
    ------
    ImageError
        Not a TIFF, or cut off, or with axes that are no time, channel or focal plane.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            whole_pages(tiff, path)
            hours = hours_noted(tiff)
            return [_part(number, series, tiff, path, hours) for number, series in enumerate(tiff.series)]
    except CytallyError:
        raise
    except Exception as error:  # tifffile raises what its parsers meet
        raise _broken(path, error) from error


def stack_planes(path: Path, part: StackPart) -> Iterator[StackPlane]:
    """Planes of one part, times outermost, one in memory at a time.

    Raises
    ------
    ImageError
        A plane that cannot be read.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            series = tiff.series[part.number]
            for time, channel, z in product(range(part.times), range(part.channels), range(part.planes)):
                yield StackPlane(time, channel, z, _pixels(series, {"T": time, "C": channel, "Z": z}))
    except CytallyError:
        raise
    except Exception as error:
        raise _broken(path, error) from error


def whole_pages(tiff: tifffile.TiffFile, path: Path) -> None:
    """Refuse a file that ends before its pages do, or whose pages never end.

    Raises
    ------
    ImageError
    """
    size = path.stat().st_size
    _chain(tiff, path, size)
    for page in tiff.pages:
        frame: Any = page
        _within(path, size, [o + n for o, n in zip(frame.dataoffsets, frame.databytecounts, strict=False)])
    _within(path, size, [one.dataoffset + one.nbytes for one in tiff.series if one.dataoffset is not None])


def _within(path: Path, size: int, ends: list[int]) -> None:
    if max(ends, default=0) > size:
        raise ImageError(
            f"{path}: the file is cut off: its images end at byte {max(ends)}, the file at {size}; copy it again"
        )


def _chain(tiff: tifffile.TiffFile, path: Path, size: int) -> None:
    """Follow the pages from one to the next (TIFF 6.0, section 2): each must lie in the file, none comes twice."""
    form: Any = tiff.tiff
    order: Literal["little", "big"] = "little" if tiff.byteorder == "<" else "big"
    handle, seen = tiff.filehandle, set()
    handle.seek(4 if form.offsetsize == 4 else 8)
    while offset := int.from_bytes(handle.read(form.offsetsize), order):
        if offset in seen:
            raise ImageError(
                f"{path}: its pages point back to one another, so that they never end; save the stack anew"
            )
        seen.add(offset)
        handle.seek(min(offset, size))
        tags = handle.read(form.tagnosize)
        end = offset + form.tagnosize + int.from_bytes(tags, order) * form.tagsize + form.offsetsize
        _within(path, size, [end])
        handle.seek(end - form.offsetsize)


def write_plane(path: Path, pixels: NDArray[Any], part: StackPart) -> None:
    """One plane as a TIFF, with the pixel size and the time between frames that the stack gives."""
    write_tiff(path, Image(pixels, part.pixel_size_um), part.hours)


def write_tiff(path: Path, image: Image, hours: float | None = None) -> None:
    """An OME-TIFF with the size of a pixel and the hours between frames, whole or not at all."""
    metadata: dict[str, Any] = {"axes": "YXS" if image.pixels.ndim == 3 else "YX"}
    if image.pixel_size_um:
        metadata |= {
            "PhysicalSizeX": image.pixel_size_um,
            "PhysicalSizeY": image.pixel_size_um,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeYUnit": "µm",
        }
    if hours:
        metadata |= {"TimeIncrement": hours * 3600, "TimeIncrementUnit": "s"}
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image.pixels, ome=True, metadata=metadata, compression="zlib")
    write_bytes(path, buffer.getvalue())


def _part(number: int, series: Any, tiff: tifffile.TiffFile, path: Path, hours: float | None) -> StackPart:
    sizes = _sizes(series, path)
    names = [one.name for one in tiff.series]
    own = series.name if names.count(series.name) == 1 and len(names) > 1 else ""
    return StackPart(number, str(own), sizes["T"], sizes["C"], sizes["Z"], _pixel_size(tiff, number), hours)


def _sizes(series: Any, path: Path) -> dict[str, int]:
    """Extent along time, channel and focal plane; pages in a row without a name are times."""
    found = dict(zip(series.axes, series.shape, strict=True))
    unnamed = [axis for axis in series.axes if axis in _UNNAMED and found[axis] > 1]
    other = [axis for axis in series.axes if axis not in _KNOWN and found[axis] > 1]
    if other or len(unnamed) > 1 or (unnamed and found.get("T", 1) > 1):
        raise ImageError(
            f"{path}: expected axes of time, channel and focal plane beside rows and columns, got {series.axes} "
            f"{tuple(series.shape)}; save it with those axes"
        )
    times = found[unnamed[0]] if unnamed else found.get("T", 1)
    return {"T": times, "C": found.get("C", 1), "Z": found.get("Z", 1)}


def _pixels(series: Any, at: dict[str, int]) -> NDArray[Any]:
    """Pages come in the order of the axes before rows and columns."""
    axes, shape = series.axes, series.shape
    cut = axes.index("Y")
    place = [_index(axis, size, at) for axis, size in zip(axes[:cut], shape[:cut], strict=True)]
    after = tuple(at["C"] if axis == "C" else slice(None) for axis in axes[cut:])
    number = int(np.ravel_multi_index(place, shape[:cut])) if place else 0
    pages = int(np.prod(shape[:cut])) if place else 1
    if len(series.pages) == pages:
        pixels = np.asarray(series.pages[number].asarray())
        if pixels.ndim != len(after):
            pixels = pixels.reshape(shape[cut:])
        return pixels[after]
    return np.asarray(series.asarray()[(*place, *after)])


def _index(axis: str, size: int, at: dict[str, int]) -> int:
    wanted = at.get(axis, at["T"] if axis in _UNNAMED else 0)
    return wanted if size > 1 else 0


def _pixel_size(tiff: tifffile.TiffFile, number: int) -> float | None:
    sizes = pixel_sizes_noted(tiff)
    return sizes[min(number, len(sizes) - 1)] if sizes else None


def _broken(path: Path, error: Exception) -> ImageError:
    return ImageError(f"{path}: not a TIFF stack that can be read ({error}); is the file complete?")
