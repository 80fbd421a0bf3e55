"""Cells -> places that an ensemble proposes, with what they are: what verifiers learn from.

Proposals are those of scoring: local maxima of the members' mean heatmap, far below the level at
which members vote. Every shard of cells is a file, so that a killed
call loses at most the shards that were being made.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from cytally.dosimetry.detectors.candidates import crops_at, propose
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.files.atomic import write_bytes
from cytally.inference.card import sha256_of
from cytally.inference.ensemble import Ensemble, set_threads
from cytally.progress import Progress
from cytally.training.examples import CellSource, TrainingCell, pack, unpack
from cytally.training.tasks.crops import STORED, Crops
from cytally.types import FloatArray

#: Two members propose as well as four where only many places are wanted.
_PROPOSING = 2
_SHARD = 50
#: Of a cell only so many, the strongest: a smear teaches nothing a hundred times over.
_MOST = 120
_WORKER: dict[str, Any] = {}


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
    found = propose(values, ensemble, _PROPOSING)
    strongest = np.argsort(-found.confidence, kind="stable")[:_MOST]
    found = found.keep(np.isin(np.arange(len(found)), strongest))
    crops = crops_at(values, found.row, found.col, STORED)
    places = np.stack([found.row, found.col], axis=1)
    return Crops(pack(crops), label(places, cell, len(ensemble.classes)))


def mark_of(ensemble: Path) -> str:
    """What files that belong to an ensemble's proposals are named after."""
    return sha256_of(ensemble / "card.json")[:12]


def collect(
    source: CellSource, cells: int, ensemble: Path, folder: Path, progress: Progress, workers: int = 2
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
    progress : callable
    workers : int
    """
    mark = mark_of(ensemble)
    folder.mkdir(parents=True, exist_ok=True)
    shards = [(k, min(k + _SHARD, cells)) for k in range(0, cells, _SHARD)]
    paths = [folder / f"{mark}_{start:06d}_{stop:06d}.npz" for start, stop in shards]
    missing = [(*shard, path) for shard, path in zip(shards, paths, strict=True) if not path.is_file()]
    if missing:
        context = get_context("spawn")
        with ProcessPoolExecutor(workers, context, _begin, (source, ensemble)) as pool:
            for number, _ in enumerate(pool.map(_shard, missing), start=1):
                progress("proposing places", (len(shards) - len(missing) + number) * _SHARD, cells)
    return Crops.joined([_load(path) for path in paths])


def _begin(source: CellSource, ensemble: Path) -> None:
    torch.set_num_threads(1)
    set_threads(1)
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
