"""Checkpoints of one run -> an ensemble with thresholds, in a folder that can be shipped."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytally import __version__
from cytally.detection.thresholds import maxima, member_thresholds
from cytally.detection.vote import binary_votes
from cytally.errors import SettingsError
from cytally.evaluation.matching import match_components
from cytally.images.normalise import NOMINAL_PIXEL_UM, NOMINAL_SIZE
from cytally.inference.card import Card, Thresholds, read_card
from cytally.inference.ensemble import Ensemble, load_ensemble, write_ensemble
from cytally.inference.votes import predict
from cytally.labels.points import spots
from cytally.training.checkpoints import member_path
from cytally.training.examples import TrainingCell, unpack
from cytally.types import FloatArray

Report = Callable[[str, int, int], None]
_QUANTILES = tuple(round(0.05 * k, 2) for k in range(1, 20))


@dataclass(frozen=True)
class Goal:
    """What thresholds must keep: at most so many false detections per silent cell, by class."""

    false_per_cell: dict[str, float]


#: Dicentrics are rare and decide the dose; fragments only support them.
GOAL = Goal({"dicentric": 0.015, "fragment": 0.05})


def choose_epochs(folder: Path, first: int, count: int, seed: int) -> list[int]:
    """Draw the epochs whose checkpoints become members.

    Parameters
    ----------
    folder : Path
        Of the training run.
    first : int
        First epoch of the constant learning rate.
    count, seed : int
    """
    done = [e for e in range(first, 1000) if member_path(folder, e).is_file()]
    if len(done) < count:
        raise SettingsError(
            f"{folder}: expected {count} checkpoints from epoch {first} on, got {len(done)}; train longer"
        )
    drawn = np.random.default_rng(seed).permutation(done)[:count]
    return sorted(int(e) for e in drawn)


def assemble(
    run: Path,
    out: Path,
    *,
    name: str,
    classes: Sequence[str],
    epochs: Sequence[int],
    training: dict[str, Any],
) -> Ensemble:
    """Write an ensemble with provisional thresholds (T_C 0.5, T_A half of the members)."""
    stored = json.loads((run / "run.json").read_text())
    card = Card(
        name=name, classes=list(classes), arguments=stored["architecture"], members=[],
        normalisation={"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM},
        thresholds=Thresholds(
            confidence=[[0.5] * len(classes)] * len(epochs), agreement=[len(epochs) // 2] * len(classes)
        ),
        training={"cytally": __version__, "settings": stored["settings"], "curve": last_row(run), **training},
    )  # fmt: skip
    write_ensemble(out, card, [member_path(run, epoch) for epoch in epochs])
    return load_ensemble(out)


def last_row(run: Path) -> dict[str, str]:
    """Last line of the learning curve."""
    return learning_curve(run)[-1]


def seconds_per_epoch(run: Path) -> list[float]:
    """Time spent learning in each epoch, without the making of cells before it."""
    return [float(row["seconds"]) for row in learning_curve(run)]


def learning_curve(run: Path) -> list[dict[str, str]]:
    """Rows of curves.csv."""
    with (run / "curves.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Seen:
    """Heatmaps of one cell in half precision, its labels and whether it is silent."""

    maps: NDArray[np.float16]
    places: tuple[FloatArray, ...]


def look_at(
    cells: Iterable[TrainingCell], ensemble: Ensemble, total: int, report: Report, stage: str
) -> list[Seen]:
    """Heatmaps of all members on some cells."""
    seen = []
    for number, cell in enumerate(cells, start=1):
        maps = predict(unpack(cell.packed), ensemble).astype(np.float16)
        places = tuple(cell.places[cell.classes == k].astype(float) for k in range(len(ensemble.classes)))
        seen.append(Seen(maps, places))
        report(stage, number, total)
    return seen


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
                worth = float(hits[agreement, 0] - hits[agreement, 1]) if rate <= allowed else -float(rate)
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


def save_thresholds(folder: Path, thresholds: Thresholds) -> Ensemble:
    """Write thresholds into a card and load the ensemble anew."""
    card = read_card(folder).model_copy(update={"thresholds": thresholds})
    (folder / "card.json").write_text(json.dumps(card.model_dump(), indent=1) + "\n")
    return load_ensemble(folder)
