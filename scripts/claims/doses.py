"""Cells of known doses: what checkpoints answer there, and what the shipped detector says of every candidate."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.candidates import channels, judged, propose
from cytally.dosimetry.detectors.cooccurrence import weighed
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble, load_ensemble
from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order
from cytally.dosimetry.training.sources import CLASSES, PAPER_STYLE
from cytally.errors import ImageError
from cytally.evaluation.islands import answers_of
from cytally.evaluation.matching import assign
from cytally.files.atomic import write_bytes
from cytally.inference.graph import GraphMember
from cytally.inference.votes import look_everywhere
from cytally.progress import Progress
from cytally.types import Image

from .answers import BLOCK, member_of

#: Doses of the thesis's calibration set, Gy (4.3.1).
DOSES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0, 1.5, 2.0, 3.0, 4.0)
#: Cells at each, relative to the others: the thesis gives their sum alone, and a background needs many.
SHARES = (4, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1)
#: Cells of the thesis's calibration set.
PAPER_CELLS = 21_215
#: Cells that no run learns from and no other study asks about; a seed for each dose.
SEED = 890_000
#: A cell that is refused is drawn anew with this added to its number.
_ANOTHER = 10**6


def cells_at(total: int) -> dict[float, int]:
    """So many cells, shared out to the doses in whole blocks.

    Examples
    --------
    >>> cells_at(180)[0.0], sum(cells_at(180).values())
    (40, 180)
    """
    unit = max(total // (sum(SHARES) * BLOCK), 1) * BLOCK
    return {dose: share * unit for dose, share in zip(DOSES, SHARES, strict=True)}


@dataclass(frozen=True)
class Exposed:
    """A simulated cell as networks see it, and where its aberrations are, by class, in its pixels."""

    density: Density
    places: tuple[NDArray[np.float64], ...]


def exposed(dose: float, number: int) -> Exposed:
    """Cell of a dose; another where that one is refused as no metaphase."""
    made = Order(1, Exposure(dose), PAPER_STYLE, SEED + DOSES.index(dose)).cell(number)
    try:
        density = normalise(Image(made.image.pixels))
    except ImageError:
        return exposed(dose, number + _ANOTHER)
    return Exposed(density, tuple(density.from_image(made.points.of(name)) for name in CLASSES))


@dataclass(frozen=True)
class Block:
    """One job: some cells of one dose, who looks at them, and the file for what is said."""

    dose: float
    numbers: tuple[int, ...]
    out: Path
    checkpoints: tuple[Path, ...] = ()
    ensemble: Path | None = None


def blocks(folder: Path, total: int, **who: Path | tuple[Path, ...] | None) -> Iterator[Block]:
    """Every block of a study of so many cells."""
    for dose, cells in cells_at(total).items():
        for start in range(0, cells, BLOCK):
            path = folder / f"{dose:g}_{start:05d}.npz"
            yield Block(dose, tuple(range(start, start + BLOCK)), path, **who)  # type: ignore[arg-type]


def work(jobs: list[Block], workers: int, progress: Progress, words: str) -> None:
    """Do what is not there yet."""
    missing = [job for job in jobs if not job.out.is_file()]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(_done, missing), start=1):
            progress(words, done, len(missing))


def _done(job: Block) -> None:
    held: dict[str, np.ndarray] = {}
    for number in job.numbers:
        cell = exposed(job.dose, number)
        held[f"{number}.true"] = np.array([len(each) for each in cell.places])
        held |= _islands(job, number, cell) if job.checkpoints else _candidates(job, number, cell)
    stream = BytesIO()
    np.savez_compressed(stream, **held)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(job.out, stream.getvalue())


_MEMBERS: dict[tuple[Path, ...], list[GraphMember]] = {}
_ENSEMBLES: dict[Path | None, MetaphaseEnsemble] = {}


def _islands(job: Block, number: int, cell: Exposed) -> dict[str, np.ndarray]:
    """Where any checkpoint answers, and what each says there."""
    members = _MEMBERS.setdefault(job.checkpoints, [])
    members += [member_of(path) for path in job.checkpoints[len(members) :]]
    maps = np.stack([look_everywhere(cell.density.values, member) for member in members])
    held = {}
    for channel, (name, places) in enumerate(zip(CLASSES, cell.places, strict=True)):
        found = answers_of(maps[:, channel], places, members[0].architecture.step)
        held |= {f"{number}.{name}.{k}": island.values for k, island in enumerate(found.islands)}
    return held


def _candidates(job: Block, number: int, cell: Exposed) -> dict[str, np.ndarray]:
    """Every place that the shipped detector proposes: its class, what its verifier says, alone and weighed, whether it is one."""
    ensemble = _ENSEMBLES.setdefault(job.ensemble, load_ensemble(job.ensemble))
    found = propose(cell.density.values, ensemble)
    read = judged(cell.density.values, found, ensemble) if len(found) else found
    own, places = channels(read, ensemble), np.stack([read.row, read.col], axis=1)
    true = np.zeros(len(read), bool)
    for channel, real in enumerate(cell.places):
        mine = np.flatnonzero(own == channel)
        surest = mine[np.argsort(-read.probability[mine], kind="stable")]
        true[[surest[k] for k, _ in assign(places[surest], real, RADIUS)]] = True
    probability = np.nan_to_num(read.probability)
    return {
        f"{number}.class": own,
        f"{number}.probability": probability.astype(np.float32),
        f"{number}.weighed": weighed(places, own, probability, ensemble).astype(np.float32),
        f"{number}.is": true,
    }
