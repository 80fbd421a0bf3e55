"""A verifier's eight views of a place, and what some of them say already of the mean of all.

Most places that are proposed are not what they were proposed as, and most cells have no aberration:
a glance shows that nothing there can count, and only where it leaves that open everything is looked at.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
#: Ways to turn and mirror a square, and those that are looked at first.
VIEWS = 8
FIRST, REST = slice(0, 5), slice(5, VIEWS)


class CandidateVerifier(Protocol):
    """A network that says what lies in the middle of each crop."""

    @property
    def side(self) -> int:
        """Edge of the crops in pixels."""

    def __call__(self, crops: Float32) -> Float32:
        """Probabilities (n, classes + 1) of crops (n, side, side); the last means none of the classes."""

    def glance(self, crops: Float32) -> Glance:
        """What they can be at least and at most, for less work."""

    def finish(self, crops: Float32, seen: Glance) -> Float32:
        """What a call gives, where a glance was cast at the same crops already."""


@dataclass(frozen=True)
class Glance:
    """What is known of probabilities (n, classes + 1) before every view of n crops was looked at.

    Attributes
    ----------
    low, high : ndarray of float32, shape (n, classes + 1)
        Between these they lie.
    views : ndarray of float32, shape (n, k, classes + 1)
        What the k views that count said.
    """

    low: Float32
    high: Float32
    views: Float32

    def of(self, chosen: NDArray[np.bool_] | slice) -> Glance:
        """The same of some of the crops."""
        return Glance(self.low[chosen], self.high[chosen], self.views[chosen])

    @staticmethod
    def joined(parts: Sequence[Glance]) -> Glance:
        """The same of the crops of several parts, of which there is at least one."""
        low, high, views = (np.concatenate([getattr(part, n) for part in parts]) for n in ("low", "high", "views"))
        return Glance(low, high, views)


class EightViews(ABC):
    """A verifier's answer is the mean over a crop turned and mirrored in all eight ways.

    None of them exceeds 1, so the first few say what the mean can still become.
    """

    @abstractmethod
    def views(self, crops: Float32, which: slice) -> Float32:
        """Probabilities (n, k, classes + 1) of k of the eight views of crops (n, side, side)."""

    def __call__(self, crops: Float32) -> Float32:
        """Probabilities (n, classes + 1) of crops (n, side, side); the last means none of the classes."""
        return self.finish(crops, self._started(crops))

    def glance(self, crops: Float32) -> Glance:
        """What they can be at least and at most, from five views."""
        return self._started(crops)

    def finish(self, crops: Float32, seen: Glance) -> Float32:
        """What a call gives, where a glance was cast at the same crops already."""
        views = seen.views if seen.views.size else self.views(crops, FIRST)
        return np.asarray(np.concatenate([views, self.views(crops, REST)], axis=1).mean(axis=1), np.float32)

    def _started(self, crops: Float32) -> Glance:
        views = self.views(crops, FIRST)
        low = views.sum(axis=1) / VIEWS
        rest = (VIEWS - views.shape[1]) / VIEWS + 1e-6  # and what rounding may add
        return Glance(low, low + np.float32(rest), views)
