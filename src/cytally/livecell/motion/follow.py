"""A sequence of masks -> a folder of tracks, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.figures.masks import centres
from cytally.files.atomic import write_bytes
from cytally.files.csv import csv_bytes
from cytally.images.masks import grey, read_mask
from cytally.images.read import read
from cytally.images.tracks import write_tracks
from cytally.labels.declump import areas
from cytally.livecell.motion.drift import camera_drift
from cytally.livecell.motion.gaps import Filled, drawn_masks, fill_gaps
from cytally.livecell.motion.lineage import Tracks, relabelled_masks, tracks_of
from cytally.livecell.motion.links import LinkSettings, Sighting, link
from cytally.types import FloatArray, IntArray

Report = Callable[[str, int, int], None]
TABLE = "tracks.csv"


def follow(
    images: Sequence[Path], masks: Sequence[Path], out: Path, *, settings: LinkSettings | None = None,
    largest_shift: int = 60, report: Report = lambda stage, done, total: None,
) -> Tracks:  # fmt: skip
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
    report : callable
    """
    places, sizes, shape = [], [], (0, 0)
    for number, path in enumerate(masks):
        mask = read_mask(path)
        places.append(centres(mask))
        sizes.append(areas(mask))
        shape = (mask.shape[0], mask.shape[1])
        report("measuring nuclei", number + 1, len(masks))

    def shown() -> Iterator[NDArray[np.generic]]:
        for number, path in enumerate(images):
            yield grey(read(path))
            report("measuring the camera's drift", number + 1, len(images))

    drift = camera_drift(shown(), places, largest_shift) if largest_shift else np.zeros((len(masks), 2))
    seen = [_sighting(p, a, d, shape) for p, a, d in zip(places, sizes, drift, strict=True)]
    filled = fill_gaps(link(seen, settings), seen, map(read_mask, masks), drift)
    tracks = tracks_of(filled.links, filled.sightings, drift)
    out.mkdir(parents=True, exist_ok=True)
    _write_table(out / TABLE, tracks, filled)
    write_tracks(out, relabelled_masks(drawn_masks(map(read_mask, masks), filled), tracks), tracks.rows)
    return tracks


def sightings_of(masks: Sequence[IntArray], drift: FloatArray) -> list[Sighting]:
    """What a camera with that drift saw of nuclei in masks."""
    return [
        _sighting(centres(mask), areas(mask), shift, (mask.shape[0], mask.shape[1]))
        for mask, shift in zip(masks, drift, strict=True)
    ]  # fmt: skip


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
        rows.append([track, time, f"{row:.2f}", f"{col:.2f}", area, f"{camera[0]:.2f}", f"{camera[1]:.2f}",
                     tracks.rows[track - 1].parent, int((time, number) in drawn)])  # fmt: skip
    write_bytes(path, csv_bytes(rows))
