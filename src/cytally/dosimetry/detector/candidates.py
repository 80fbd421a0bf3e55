"""Cells -> places that an ensemble proposes, with what they are: what second readers learn from.

Proposals are local maxima of the members' mean heatmap, taken far below the level at which
members vote: so the reader meets many more false ones than it will later have to refuse, and
all true ones that it can be asked about. Every shard of cells is a file, so that a killed
call loses at most the shards that were being made.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.images.write import write_bytes
from cytally.inference.card import sha256_of
from cytally.inference.ensemble import Ensemble, load_ensemble
from cytally.inference.reading import crops_at
from cytally.nets.unet import STRIDE
from cytally.training.examples import CellSource, TrainingCell, pack, unpack
from cytally.training.reading import STORED, Crops
from cytally.types import FloatArray

Report = Callable[[str, int, int], None]
Float32 = NDArray[np.float32]
#: Mean heatmap from which a place is proposed, by class; false ones are plentiful below.
LEVELS = {"dicentric": 0.06, "fragment": 0.12}
#: Members that propose: checkpoints of one run propose nearly the same places.
_PROPOSING = 2
_SHARD = 50
_MOST = 60
_NEIGHBOURHOOD = 7
_WORKER: dict[str, Any] = {}


@dataclass(frozen=True)
class Proposals:
    """Places proposed in one cell, in its normalised pixels: (n,) each."""

    row: FloatArray
    col: FloatArray
    channel: NDArray[np.int64]


def propose(
    values: Float32, ensemble: Ensemble, members: int = _PROPOSING, most: int = _MOST
) -> Proposals:
    """Local maxima of the mean heatmap above `LEVELS`.

    Parameters
    ----------
    values : ndarray of float32, shape (h, w)
        Normalised density.
    ensemble : Ensemble
    members : int
        How many of its members propose, spread evenly.
    most : int
        Of each class only so many, the strongest: a smear teaches nothing a hundred times over.
    """
    chosen = np.linspace(0, len(ensemble.members) - 1, min(members, len(ensemble.members))).round()
    mean = np.mean([ensemble.members[int(k)].padded(values) for k in chosen], axis=0)
    found = []
    for channel, name in enumerate(ensemble.classes):
        heat = mean[channel]
        top = (heat == maximum_filter(heat, _NEIGHBOURHOOD)) & (heat > LEVELS.get(name, 0.1))
        places = np.argwhere(top)
        strongest = np.argsort(-heat[top], kind="stable")[:most]
        found += [(row, col, channel) for row, col in places[strongest]]
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    middle = (STRIDE - 1) / 2
    return Proposals(table[:, 0] * STRIDE + middle, table[:, 1] * STRIDE + middle, table[:, 2])


def label(places: FloatArray, cell: TrainingCell, classes: int) -> NDArray[np.int64]:
    """Class of the nearest labelled object within reach of each place (n, 2); else `classes`."""
    labels = np.full(len(places), classes, np.int64)
    mine = cell.classes < classes
    if mine.any() and len(places):
        distance = np.linalg.norm(places[:, None] - cell.places[mine][None], axis=2)
        nearest = distance.argmin(axis=1)
        near = distance[np.arange(len(places)), nearest] < RADIUS
        labels[near] = cell.classes[mine][nearest[near]]
    return labels


def candidates(cell: TrainingCell, ensemble: Ensemble) -> Crops:
    """What is proposed in one labelled cell."""
    values = unpack(cell.packed)
    found = propose(values, ensemble)
    crops = crops_at(values, found.row, found.col, STORED)
    places = np.stack([found.row, found.col], axis=1)
    return Crops(pack(crops), label(places, cell, len(ensemble.classes)))


def collect(
    source: CellSource, cells: int, ensemble: Path, folder: Path, report: Report, workers: int = 2
) -> Crops:
    """Proposals in many cells, from files where an earlier call has left them.

    Parameters
    ----------
    source : CellSource
        Gives cells 0 to `cells` - 1; must be picklable.
    cells : int
    ensemble : Path
        Folder of the ensemble that proposes.
    folder : Path
        Gets a file per shard; those of another ensemble are made anew.
    report : callable
        Told (stage, done, total).
    workers : int
    """
    mark = sha256_of(ensemble / "card.json")[:12]
    folder.mkdir(parents=True, exist_ok=True)
    shards = [(k, min(k + _SHARD, cells)) for k in range(0, cells, _SHARD)]
    paths = [folder / f"{mark}_{start:06d}_{stop:06d}.npz" for start, stop in shards]
    missing = [(*shard, path) for shard, path in zip(shards, paths, strict=True) if not path.is_file()]
    if missing:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, _begin, (source, ensemble)) as pool:
            for number, _ in enumerate(pool.map(_shard, missing), start=1):
                report("proposing places", (len(shards) - len(missing) + number) * _SHARD, cells)
    return Crops.joined([_load(path) for path in paths])


def _begin(source: CellSource, ensemble: Path) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _WORKER["source"], _WORKER["ensemble"] = source, load_ensemble(ensemble)


def _shard(task: tuple[int, int, Path]) -> None:
    start, stop, path = task
    parts = [candidates(_WORKER["source"].cell(k), _WORKER["ensemble"]) for k in range(start, stop)]
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        pixels=np.concatenate([part.pixels for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )
    write_bytes(path, buffer.getvalue())


def _load(path: Path) -> Crops:
    with np.load(path) as stored:
        return Crops(stored["pixels"], stored["labels"])
