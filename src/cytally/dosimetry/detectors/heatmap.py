"""Members vote (preprint eq. 6-7): more than T_A of them above their T_C, connected components."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.detection.vote import binary_votes, co_occurring, detect
from cytally.dosimetry.detectors.protocol import Explanation
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import cast_votes, predict
from cytally.types import Detections

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class ByVote:
    """Decides by the votes of all members."""

    ensemble: Ensemble

    def decide(self, values: Float32) -> Detections:
        """Aberrations in a normalised density (h, w), in its pixels."""
        cast = cast_votes(values, self.ensemble)
        return self._strict(self._components(cast.votes, cast.maps))

    def explain(self, values: Float32) -> Explanation:
        """The same, with and without co-occurrence, and the components."""
        cast = cast_votes(values, self.ensemble)
        found = self._components(cast.votes, cast.maps)
        won = (cast.votes[k] > limit for k, limit in enumerate(self.ensemble.card.thresholds.agreement))
        return Explanation(self._strict(found), co_occurring(found), tuple(won), self.ensemble.card.stride)

    def maps(self, values: Float32) -> Float32:
        """Heatmaps (members, classes, h, w) of those that look, everywhere."""
        return predict(values, self.ensemble)

    def draws(self, values: Float32, rng: np.random.Generator, count: int) -> list[Detections]:
        """Ensembles of as many members as vote, drawn with replacement."""
        maps = predict(values, self.ensemble)
        return [self._by(maps, members) for members in self.drawn(rng, count)]

    def drawn(self, rng: np.random.Generator, count: int) -> list[NDArray[np.int64]]:
        """Which members each of them has."""
        number = len(self.ensemble.members)
        return [rng.integers(number, size=number) for _ in range(count)]

    def _by(self, maps: Float32, chosen: NDArray[np.int64]) -> Detections:
        limits = np.asarray(self.ensemble.card.thresholds.confidence)[chosen]
        return self._strict(self._components(binary_votes(maps[chosen], limits), maps[chosen]))

    def _components(self, votes: NDArray[np.uint8], maps: Float32) -> Detections:
        card = self.ensemble.card
        return detect(votes, maps, card.thresholds.agreement, self.ensemble.classes, card.stride)

    def _strict(self, found: Detections) -> Detections:
        return co_occurring(found) if self.ensemble.card.thresholds.co_occurrence else found
