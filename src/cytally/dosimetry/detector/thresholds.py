"""Cells of the highest dose and silent ones -> thresholds that find most within a goal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytally.detection.thresholds import maxima, member_thresholds
from cytally.detection.vote import binary_votes
from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.evaluation.matching import assign, match_components
from cytally.inference.card import Thresholds, read_card
from cytally.inference.ensemble import Ensemble, load_ensemble, write_card
from cytally.inference.reading import peaks, proposing, read_again
from cytally.inference.votes import look, predict
from cytally.labels.points import spots
from cytally.training.examples import TrainingCell, unpack
from cytally.types import FloatArray

Report = Callable[[str, int, int], None]
_QUANTILES = tuple(round(0.05 * k, 2) for k in range(1, 20))


@dataclass(frozen=True)
class Goal:
    """What thresholds must keep: at most so many false detections per silent cell, by class."""

    false_per_cell: dict[str, float]


#: Dicentrics are rare and decide the dose; fragments only support them.
GOAL = Goal({"dicentric": 0.008, "fragment": 0.04})


@dataclass(frozen=True)
class Seen:
    """One cell: heatmaps in half precision, labels by class, packed density.

    The heatmaps are those of all members, or of the proposing ones where readers decide.
    """

    maps: NDArray[np.float16]
    places: tuple[FloatArray, ...]
    packed: NDArray[np.uint8]


def look_at(
    cells: Iterable[TrainingCell], ensemble: Ensemble, total: int, report: Report, stage: str
) -> list[Seen]:
    """Heatmaps of all members on some cells."""
    seen = []
    for number, cell in enumerate(cells, start=1):
        maps = _maps(unpack(cell.packed), ensemble).astype(np.float16)
        places = tuple(cell.places[cell.classes == k].astype(float) for k in range(len(ensemble.classes)))
        seen.append(Seen(maps, places, cell.packed))
        report(stage, number, total)
    return seen


def _maps(values: NDArray[np.float32], ensemble: Ensemble) -> NDArray[np.float32]:
    """Heatmaps of all members, or of those that propose where readers decide."""
    if not ensemble.readers:
        return predict(values, ensemble)
    return np.stack([look(values, ensemble.members[k]) for k in proposing(ensemble)])


def choose_thresholds(
    ensemble: Ensemble, highest: Sequence[Seen], silent: Sequence[Seen], goal: Goal = GOAL
) -> Thresholds:
    """Quantile of each member's maxima and agreement that find most within the goal.

    Parameters
    ----------
    ensemble : Ensemble
    highest : sequence of Seen
        Cells of the highest dose, labelled; quantiles are taken here (preprint 2.3).
    silent : sequence of Seen
        Cells without aberration; false detections are counted here.

    Returns
    -------
    Thresholds
        For each class the pair (quantile, agreement) with most hits minus false
        detections on the highest dose among those that keep the goal; where none
        does, the one with fewest false detections.
    """
    tops = np.stack([maxima(s.maps.astype(np.float32)) for s in highest])
    chosen = []
    for channel, name in enumerate(ensemble.classes):
        allowed = goal.false_per_cell.get(name, 0.05)
        trials = []
        for quantile in _QUANTILES:
            level = member_thresholds(tops[:, :, channel : channel + 1], [quantile])
            false = _outcome(silent, channel, level)[:, 1] / max(len(silent), 1)
            hits = _outcome(highest, channel, level)
            for agreement, rate in enumerate(false):
                gain = float(hits[agreement, 0] - hits[agreement, 1])
                worth = gain if rate <= allowed else -float(rate)
                trials.append(_Trial(rate <= allowed, worth, quantile, agreement, tuple(level[:, 0])))
        chosen.append(max(trials))
    return Thresholds(
        confidence=np.array([trial.level for trial in chosen]).T.round(4).tolist(),
        agreement=[trial.agreement for trial in chosen],
        quantile=[trial.quantile for trial in chosen],
    )


class _Trial(NamedTuple):
    """Ordered by what is wanted: the goal kept, then worth; ties go to stricter settings."""

    kept: bool
    worth: float
    quantile: float
    agreement: int
    level: tuple[float, ...]


def _outcome(cells: Sequence[Seen], channel: int, level: FloatArray) -> NDArray[np.int64]:
    """True and false detections (agreements, 2) of one class over cells."""
    totals = np.zeros((level.shape[0], 2), np.int64)
    for cell in cells:
        maps = cell.maps[:, channel : channel + 1].astype(np.float32)
        votes = binary_votes(maps, level)[0]
        truth = spots(cell.places[channel], votes.shape, 4, 2.0)
        for agreement in range(int(votes.max())):
            hits = match_components(votes > agreement, truth)
            totals[agreement] += (hits.true, hits.false)
    return totals


def choose_reading(
    ensemble: Ensemble, highest: Sequence[Seen], silent: Sequence[Seen], goal: Goal = GOAL
) -> Thresholds:
    """What the second readers' probability must exceed, by class.

    Parameters
    ----------
    ensemble : Ensemble
        With readers.
    highest, silent : sequence of Seen
        As for `choose_thresholds`.

    Returns
    -------
    Thresholds
        Those of the ensemble, with the reading of most worth among those that keep the goal.
    """
    quiet = [reread(cell, ensemble) for cell in silent]
    many = [reread(cell, ensemble) for cell in highest]
    chosen = []
    for channel, name in enumerate(ensemble.classes):
        alarms = np.array([p for cell in quiet for c, p, _ in cell if c == channel])
        found = np.array([(p, true) for cell in many for c, p, true in cell if c == channel]).reshape(-1, 2)
        trials = []
        for limit in np.clip(np.unique(np.concatenate([[0.0], alarms, found[:, 0]])), 0, 0.999).round(4):
            rate = float((alarms > limit).sum()) / max(len(silent), 1)
            true, false = found[found[:, 0] > limit, 1].sum(), (found[found[:, 0] > limit, 1] == 0).sum()
            kept = rate <= goal.false_per_cell.get(name, 0.05)
            trials.append((kept, float(true - false) if kept else -rate, float(limit)))
        chosen.append(max(trials)[2])
    return ensemble.card.thresholds.model_copy(update={"reading": chosen})


def reread(cell: Seen, ensemble: Ensemble) -> list[tuple[int, float, bool]]:
    """(channel, probability by the readers, whether it hits a label) of every proposal in a cell."""
    found = peaks(cell.maps.astype(np.float32), ensemble, proposing(ensemble))
    own = np.array([ensemble.classes.index(name) for name in found.names], dtype=int)
    read = read_again(unpack(cell.packed), found, ensemble)[np.arange(len(found)), own]
    where = np.stack([found.row, found.col], axis=1)
    hits = np.zeros(len(found), bool)
    for channel, places in enumerate(cell.places):
        mine = np.flatnonzero(own == channel)
        hits[[mine[k] for k, _ in assign(where[mine], places, RADIUS)]] = True
    return [(int(c), float(p), bool(hit)) for c, p, hit in zip(own, read, hits, strict=True)]


def choose(ensemble: Ensemble, folder: Path, highest: Sequence[Seen], silent: Sequence[Seen]) -> Ensemble:
    """Choose and save all thresholds of an ensemble, with or without second readers."""
    if ensemble.readers:
        return save_thresholds(folder, choose_reading(ensemble, highest, silent))
    return save_thresholds(folder, choose_thresholds(ensemble, highest, silent))


def save_thresholds(folder: Path, thresholds: Thresholds) -> Ensemble:
    """Write thresholds into a card and load the ensemble anew."""
    write_card(folder, read_card(folder).model_copy(update={"thresholds": thresholds}))
    return load_ensemble(folder)
