"""Some members propose, verifiers judge, what else the cell holds weighs: propose, judge, confirm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytally.detection.vote import co_occurring
from cytally.dosimetry.detectors.candidates import (
    PROPOSING,
    channels,
    finish,
    glances,
    judged,
    peaks,
    propose,
    proposing,
)
from cytally.dosimetry.detectors.cooccurrence import confirmed, may_count, speaking
from cytally.dosimetry.detectors.protocol import Explanation, outlined
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import look_everywhere, predict
from cytally.types import Detections

Float32 = NDArray[np.float32]
_Place = tuple[str, float, float]


@dataclass(frozen=True)
class ByVerifier:
    """Decides by what the verifiers say of every proposed place."""

    ensemble: Ensemble

    def decide(self, values: Float32) -> Detections:
        """Aberrations in a normalised density (h, w), in its pixels."""
        return self.sift(values, propose(values, self.ensemble))

    def sift(self, values: Float32, proposed: Detections) -> Detections:
        """Of the proposed places those that the verifiers confirm, each looked at as closely as that needs."""
        return self._confirmed(self._glanced(values, proposed) if len(proposed) else proposed)

    def judge(self, values: Float32, proposed: Detections) -> Detections:
        """The same from a close look at every place."""
        return self._confirmed(self._read(values, proposed))

    def explain(self, values: Float32) -> Explanation:
        """The same, and what the thresholds under co-occurrence would keep."""
        read = self._read(values, propose(values, self.ensemble))
        strict = self._under_co_occurrence()._confirmed(read)
        shown = outlined(self._confirmed(read), self.ensemble.classes, values.shape, self.ensemble.card.stride)
        return replace(shown, co_occurring=strict)

    def maps(self, values: Float32) -> Float32:
        """Heatmaps (members, classes, h, w) of those that propose, everywhere."""
        members = [self.ensemble.members[k] for k in proposing(self.ensemble)]
        return np.stack([look_everywhere(values, member) for member in members])

    def draws(self, values: Float32, rng: np.random.Generator, count: int) -> list[Detections]:
        """Ensembles of as many members as propose, drawn without replacement."""
        maps = predict(values, self.ensemble)
        proposed = [peaks(maps[members], self.ensemble, members.tolist()) for members in self.drawn(rng, count)]
        known = self._answers(values, proposed)
        return [self._confirmed(_with(found, known)) for found in proposed]

    def drawn(self, rng: np.random.Generator, count: int) -> list[NDArray[np.int64]]:
        """Which members propose in each of them."""
        number = len(self.ensemble.members)
        return [np.sort(rng.permutation(number)[:PROPOSING]) for _ in range(count)]

    def _under_co_occurrence(self) -> ByVerifier:
        card = self.ensemble.card
        thresholds = card.thresholds.model_copy(update={"co_occurrence": True})
        return ByVerifier(replace(self.ensemble, card=card.model_copy(update={"thresholds": thresholds})))

    def _read(self, values: Float32, found: Detections) -> Detections:
        return judged(values, found, self.ensemble) if len(found) else found

    def _glanced(self, values: Float32, found: Detections) -> Detections:
        """The same as read, but that what can neither count nor change what counts may have been seen at a glance."""
        own, every = channels(found, self.ensemble), np.arange(len(found))
        seen = glances(values, found, self.ensemble)
        high, low = (np.mean([getattr(one, end) for one in seen], axis=0)[every, own] for end in ("high", "low"))
        probability, places = low.clip(0, 1).astype(float), np.stack([found.row, found.col], axis=1)

        def finished(asked: NDArray[np.bool_]) -> None:
            answers = finish(values, found.keep(asked), self.ensemble, [one.of(asked) for one in seen])
            probability[asked] = answers[np.arange(asked.sum()), own[asked]]

        open_ = may_count(places, own, high, self.ensemble)
        finished(open_)
        high = np.where(open_, probability, high)
        counting = open_ & may_count(places, own, high, self.ensemble)
        finished(speaking(places, own, probability, high, counting) & ~open_)
        return replace(found, probability=probability)

    def _confirmed(self, found: Detections) -> Detections:
        kept = confirmed(found, self.ensemble) if len(found) else found
        return co_occurring(kept) if self.ensemble.card.thresholds.co_occurrence else kept

    def _answers(self, values: Float32, proposed: list[Detections]) -> dict[_Place, float]:
        """What the verifiers say of every place that any sampled ensemble proposes, asked once."""
        places = sorted({place for found in proposed for place in _places(found)})
        if not places:
            return {}
        row, col = (np.array([place[k] for place in places]) for k in (1, 2))
        none = np.zeros(len(places))
        every = Detections(row, col, tuple(p[0] for p in places), none.astype(int), none, none, PROPOSING, none)
        return dict(zip(places, judged(values, every, self.ensemble).probability.tolist(), strict=True))


def _places(found: Detections) -> list[_Place]:
    return list(zip(found.names, found.row.tolist(), found.col.tolist(), strict=True))


def _with(found: Detections, known: Mapping[_Place, float]) -> Detections:
    return replace(found, probability=np.array([known[place] for place in _places(found)], float))
