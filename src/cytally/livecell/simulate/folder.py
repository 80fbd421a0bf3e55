"""A simulated time-lapse on disk: OUT/phase, OUT/fluorescence and OUT/truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import RunError
from cytally.images.sequences.tracks import TRUTH, TrackRow, write_tracks
from cytally.images.write import write
from cytally.livecell.simulate import phase, stain
from cytally.livecell.simulate.population import PopulationSettings, simulate
from cytally.livecell.simulate.shapes import Window, labels_of
from cytally.progress import Progress, silent
from cytally.types import FloatArray, Image, IntArray


@dataclass(frozen=True)
class TimeLapse:
    """All that makes one time-lapse; the same seed gives the same bytes.

    Attributes
    ----------
    frames, shape : int, tuple of int
        Number of frames; height and width in pixels.
    shift : float
        The stage returns to its tile with an error: the picture jumps by up to this many
        pixels from one frame to the next.
    focus_drift : float
        Largest blur (sigma, pixels) added as the focus wanders.
    debris : int
        Specks in the window, brighter than nuclei in both channels.
    offset : tuple of float
        The fluorescence camera looks this many pixels (row, col) further.
    """

    frames: int = 24
    shape: tuple[int, int] = (512, 512)
    shift: float = 0.0
    focus_drift: float = 0.4
    debris: int = 4
    offset: tuple[float, float] = (0.0, 0.0)
    seed: int = 1
    population: PopulationSettings = field(default_factory=PopulationSettings)
    phase: phase.PhaseSettings = field(default_factory=phase.PhaseSettings)
    stain: stain.StainSettings = field(default_factory=stain.StainSettings)


@dataclass(frozen=True)
class Frame:
    """One time point: both channels, the true mask, and who the parents are."""

    phase: NDArray[np.uint8]
    fluorescence: NDArray[np.uint16]
    labels: IntArray
    parents: dict[int, int]
    camera: tuple[float, float]


def frames(sequence: TimeLapse) -> Iterator[Frame]:
    """Simulate a time-lapse, frame by frame."""
    rng = np.random.default_rng([77, sequence.seed])
    margin = sequence.shift / 2 + 60
    world = (sequence.shape[0] + 2 * margin, sequence.shape[1] + 2 * margin)
    density = world[0] * world[1] / (sequence.shape[0] * sequence.shape[1])
    told = simulate(sequence.population, sequence.frames, world, density, sequence.stain.weak, rng)
    specks = _debris(sequence, world, density, rng)
    focus = _wander(sequence.frames, sequence.focus_drift, rng)
    for number, nuclei in enumerate(told):
        jump = rng.uniform(-sequence.shift / 2, sequence.shift / 2, 2)
        window = Window(margin + float(jump[0]), margin + float(jump[1]), *sequence.shape)
        beside = replace(window, row=window.row + sequence.offset[0], col=window.col + sequence.offset[1])
        yield Frame(
            phase.render(nuclei, specks, window, sequence.phase, float(focus[number]), rng),
            stain.render(nuclei, specks, beside, sequence.stain, float(focus[number]), rng),
            labels_of(nuclei, window),
            {n.number: n.parent for n in nuclei},
            (float(jump[0]), float(jump[1])),
        )


def write_sequence(sequence: TimeLapse, out: Path, name: str = "", progress: Progress = silent) -> None:
    """Write a time-lapse; `name` (such as A01_1) goes before t000 and into truth/ as a folder.

    Raises
    ------
    RunError
        The folder is not empty.
    """
    stem = f"{name}_" if name else ""
    truth = out / "truth" / name
    if truth.exists() and any(truth.iterdir()):
        raise RunError(f"{truth}: is not empty; give another OUT")
    for part in (out / "phase", out / "fluorescence", truth):
        part.mkdir(parents=True, exist_ok=True)
    masks: list[IntArray] = []
    parents: dict[int, int] = {}
    for number, frame in enumerate(frames(sequence)):
        write(out / "phase" / f"{stem}t{number:03d}.tif", Image(frame.phase))
        write(out / "fluorescence" / f"{stem}t{number:03d}.tif", Image(frame.fluorescence))
        masks.append(frame.labels)
        parents |= frame.parents
        progress("simulating frames", number + 1, sequence.frames)
    pieces, rows = seen_pieces(masks, parents)
    write_tracks(truth, iter(pieces), rows, TRUTH)


def seen_pieces(masks: list[IntArray], parents: dict[int, int]) -> tuple[list[IntArray], list[TrackRow]]:
    """What the camera saw of each life: a nucleus that leaves and comes back is a new piece.

    Cell Tracking Challenge tracks have no gaps: the second piece names the first as its parent,
    as does a daughter its mother's last piece, where the mother was ever seen.
    """
    open_piece: dict[int, TrackRow] = {}
    rows: list[TrackRow] = []
    renumbered: list[IntArray] = []
    for time, mask in enumerate(masks):
        numbers = np.unique(mask)
        lookup = np.zeros(int(mask.max()) + 1, np.int32)
        for nucleus in numbers[numbers > 0].tolist():
            piece = open_piece.get(nucleus)
            if piece is not None and piece.last == time - 1:
                piece = replace(piece, last=time)
                rows[piece.number - 1] = piece
            else:
                before = piece or open_piece.get(parents.get(nucleus, 0))
                piece = TrackRow(len(rows) + 1, time, time, before.number if before else 0)
                rows.append(piece)
            open_piece[nucleus] = piece
            lookup[nucleus] = piece.number
        renumbered.append(lookup[mask])
    return renumbered, rows


def _debris(sequence: TimeLapse, world: tuple[float, float], density: float, rng: np.random.Generator) -> FloatArray:
    count = round(sequence.debris * density)
    return np.stack([rng.uniform(0, world[0], count), rng.uniform(0, world[1], count), rng.uniform(1.2, 3.0, count)], 1)


def _wander(count: int, largest: float, rng: np.random.Generator) -> FloatArray:
    """A smooth curve between 0 and `largest`."""
    steps = np.cumsum(rng.normal(0, 0.35, count))
    return np.asarray(largest * (0.5 + 0.5 * np.sin(steps)))
