"""AVI and MP4 by ffmpeg (imageio-ffmpeg): what they say of themselves, and their frames as grey."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError, SettingsError
from cytally.files.names import shown
from cytally.types import Pixels

#: Endings of videos that ffmpeg is asked for.
VIDEO_ENDINGS = (".avi", ".mp4", ".m4v", ".mov", ".mkv", ".wmv")
#: A step between time stamps longer than so many usual ones is a hole.
_HOLE = 1.5
#: A picture is coloured where more than this share of its pixels has channels so many grey values apart.
_COLOURED, _APART = 0.01, 24
#: Pixel formats of more than eight bits.
_DEEP = re.compile(r"(?:gray|p)(?:9|1[0-6])")


@dataclass(frozen=True)
class Container:
    """What a video file holds: rows and columns, frames, frames per second, bits of a pixel (8 or 16)."""

    path: Path
    shape: tuple[int, int]
    count: int
    fps: float
    bits: int


def container_of(path: Path) -> Container:
    """Look into a video file; every packet's time stamp is read, no picture but the first is decoded.

    Raises
    ------
    SettingsError
        imageio-ffmpeg is not installed.
    ImageError
        No video, cut off, frames dropped, or coloured.
    """
    name = shown(path)
    stamps, complaints = _stamps(path)
    try:
        reader = _ffmpeg().read_frames(str(path), pix_fmt="rgb24", output_params=["-frames:v", "1"])
        about: dict[str, Any] = next(reader)
        first = next(reader, None)
        reader.close()
    except Exception as error:  # the library raises what it likes
        raise ImageError(_no_video(complaints or str(error)), name) from error
    if first is None or not stamps:
        raise ImageError(_no_video(complaints), name)
    cols, rows = about["size"]
    _check_colour(np.frombuffer(first, np.uint8).reshape(rows, cols, 3), name)
    _check_whole(stamps, complaints, float(about["duration"]), float(about["fps"]), name)
    bits = 16 if _DEEP.search(str(about.get("pix_fmt", ""))) else 8
    return Container(path, (rows, cols), len(stamps), float(about["fps"]), bits)


def container_frames(container: Container, start: int, stop: int) -> Iterator[Pixels]:
    """Frames `start` to `stop` (not included), each (rows, cols) uint8 or uint16.

    Raises
    ------
    ImageError
        The file ends, or cannot be decoded, before `stop`.
    """
    if stop <= start:
        return
    kind: type[np.unsignedinteger[Any]] = np.uint16 if container.bits == 16 else np.uint8
    seek = ["-ss", f"{(start - 0.5) / container.fps:.6f}"] if start else []
    reader = _ffmpeg().read_frames(
        str(container.path),
        pix_fmt="gray16le" if container.bits == 16 else "gray",
        bits_per_pixel=container.bits,
        input_params=seek,
        output_params=["-fps_mode", "passthrough", "-frames:v", str(stop - start)],
    )
    got = 0
    try:
        next(reader)
        for content in reader:
            got += 1
            yield np.frombuffer(content, kind).reshape(container.shape)
    except (OSError, RuntimeError, StopIteration) as error:
        raise ImageError(_ends(start + got, container.count), shown(container.path)) from error
    finally:
        reader.close()
    if got < stop - start:
        raise ImageError(_ends(start + got, container.count), shown(container.path))


def _ffmpeg() -> Any:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise SettingsError(
            "AVI and MP4 need imageio-ffmpeg (pip install 'cytally[flow]'); or give a TIFF stack or a folder of images"
        ) from error
    return imageio_ffmpeg


def _stamps(path: Path) -> tuple[list[int], str]:
    """Time stamp of every picture, sorted, in ticks; and what ffmpeg complained of."""
    asked = [_ffmpeg().get_ffmpeg_exe(), "-v", "error", "-i", str(path.resolve())]
    asked += ["-map", "0:v:0", "-c", "copy", "-f", "framecrc", "-"]
    done = subprocess.run(asked, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    rows = [line.split(",") for line in done.stdout.splitlines() if line and not line.startswith("#")]
    stamps = sorted(int(row[2]) for row in rows if len(row) > 4 and int(row[4]) > 0)
    return stamps, done.stderr.strip().splitlines()[0] if done.stderr.strip() else ""


def _check_whole(stamps: list[int], complaints: str, seconds: float, fps: float, name: str) -> None:
    steps = np.diff(stamps)
    usual = float(np.median(steps)) if len(steps) else 1.0
    holes = np.flatnonzero(steps > _HOLE * usual)
    if len(holes):
        first = int(holes[0])
        lost = round(float((steps[holes] / usual - 1).sum()))
        raise ImageError(
            f"expected frames at even times, got {len(holes)} holes ({lost} frames dropped), the first after frame "
            f"{first}; displacements across a hole are wrong: record again, or cut the video there",
            name,
        )
    said = seconds * fps
    if len(stamps) < 0.98 * said - 2 or "truncat" in complaints.lower():
        raise ImageError(_ends(len(stamps), round(said)), name)


def _check_colour(first: NDArray[np.uint8], name: str) -> None:
    apart = first.max(2).astype(int) - first.min(2)
    share = float((apart > _APART).mean())
    if share > _COLOURED:
        raise ImageError(colour_refused(share), name)


def colour_refused(share: float) -> str:
    """What to say of a video whose frames are coloured in that share of their pixels."""
    return (
        f"expected grey frames, got coloured ones ({share:.0%} of the pixels); shadows are grey: convert the video, "
        "for instance with ffmpeg -i IN -pix_fmt gray OUT.avi"
    )


def _ends(got: int, said: int) -> str:
    return f"expected {said} frames, got {got}; the file is cut off or damaged: copy it again"


def _no_video(complaint: str) -> str:
    told = complaint.strip().splitlines()[-1].rpartition("]")[2].strip() if complaint.strip() else "no picture in it"
    return f"expected a video (AVI, MP4), got something else ({told}); is the file complete?"
