"""Pictures -> a movie: GIF anywhere, MP4 where imageio-ffmpeg is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from cytally.errors import SettingsError
from cytally.files.atomic import replacing

Picture = NDArray[np.uint8]


def write_movie(path: Path, pictures: Iterable[Picture], *, rate: float = 6.0, widest: int = 640) -> None:
    """Write a movie whole or not at all, one picture in memory at a time.

    Parameters
    ----------
    path : Path
        Ending .gif or .mp4.
    pictures : iterable of ndarray (h, w, 3)
        In OpenCV's order (blue, green, red), all of one size.
    rate : float
        Pictures per second.
    widest : int
        Larger pictures are reduced to so many columns.

    Raises
    ------
    SettingsError
        Another ending, MP4 without imageio-ffmpeg, or no picture.
    """
    ending = path.suffix.lower()
    if ending not in (".gif", ".mp4"):
        raise SettingsError(f"{path}: expected a movie as .gif or .mp4, got {ending or 'no ending'}")
    reduced = _reduced(pictures, widest)
    with replacing(path, ending, durable=False) as beside:
        (_write_gif if ending == ".gif" else _write_mp4)(beside, reduced, rate)


def _reduced(pictures: Iterable[Picture], widest: int) -> Iterator[Picture]:
    for picture in pictures:
        scale = min(1.0, widest / picture.shape[1])
        size = [max(2, int(length * scale) // 2 * 2) for length in picture.shape[:2]]  # MP4 wants even sides
        small = cv2.resize(picture, (size[1], size[0]), interpolation=cv2.INTER_AREA)
        yield np.ascontiguousarray(small[..., ::-1])


def _write_gif(path: Path, pictures: Iterator[Picture], rate: float) -> None:
    first = next(pictures, None)
    if first is None:
        raise SettingsError(f"{path}: expected at least one picture for a movie, got none")
    rest = (PIL.Image.fromarray(picture) for picture in pictures)
    PIL.Image.fromarray(first).save(path, save_all=True, append_images=rest, duration=1000 / rate, loop=0)


def _write_mp4(path: Path, pictures: Iterator[Picture], rate: float) -> None:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise SettingsError(
            "MP4 needs imageio-ffmpeg (pip install 'cytally[livecell]'); or give a name that ends in .gif"
        ) from error
    first = next(pictures, None)
    if first is None:
        raise SettingsError(f"{path}: expected at least one picture for a movie, got none")
    writer = imageio_ffmpeg.write_frames(str(path), (first.shape[1], first.shape[0]), fps=rate, macro_block_size=2)
    writer.send(None)
    try:
        writer.send(first.tobytes())
        for picture in pictures:
            writer.send(picture.tobytes())
    finally:
        writer.close()
