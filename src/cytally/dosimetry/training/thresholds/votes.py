"""Cells of the highest dose and silent ones -> thresholds that find most within a goal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytally.detection.thresholds import maxima, member_thresholds
from cytally.detection.vote import binary_votes
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble, load_ensemble
from cytally.dosimetry.training.thresholds.cells import GOAL, Goal, Seen
from cytally.dosimetry.training.thresholds.verifier import choose_probability
from cytally.evaluation.matching import match_components
from cytally.inference.card import Thresholds, read_card
from cytally.inference.ensemble import Ensemble, write_card
from cytally.labels.points import SIGMA, spots
from cytally.types import FloatArray

_QUANTILES = tuple(round(0.05 * k, 2) for k in range(1, 20))


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
    chosen, stride = [], ensemble.card.stride
    for channel, name in enumerate(ensemble.classes):
        allowed = goal.false_per_cell.get(name, 0.05)
        trials = []
        for quantile in _QUANTILES:
            level = member_thresholds(tops[:, :, channel : channel + 1], [quantile])
            false = _outcome(silent, channel, level, stride)[:, 1] / max(len(silent), 1)
            hits = _outcome(highest, channel, level, stride)
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


def _outcome(cells: Sequence[Seen], channel: int, level: FloatArray, stride: int) -> NDArray[np.int64]:
    """True and false detections (agreements, 2) of one class over cells."""
    totals = np.zeros((level.shape[0], 2), np.int64)
    for cell in cells:
        maps = cell.maps[:, channel : channel + 1].astype(np.float32)
        votes = binary_votes(maps, level)[0]
        truth = spots(cell.places[channel], votes.shape, stride, SIGMA)
        for agreement in range(int(votes.max())):
            hits = match_components(votes > agreement, truth)
            totals[agreement] += (hits.true, hits.false)
    return totals


def choose(ensemble: Ensemble, folder: Path, highest: Sequence[Seen], silent: Sequence[Seen]) -> MetaphaseEnsemble:
    """Choose and save all thresholds of an ensemble, with or without verifiers."""
    if ensemble.verifiers:
        return save_thresholds(folder, choose_probability(ensemble, highest, silent))
    return save_thresholds(folder, choose_thresholds(ensemble, highest, silent))


def save_thresholds(folder: Path, thresholds: Thresholds) -> MetaphaseEnsemble:
    """Write thresholds into a card and load the ensemble anew."""
    write_card(folder, read_card(folder).model_copy(update={"thresholds": thresholds}))
    return load_ensemble(folder)
