"""How far the count depends on which members happened to be drawn: the same images by many ensembles.

The preprint draws ensembles of 10 out of 50 checkpoints and shows the 5-95 % band over 100 of
them (section 2.3). An ensemble that ships has only its own members left, and so each draw takes
members of it: as many as vote, with replacement, or as propose to the second readers, without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.detection.vote import binary_votes, co_occurring, detect
from cytally.dosimetry.company import confirmed
from cytally.dosimetry.laboratory.disagreement import TABLE, Sampled
from cytally.errors import ImageError
from cytally.images.normalise import FEWEST_OBJECTS, normalise
from cytally.images.read import read
from cytally.images.write import write_bytes
from cytally.inference.ensemble import Ensemble
from cytally.inference.reading import PROPOSING, judged, peaks
from cytally.inference.votes import predict
from cytally.runs.folder import csv_bytes
from cytally.types import Detections, IntArray

Report = Callable[[str, int, int], None]
JOURNAL = "sampled.jsonl"
_COUNTED = "dicentric"
_SEED = 880_000


def draw_members(ensemble: Ensemble, ensembles: int) -> list[NDArray[np.int64]]:
    """Which members each sampled ensemble has; the same for every image and every call."""
    rng = np.random.default_rng([_SEED, ensembles])
    number = len(ensemble.members)
    if ensemble.readers:
        return [np.sort(rng.permutation(number)[:PROPOSING]) for _ in range(ensembles)]
    return [rng.integers(number, size=number) for _ in range(ensembles)]


def count_sampled(
    density: NDArray[np.float32], ensemble: Ensemble, draws: list[NDArray[np.int64]]
) -> IntArray:
    """Dicentrics of one cell by each sampled ensemble, (ensembles,).

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
        Normalised.
    ensemble : Ensemble
        With its thresholds.
    draws : list of ndarray of int
        From `draw_members`.
    """
    maps = predict(density, ensemble)
    if not ensemble.readers:
        return np.array([_voted(maps[chosen], ensemble, chosen).count(_COUNTED) for chosen in draws])
    proposed = [peaks(maps[chosen], ensemble, chosen.tolist()) for chosen in draws]
    known = _answers(density, proposed, ensemble)
    return np.array([_read(found, ensemble, known).count(_COUNTED) for found in proposed])


def _voted(maps: NDArray[np.float32], ensemble: Ensemble, chosen: NDArray[np.int64]) -> Detections:
    thresholds = ensemble.card.thresholds
    votes = binary_votes(maps, np.asarray(thresholds.confidence)[chosen])
    found = detect(votes, maps, thresholds.agreement, ensemble.classes, ensemble.card.stride)
    return co_occurring(found) if thresholds.co_occurrence else found


Place = tuple[str, float, float]


def _places(found: Detections) -> list[Place]:
    return list(zip(found.names, found.row.tolist(), found.col.tolist(), strict=True))


def _answers(
    density: NDArray[np.float32], proposed: list[Detections], ensemble: Ensemble
) -> dict[Place, float]:
    """What the readers say of every place that any sampled ensemble proposes, asked once."""
    places = sorted({place for found in proposed for place in _places(found)})
    if not places:
        return {}
    row, col = (np.array([place[k] for place in places]) for k in (1, 2))
    none = np.zeros(len(places))
    every = Detections(row, col, tuple(p[0] for p in places), none.astype(int), none, none, PROPOSING, none)
    return dict(zip(places, judged(density, every, ensemble).reading.tolist(), strict=True))


def _read(found: Detections, ensemble: Ensemble, known: Mapping[Place, float]) -> Detections:
    if not len(found):
        return found
    reading = np.array([known[place] for place in _places(found)])
    kept = confirmed(
        Detections(found.row, found.col, found.names, found.votes, found.confidence, found.spread,
                   found.members, reading), ensemble)  # fmt: skip
    return co_occurring(kept) if ensemble.card.thresholds.co_occurrence else kept


def sample_run(
    paths: Mapping[str, Path], folder: Path, ensemble: Ensemble, ensembles: int,
    report: Report = lambda stage, done, total: None,
) -> Sampled:  # fmt: skip
    """Count the scored cells of a run again by many sampled ensembles; writes sampled.csv.

    Parameters
    ----------
    paths : mapping of str to Path
        Images that were scored, by their names in the run.
    folder : Path
        The run; a killed call goes on where it was.
    ensemble : Ensemble
    ensembles : int
        How many to draw.
    report : callable
        Told (stage, done, total).
    """
    draws = draw_members(ensemble, ensembles)
    done = _finished(folder / JOURNAL, ensemble, ensembles)
    with (folder / JOURNAL).open("a") as journal:
        for position, (name, path) in enumerate(paths.items(), start=1):
            if name not in done:
                done[name] = _counts(path, ensemble, draws)
                line = {"image": name, "detector": ensemble.card.identity, "dicentrics": done[name]}
                journal.write(json.dumps(line) + "\n")
                journal.flush()
            report(f"{ensembles} sampled ensembles", position, len(paths))
    heading = ["image", *(f"ensemble_{k:03d}" for k in range(ensembles))]
    write_bytes(folder / TABLE, csv_bytes([heading, *([name, *done[name]] for name in paths)]))
    return Sampled(np.array([done[name] for name in paths], int).reshape(-1, ensembles).sum(axis=0))


def _counts(path: Path, ensemble: Ensemble, draws: list[NDArray[np.int64]]) -> list[int]:
    try:
        density = normalise(read(path))
    except ImageError:  # it could be read when it was scored
        return [0] * len(draws)
    if density.objects < FEWEST_OBJECTS:
        return [0] * len(draws)
    return [int(n) for n in count_sampled(density.values, ensemble, draws)]


def _finished(journal: Path, ensemble: Ensemble, ensembles: int) -> dict[str, list[int]]:
    """Cells of an earlier call by the same detector and as many ensembles."""
    if not journal.is_file():
        return {}
    content = journal.read_text()
    whole = content[: content.rfind("\n") + 1]
    if len(whole) < len(content):  # a line cut short
        write_bytes(journal, whole.encode())
    lines = [json.loads(line) for line in whole.splitlines()]
    return {
        line["image"]: line["dicentrics"]
        for line in lines
        if line["detector"] == ensemble.card.identity and len(line["dicentrics"]) == ensembles
    }
