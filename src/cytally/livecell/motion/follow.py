"""A sequence of masks -> a folder of tracks, one frame in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.figures.masks import centres
from cytally.images.masks import grey, read_mask
from cytally.images.read import read
from cytally.images.tracks import write_tracks
from cytally.images.write import write_bytes
from cytally.livecell.motion.drift import camera_drift
from cytally.livecell.motion.lineage import Tracks, relabelled_masks, tracks_of
from cytally.livecell.motion.links import LinkSettings, Sighting, link
from cytally.runs.folder import csv_bytes
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
    places, areas, shape = [], [], (0, 0)
    for number, path in enumerate(masks):
        mask = read_mask(path)
        places.append(centres(mask))
        areas.append(np.bincount(mask.ravel(), minlength=int(mask.max(initial=0)) + 1)[1:].astype(float))
        shape = (mask.shape[0], mask.shape[1])
        report("measuring nuclei", number + 1, len(masks))

    def shown() -> Iterator[NDArray[np.generic]]:
        for number, path in enumerate(images):
            yield grey(read(path))
            report("measuring the camera's drift", number + 1, len(images))

    drift = camera_drift(shown(), places, largest_shift) if largest_shift else np.zeros((len(masks), 2))
    seen = [_sighting(p, a, d, shape) for p, a, d in zip(places, areas, drift, strict=True)]
    tracks = tracks_of(link(seen, settings), seen, drift)
    out.mkdir(parents=True, exist_ok=True)
    _write_table(out / TABLE, tracks, places, areas)
    write_tracks(out, relabelled_masks((read_mask(path) for path in masks), tracks), tracks.rows)
    return tracks


def sightings_of(masks: Sequence[IntArray], drift: FloatArray) -> list[Sighting]:
    """What a camera with that drift saw of nuclei in masks."""
    return [
        _sighting(centres(mask), np.bincount(mask.ravel(), minlength=int(mask.max(initial=0)) + 1)[1:].astype(float),
                  shift, (mask.shape[0], mask.shape[1]))
        for mask, shift in zip(masks, drift, strict=True)
    ]  # fmt: skip


def _sighting(places: FloatArray, areas: FloatArray, drift: FloatArray, shape: tuple[int, int]) -> Sighting:
    row, col = float(drift[0]), float(drift[1])
    return Sighting(places + drift, areas, (row, col, row + shape[0], col + shape[1]))


def _write_table(
    path: Path, tracks: Tracks, places: Sequence[FloatArray], areas: Sequence[FloatArray]
) -> None:
    """track, frame, row, col (of the image), area, drift of the camera, parent."""
    rows: list[list[object]] = [
        ["track", "frame", "row", "col", "area", "camera_row", "camera_col", "parent"]
    ]
    for (time, number), track in sorted(tracks.of.items(), key=lambda item: (item[1], item[0])):
        row, col = places[time][number - 1]
        rows.append([track, time, f"{row:.2f}", f"{col:.2f}", int(areas[time][number - 1]),
                     f"{tracks.drift[time][0]:.2f}", f"{tracks.drift[time][1]:.2f}", tracks.rows[track - 1].parent])  # fmt: skip
    write_bytes(path, csv_bytes(rows))
