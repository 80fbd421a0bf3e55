"""A sequence of masks -> a folder of tracks, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes
from cytally.images.masks import grey, read_mask
from cytally.images.read import read
from cytally.images.sequences.tracks import write_tracks
from cytally.livecell.motion.drift import camera_drift
from cytally.livecell.motion.gaps import Filled, drawn_masks, fill_gaps
from cytally.livecell.motion.lineage import Tracks, relabelled_masks, tracks_of
from cytally.livecell.motion.links import LinkSettings, Sighting, link
from cytally.progress import Progress, silent
from cytally.segmentation.declump import areas
from cytally.segmentation.regions import centres
from cytally.types import FloatArray, IntArray

TABLE = "tracks.csv"


@dataclass(frozen=True)
class Frames:
    """What there is of one sequence, in time.

    Attributes
    ----------
    images, masks : sequence of Path
        Phase contrast and masks of single nuclei.
    places : sequence of int, optional
        Number of each frame from 0; a frame that is missing is one in which nothing was found, and the
        camera stands there where it stood before. Default: none is missing.
    """

    images: Sequence[Path]
    masks: Sequence[Path]
    places: Sequence[int] | None = None

    @property
    def at(self) -> tuple[int, ...]:
        """Number of each frame."""
        return tuple(range(len(self.masks)) if self.places is None else self.places)


def follow(
    frames: Frames,
    out: Path,
    *,
    settings: LinkSettings | None = None,
    largest_shift: int = 60,
    progress: Progress = silent,
) -> Tracks:
    """Track the nuclei of one sequence.

    Parameters
    ----------
    frames : Frames
    out : Path
        Gets mask000.tif ... and res_track.txt (Cell Tracking Challenge), and tracks.csv.
    settings : LinkSettings, optional
    largest_shift : int
        Pixels by which the camera may jump from frame to frame; 0 for a camera that stands.
    progress : callable

    Raises
    ------
    ImageError
        Frames of two sizes.
    """
    sequence = _Masks(dict(zip(frames.at, frames.masks, strict=True)))
    found, sizes = [], []
    for number, mask in enumerate(sequence.read()):
        found.append(centres(mask))
        sizes.append(areas(mask))
        progress("measuring nuclei", number + 1, sequence.frames)
    drift = _drift(frames, found, largest_shift, progress)
    seen = [_sighting(p, a, d, sequence.shape) for p, a, d in zip(found, sizes, drift, strict=True)]
    filled = fill_gaps(link(seen, settings), seen, sequence.read(), drift)
    tracks = tracks_of(filled.links, filled.sightings, drift)
    out.mkdir(parents=True, exist_ok=True)
    _write_table(out / TABLE, tracks, filled)
    write_tracks(out, relabelled_masks(drawn_masks(sequence.read(), filled), tracks), tracks.rows)
    return tracks


def _drift(frames: Frames, found: Sequence[FloatArray], largest_shift: int, progress: Progress) -> FloatArray:
    """Where the camera stood, (n, 2) for each of n frames; a missing one as the one before."""

    def images() -> Iterator[NDArray[np.generic]]:
        for number, path in enumerate(frames.images):
            yield grey(read(path))
            progress("measuring the camera's drift", number + 1, len(frames.images))

    at = frames.at
    if not largest_shift:
        return np.zeros((len(found), 2))
    there = camera_drift(images(), [found[place] for place in at], largest_shift)
    return np.asarray(there[np.searchsorted(at, np.arange(len(found)), side="right") - 1])


class _Masks:
    """Masks of a sequence by the number of their frame, read one at a time; empty where one is missing."""

    def __init__(self, paths: Mapping[int, Path]) -> None:
        self._paths = paths
        self.frames = max(paths) + 1
        first = read_mask(paths[min(paths)])
        self.shape = (first.shape[0], first.shape[1])

    def read(self) -> Iterator[IntArray]:
        """In time."""
        for place in range(self.frames):
            path = self._paths.get(place)
            mask = np.zeros(self.shape, np.int32) if path is None else read_mask(path)
            if mask.shape != self.shape:
                raise ImageError(
                    f"{path}: expected every frame of a sequence in {self.shape[0]} x {self.shape[1]} pixels, "
                    f"got {mask.shape[0]} x {mask.shape[1]}; leave this frame out"
                )
            yield mask


def sightings_of(masks: Sequence[IntArray], drift: FloatArray) -> list[Sighting]:
    """What a camera with that drift saw of nuclei in masks."""
    return [
        _sighting(centres(mask), areas(mask), shift, (mask.shape[0], mask.shape[1]))
        for mask, shift in zip(masks, drift, strict=True)
    ]


def _sighting(places: FloatArray, sizes: FloatArray, drift: FloatArray, shape: tuple[int, int]) -> Sighting:
    row, col = float(drift[0]), float(drift[1])
    return Sighting(places + drift, sizes, (row, col, row + shape[0], col + shape[1]))


def _write_table(path: Path, tracks: Tracks, filled: Filled) -> None:
    """track, frame, row, col (of the image), area, drift of the camera, parent, whether filled in."""
    rows: list[list[object]] = [
        ["track", "frame", "row", "col", "area", "camera_row", "camera_col", "parent", "filled"]
    ]
    drawn = {(time, one.number) for time, some in filled.fillings.items() for one in some}
    for (time, number), track in sorted(tracks.of.items(), key=lambda item: (item[1], item[0])):
        camera = tracks.drift[time]
        row, col = filled.sightings[time].places[number - 1] - camera
        area = int(filled.sightings[time].areas[number - 1])
        rows.append(
            [
                track,
                time,
                f"{row:.2f}",
                f"{col:.2f}",
                area,
                f"{camera[0]:.2f}",
                f"{camera[1]:.2f}",
                tracks.rows[track - 1].parent,
                int((time, number) in drawn),
            ]
        )
    write_bytes(path, csv_bytes(rows))
