"""A video in any of four forms -> grey frames, one in memory at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.find import ENDINGS
from cytally.images.read import read
from cytally.images.sequences.container import (
    VIDEO_ENDINGS,
    Container,
    colour_refused,
    container_frames,
    container_of,
)
from cytally.images.sequences.stacks import stack_parts, stack_planes
from cytally.types import Pixels

#: Frames with a shorter side hold no channel worth looking at.
SMALLEST = 64
#: A frame is burnt out where more than this share of its pixels has the highest value there is.
BURNT = 0.2
_TIFF = (".tif", ".tiff")
#: Highest values of cameras: 8, 10, 12, 14 and 16 bits.
_TOPS = (255, 1023, 4095, 16383, 65535)
#: Names with longer numbers than this carry a time, not a count.
_DIGITS = 8

_Source = Container | Path | tuple[Path, ...]


@dataclass(frozen=True)
class Video:
    """Frames in a row, read as they are asked for.

    Attributes
    ----------
    path : Path
        File or folder.
    shape : tuple of int
        Rows and columns.
    count : int
        Frames.
    fps : float or None
        Frames per second as the file says; a folder says nothing.
    """

    path: Path
    shape: tuple[int, int]
    count: int
    fps: float | None
    _source: _Source = field(repr=False)

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Pixels]:
        """Frames `start` to `stop` (not included; the end by default), each (rows, cols) uint8 or uint16.

        Raises
        ------
        ImageError
            A frame that cannot be read, of another size or kind of numbers, coloured, or burnt out.
        """
        stop = self.count if stop is None else min(stop, self.count)
        for number, pixels in enumerate(_pixels(self._source, start, stop), start):
            yield self._checked(pixels, number)

    def frame(self, number: int) -> Pixels:
        """One frame, from 0; errors as by `frames`."""
        return next(self.frames(number, number + 1))

    def _checked(self, pixels: Pixels, number: int) -> Pixels:
        name = shown(self.path)
        flat = _grey(pixels, f"{name}, frame {number}")
        if flat.shape != self.shape:
            raise ImageError(
                f"expected every frame to have {_size(self.shape)} pixels, got {_size(flat.shape)} in frame {number}; "
                "cut them to one size",
                name,
            )
        if flat.dtype not in (np.uint8, np.uint16):
            raise ImageError(f"expected frames of 8 or 16 bits, got {flat.dtype}; save them with those", name)
        top = flat.max()
        burnt = float((flat == top).mean()) if int(top) in _TOPS else 0.0
        if burnt > BURNT:
            raise ImageError(
                f"expected frames that are not burnt out, got {burnt:.0%} of the pixels of frame {number} at the "
                f"highest value, {top}; expose for less time, or leave such frames out",
                name,
            )
        return flat


def open_video(path: str | Path) -> Video:
    """Open a video: AVI or MP4, a TIFF stack, or a folder of images in the order of their numbers.

    Grey stored as colour is read as grey. The first frame is read, of AVI and MP4 every time stamp.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Video

    Raises
    ------
    ImageError
        No such file, no video, a single frame, a side below 64 pixels, coloured, frames missing in a
        row of numbers or dropped by their time stamps, cut off, burnt out.
    SettingsError
        AVI or MP4 without imageio-ffmpeg.
    """
    path = Path(path)
    name = shown(path)
    if not path.exists():
        raise ImageError("no such file or folder", name)
    ending = path.suffix.lower()
    fps: float | None = None
    if path.is_dir():
        numbered = _numbered(path)
        source: _Source = numbered
        count = len(numbered)
    elif ending in _TIFF:
        source, count = path, _times(path, name)
    elif ending in VIDEO_ENDINGS:
        source = container_of(path)
        count, fps = source.count, source.fps
    else:
        raise ImageError(
            f"expected a video ({', '.join(VIDEO_ENDINGS)}), a TIFF stack or a folder of images, got "
            f"{ending or 'no ending'}",
            name,
        )
    if count < 2:
        raise ImageError("expected at least two frames, got one; nothing can be seen to move", name)
    shape = _grey(next(_pixels(source, 0, 1)), f"{name}, frame 0").shape
    if min(shape) < SMALLEST:
        raise ImageError(f"expected frames of at least {SMALLEST} pixels a side, got {_size(shape)}", name)
    video = Video(path, (shape[0], shape[1]), count, fps, source)
    video.frame(0)
    return video


def _pixels(source: _Source, start: int, stop: int) -> Iterator[Pixels]:
    if isinstance(source, Container):
        yield from container_frames(source, start, stop)
    elif isinstance(source, Path):
        for plane in stack_planes(source, range(start, stop)):
            yield plane.pixels
    else:
        for path in source[start:stop]:
            yield read(path).pixels


def _times(path: Path, name: str) -> int:
    parts = stack_parts(path)
    first = parts[0]
    if len(parts) > 1 or first.channels > 1 or first.planes > 1:
        raise ImageError(
            f"expected a stack of times only, got {len(parts)} series, {first.channels} channels, {first.planes} "
            "focal planes; save the one that is wanted as a stack of its own",
            name,
        )
    return first.times


def _numbered(folder: Path) -> tuple[Path, ...]:
    """Images that lie directly in a folder, in the order of the numbers in their names."""
    name = shown(folder)
    found = [each for each in folder.iterdir() if each.suffix.lower() in ENDINGS and not each.name.startswith(".")]
    if not found:
        inside = sorted(each.name for each in folder.iterdir() if each.is_dir())
        hint = f"; give the folder inside that holds the frames ({', '.join(inside[:3])})" if inside else ""
        raise ImageError(f"expected a folder of images ({', '.join(ENDINGS)}), found none{hint}", name)
    found.sort(key=lambda each: _natural(each.name))
    last = [re.search(r"(\d+)\D*$", each.stem) for each in found]
    numbers = [int(each[1]) for each in last if each and len(each[1]) <= _DIGITS]
    if len(numbers) == len(found) > 2:
        steps = np.diff(numbers)
        usual = int(np.median(steps))
        hole = next((at for at, step in enumerate(steps) if step > usual), None)
        if hole is not None and usual > 0:
            raise ImageError(
                f"expected frames numbered without a gap, got {found[hole].name} and then {found[hole + 1].name}; "
                "displacements across a gap are wrong: put the missing frames there, or keep one side of the gap",
                name,
            )
    return tuple(found)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _grey(pixels: Pixels, where: str) -> Pixels:
    """Grey of a frame; colour whose channels are the same is grey."""
    if pixels.ndim == 2:
        return pixels
    apart = (pixels != pixels[..., :1]).any(2).mean()
    if apart > 0:
        raise ImageError(colour_refused(float(apart)), where)
    return np.ascontiguousarray(pixels[..., 0])


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} x {shape[1]}"
