"""A sequence of masks -> a folder of tracks, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def follow(
    images: Sequence[Path],
    masks: Sequence[Path],
    out: Path,
    *,
    settings: LinkSettings | None = None,
    largest_shift: int = 60,
    places: Sequence[int] | None = None,
    progress: Progress = silent,
) -> Tracks:
    """Track the nuclei of one sequence.

    Parameters
    ----------
    images, masks : sequence of Path
        Phase contrast and masks of single nuclei, in time.
    out : Path
        Gets mask000.tif ... and res_track.txt (Cell Tracking Challenge), and tracks.csv.
    settings : LinkSettings, optional
    largest_shift : int
        Pixels by which the camera may jump from frame to frame; 0 for a camera that stands.
    places : sequence of int, optional
        Number of each frame from 0; a frame that is missing is one in which nothing was found, and the
        camera stands there where it stood before. Default: none is missing.
    progress : callable

    Raises
    ------
    ImageError
        Frames of two sizes.
    """
    at = tuple(places) if places is not None else tuple(range(len(masks)))
    sequence = _Sequence({place: path for place, path in zip(at, masks, strict=True)})
    found, sizes = [], []
    for number, mask in enumerate(sequence.masks()):
        found.append(centres(mask))
        sizes.append(areas(mask))
        progress("measuring nuclei", number + 1, sequence.frames)

    def shown() -> Iterator[NDArray[np.generic]]:
        for number, path in enumerate(images):
            yield grey(read(path))
            progress("measuring the camera's drift", number + 1, len(images))

    there = (
        camera_drift(shown(), [found[place] for place in at], largest_shift)
        if largest_shift
        else np.zeros((len(at), 2))
    )
    drift = there[np.searchsorted(at, np.arange(sequence.frames), side="right") - 1]
    seen = [_sighting(p, a, d, sequence.shape) for p, a, d in zip(found, sizes, drift, strict=True)]
    filled = fill_gaps(link(seen, settings), seen, sequence.masks(), drift)
    tracks = tracks_of(filled.links, filled.sightings, drift)
    out.mkdir(parents=True, exist_ok=True)
    _write_table(out / TABLE, tracks, filled)
    write_tracks(out, relabelled_masks(drawn_masks(sequence.masks(), filled), tracks), tracks.rows)
    return tracks


class _Sequence:
    """Masks of a sequence by the number of their frame, read one at a time; empty where one is missing."""

    def __init__(self, paths: Mapping[int, Path]) -> None:
        self._paths = paths
        self.frames = max(paths) + 1
        first = read_mask(paths[min(paths)])
        self.shape = (first.shape[0], first.shape[1])

    def masks(self) -> Iterator[IntArray]:
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
