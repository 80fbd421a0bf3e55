"""A simulated sequence on disk: OUT/frames and OUT/truth, all of it or nothing."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally import __version__
from cytally.errors import RunError
from cytally.files.atomic import write_text
from cytally.flow.simulate.population import KINDS
from cytally.flow.simulate.scene import Frame, Scene, scene_frames
from cytally.images.write import write
from cytally.progress import Progress, silent
from cytally.types import Image

#: Where crossings are counted, as shares of the columns.
LINES = (0.25, 0.5, 0.75)
TRACK_COLUMNS = ("track", "frame", "row", "col", "angle", "kind", "stuck")
LINE_COLUMNS = ("position", "direction", "frame", "track")


def write_scene(scene: Scene, out: Path, progress: Progress = silent) -> None:
    """Write frames and truth of a sequence; an interrupted call leaves no OUT, and a new one starts from the beginning.

    Parameters
    ----------
    scene : Scene
    out : Path
        Not there yet, or empty.
    progress : callable

    Raises
    ------
    RunError
        The folder is not empty.
    SettingsError
        An unknown kind of cell or speed over time.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out}: is not empty; give another OUT")
    beside = out.absolute().parent / f".{out.absolute().name}.unfinished"
    shutil.rmtree(beside, ignore_errors=True)
    for part in ("frames", "truth/labels", "truth/flow"):
        (beside / part).mkdir(parents=True)
    tracks, lines = [",".join(TRACK_COLUMNS)], [",".join(LINE_COLUMNS)]
    for number, frame in enumerate(scene_frames(scene)):
        _write_frame(beside, number, frame)
        tracks += _track_rows(number, frame)
        if number + 1 < scene.frames:
            lines += _line_rows(number + 1, frame, scene.shape[1])
        progress("simulating frames", number + 1, scene.frames)
    write_text(beside / "truth" / "tracks.csv", "\n".join(tracks) + "\n")
    write_text(beside / "truth" / "lines.csv", "\n".join(lines) + "\n")
    write_text(beside / "truth" / "scene.json", json.dumps(_told(scene), indent=2) + "\n")
    if out.exists():
        out.rmdir()
    os.replace(beside, out)


def _write_frame(folder: Path, number: int, frame: Frame) -> None:
    write(folder / "frames" / f"frame_{number:05d}.png", Image(frame.pixels))
    write(folder / "truth" / "labels" / f"label_{number:05d}.png", Image(frame.labels.astype(np.uint16)))
    _write_flow(folder / "truth" / "flow" / f"flow_{number:05d}.npz", frame.flow)


def _write_flow(path: Path, flow: NDArray[np.float32]) -> None:
    """As `numpy.savez_compressed`, without the date, and faster."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        member = zipfile.ZipInfo("flow.npy", (1980, 1, 1, 0, 0, 0))
        member.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(member, "w") as file:
            np.lib.format.write_array(file, np.ascontiguousarray(flow, np.float16))


def _track_rows(number: int, frame: Frame) -> list[str]:
    """Cells of which a pixel is seen."""
    cells = frame.cells
    shown = np.isin(cells.track, frame.labels)
    return [
        f"{cells.track[at]},{number},{cells.row[at]:.3f},{cells.col[at]:.3f},{cells.angle[at]:.4f},"
        f"{KINDS[cells.kind[at]]},{int(cells.stuck[at])}"
        for at in np.flatnonzero(shown)
    ]


def _line_rows(number: int, frame: Frame, length: int) -> list[str]:
    """Centres that were before a line in this frame and are behind it in frame `number`, or back."""
    rows = []
    same = frame.cells.track == frame.later.track
    for position in LINES:
        side = [cells.col >= position * length for cells in (frame.cells, frame.later)]
        for at in np.flatnonzero(same & (side[0] != side[1])):
            rows.append(f"{position},{1 if side[1][at] else -1},{number},{frame.cells.track[at]}")
    return rows


def _told(scene: Scene) -> dict[str, object]:
    return {
        "frame_rate": scene.fps,
        "um_per_px": scene.um_per_px,
        "depth_um": scene.depth_um,
        "walls": [scene.channel.top, scene.channel.bottom],
        "umax_px_per_frame": scene.umax,
        "kinds": list(scene.kinds),
        "cells_per_ul": scene.cells_per_ul,
        "seed": scene.seed,
        "offsets": scene.offsets()[:-1].round(4).tolist(),
        "settings": asdict(scene),
        "version": __version__,
    }
