"""What verifiers say in labelled cells -> limits, and how much other objects of a cell weigh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.detectors.candidates import channels, judged, peaks, proposing
from cytally.dosimetry.detectors.cooccurrence import weigh
from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.dosimetry.training.thresholds.cells import GOAL, Goal, Seen
from cytally.evaluation.matching import assign
from cytally.inference.card import Thresholds
from cytally.inference.ensemble import Ensemble
from cytally.training.examples import unpack
from cytally.types import FloatArray

#: Where verifiers weigh what else the cell holds: weighing moves false alarms from cells without aberrations, where
#: no fragment vouches for them, to exposed ones, so these must stay few too.
WEIGHED = Goal({"dicentric": 0.007, "fragment": 0.03}, precision=0.9)
#: Weights tried; beyond these a fragment would make a dicentric of anything.
_WEIGHTS = tuple(round(0.1 * k, 1) for k in range(9))


@dataclass(frozen=True)
class Judged:
    """Proposals of one cell as the verifiers see them: channel, place, probability, whether it hits a label."""

    channel: NDArray[np.int64]
    places: FloatArray
    probability: FloatArray
    hit: NDArray[np.bool_]

    def weighed(self, channel: int, weight: float, classes: int) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Probabilities of one class under a weight, and which hit."""
        weights = [weight if k == channel else 0.0 for k in range(classes)]
        mine = self.channel == channel
        return weigh(self.places, self.channel, self.probability, weights)[mine], self.hit[mine]


def choose_probability(
    ensemble: Ensemble,
    highest: Sequence[Seen],
    silent: Sequence[Seen],
    goal: Goal = WEIGHED,
    goal_alone: Goal = GOAL,
) -> Thresholds:
    """What the verifiers' probability must exceed, by class, and how what else the cell holds weighs.

    Parameters
    ----------
    ensemble : Ensemble
        With verifiers.
    highest, silent : sequence of Seen
        As for `choose_thresholds`.
    goal : Goal
        For weighed probabilities.
    goal_alone : Goal
        For probabilities as they are, which count under co-occurrence.

    Returns
    -------
    Thresholds
        Those of the ensemble, with the readings and weights that find most among those that
        keep the goals.
    """
    quiet = [reverified(cell, ensemble) for cell in silent]
    many = [reverified(cell, ensemble) for cell in highest]
    chosen, hard_rule_probability = [], []
    for channel, name in enumerate(ensemble.classes):
        trials = [_limit(quiet, many, (channel, weight, len(ensemble.classes)), name, goal) for weight in _WEIGHTS]
        chosen.append(max(trials))
        hard_rule_probability.append(_limit(quiet, many, (channel, 0.0, len(ensemble.classes)), name, goal_alone))
    return ensemble.card.thresholds.model_copy(
        update={
            "probability": [trial.limit for trial in chosen],
            "cooccurrence_weight": [trial.weight for trial in chosen],
            "hard_rule_probability": [trial.limit for trial in hard_rule_probability],
        }
    )


class _Reading(NamedTuple):
    """Ordered by what is wanted: the goal kept, then worth; ties go to less weight and stricter limits."""

    kept: bool
    worth: float
    lightness: float
    limit: float

    @property
    def weight(self) -> float:
        return -self.lightness


def _limit(
    quiet: Sequence[Judged], many: Sequence[Judged], how: tuple[int, float, int], name: str, goal: Goal
) -> _Reading:
    """The best limit of one class under one weight."""
    alarms = np.sort(np.concatenate([np.zeros(0), *(cell.weighed(*how)[0] for cell in quiet)]))
    found = [cell.weighed(*how) for cell in many]
    hits = np.sort(np.concatenate([np.zeros(0), *(p[hit] for p, hit in found)]))
    wrong = np.sort(np.concatenate([np.zeros(0), *(p[~hit] for p, hit in found)]))
    limits = np.unique(np.clip(np.concatenate([[0.0], alarms, hits, wrong]), 0, 0.9999).round(4))
    rate, true, false = ((len(p) - np.searchsorted(p, limits, "right")).astype(float) for p in (alarms, hits, wrong))
    rate /= max(len(quiet), 1)
    kept = (rate <= goal.false_per_cell.get(name, 0.05)) & (true >= goal.precision * (true + false))
    worth = np.where(kept, true if goal.precision else true - false, -rate)
    best = max(range(len(limits)), key=lambda k: (kept[k], worth[k], limits[k]))
    return _Reading(bool(kept[best]), float(worth[best]), -how[1], float(limits[best]))


def reverified(cell: Seen, ensemble: Ensemble) -> Judged:
    """Every proposal in a cell, as the verifiers see it."""
    found = peaks(cell.maps.astype(np.float32), ensemble, proposing(ensemble))
    found = judged(unpack(cell.packed), found, ensemble)
    own = channels(found, ensemble)
    where = np.stack([found.row, found.col], axis=1)
    hits = np.zeros(len(found), bool)
    for channel, places in enumerate(cell.places):
        mine = np.flatnonzero(own == channel)
        hits[[mine[k] for k, _ in assign(where[mine], places, RADIUS)]] = True
    return Judged(own, where, found.probability, hits)
