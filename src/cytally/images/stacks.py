"""A TIFF that holds a time-lapse -> single images, one in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import ImageError

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


def stack_shape(path: Path) -> StackShape:
    """Times and channels.

    Raises
    ------
    ImageError
        Not a TIFF, or planes that are neither times nor channels.
    """
    with _opened(path) as tiff:
        return _shape(tiff.series[0], path)


def planes(path: Path) -> Iterator[Plane]:
    """Every plane of the first series of a TIFF, times outermost.

    Pages in sequence without a name (as from many cameras) are taken for times.
    """
    with _opened(path) as tiff:
        series = tiff.series[0]
        shape = _shape(series, path)
        for time, channel in product(range(shape.times), range(shape.channels)):
            yield Plane(time, channel, _plane(series, time, channel))


def _opened(path: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except (tifffile.TiffFileError, OSError) as error:
        raise ImageError(f"{path}: expected a TIFF stack ({error})") from error


def _shape(series: Any, path: Path) -> StackShape:
    sizes = dict(zip(series.axes, series.shape, strict=True))
    times = [axis for axis in series.axes if axis in _SEQUENCE and sizes[axis] > 1]
    rest = set(series.axes) - set(times) - set(_SEQUENCE) - {"C", "Y", "X", "S"}
    if len(times) > 1 or any(sizes[axis] > 1 for axis in rest):
        raise ImageError(
            f"{path}: expected axes of time and channel beside rows and columns, got {series.axes} {series.shape}; "
            "choose a focus plane and a position first"
        )
    return StackShape(sizes[times[0]] if times else 1, sizes.get("C", 1))


def _plane(series: Any, time: int, channel: int) -> NDArray[Any]:
    """Pages come in the order of the axes before rows and columns."""
    before = series.axes[: series.axes.index("Y")]
    sizes = dict(zip(series.axes, series.shape, strict=True))
    if "C" in series.axes and "C" not in before:  # channels lie within a page, after the columns
        return np.asarray(series.pages[time].asarray()[..., channel])
    at = {axis: (channel if axis == "C" else time if sizes[axis] > 1 else 0) for axis in before}
    number = int(np.ravel_multi_index([at[a] for a in before], [sizes[a] for a in before])) if before else 0
    if len(series.pages) == 1 and before:  # one page holds everything
        return np.asarray(series.asarray()[tuple(at[a] for a in before)])
    return np.asarray(series.pages[number].asarray())
