"""What scoring and evaluation ask of a detector; nothing outside asks how it decides.

A new way of finding dicentrics is one class with the attributes and methods of `Detector`. What it can do
besides, being drawn anew or showing its heatmaps, is a protocol of its own: commands that need it ask for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cytally.detection.vote import co_occurring
from cytally.dosimetry.density import Density
from cytally.labels.points import SIGMA, TRUTH_LEVEL, spots
from cytally.types import Detections


@dataclass(frozen=True)
class Decision:
    """Thresholds that a run records; each has one number per class, or is empty where the detector has none.

    Attributes
    ----------
    confidence : tuple of tuple of float
        T_C, a row for each member.
    agreement : tuple of int
        T_A: votes to be exceeded.
    co_occurrence : bool
        A dicentric counts only in a cell with a fragment.
    probability : tuple of float
        What a verifier's answer must exceed.
    cooccurrence_weight : tuple of float
        How much what else the cell holds weighs.
    """

    confidence: tuple[tuple[float, ...], ...] = ()
    agreement: tuple[int, ...] = ()
    co_occurrence: bool = False
    probability: tuple[float, ...] = ()
    cooccurrence_weight: tuple[float, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """How a detector came to its answer in one cell; places in normalised pixels.

    Attributes
    ----------
    found : Detections
    co_occurring : Detections
        What would be found if a dicentric counted only beside a fragment.
    outlines : tuple of ndarray of bool, shape (h / stride, w / stride)
        What was decided for each class, as an area.
    stride : int
        Normalised pixels per pixel of the outlines.
    """

    found: Detections
    co_occurring: Detections
    outlines: tuple[NDArray[np.bool_], ...]
    stride: int


class Detector(Protocol):
    """Finds aberrations in one cell. It is sent to other processes, so it can be pickled.

    `identity` changes whenever what is detected may change: curves belong to it. `runtime` says in words on what it
    computes. `members` look at a cell (1 where nothing is put to the vote).
    """

    @property
    def name(self) -> str:
        """For people."""

    @property
    def identity(self) -> str:
        """Changes whenever what is detected may change."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What is detected."""

    @property
    def decision(self) -> Decision:
        """Thresholds, for the record."""

    @property
    def voters(self) -> int:
        """How many look at a cell."""

    @property
    def runtime(self) -> str:
        """On what it computes, in words; not part of the identity."""

    def detect(self, density: Density) -> Detections:
        """Aberrations in a normalised cell, in pixels of its image."""

    def explain(self, density: Density) -> Explanation:
        """The same in normalised pixels, with what `evaluate` shows beside it."""


@runtime_checkable
class Resampling(Protocol):
    """A detector whose members can be drawn anew, to see how far the count depends on the draw."""

    def draws(self, density: Density, count: int) -> list[Detections]:
        """What each of so many sampled ensembles finds; the same members in every call with this count."""


@runtime_checkable
class Heatmaps(Protocol):
    """A detector that can show the heatmaps of its members."""

    @property
    def stride(self) -> int:
        """Normalised pixels per pixel of the heatmaps."""

    def heatmaps(self, density: Density) -> NDArray[np.float32]:
        """(members, classes, h / stride, w / stride)."""


def outlined(found: Detections, classes: Sequence[str], shape: tuple[int, ...], stride: int) -> Explanation:
    """What was found as it is, each place drawn as large as a label.

    Parameters
    ----------
    found : Detections
        In normalised pixels.
    classes : sequence of str
    shape : (h, w)
        Of the normalised cell.
    stride : int
    """
    coarse = (-(-shape[0] // stride), -(-shape[1] // stride))
    drawn = (spots(found.of(name), coarse, stride, SIGMA) > TRUTH_LEVEL for name in classes)
    return Explanation(found, co_occurring(found), tuple(drawn), stride)
