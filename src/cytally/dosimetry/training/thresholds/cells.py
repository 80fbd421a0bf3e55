"""Labelled cells as an ensemble sees them, and what its thresholds must keep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble
from cytally.progress import Progress
from cytally.training.examples import TrainingCell, unpack
from cytally.types import FloatArray


@dataclass(frozen=True)
class Goal:
    """What thresholds must keep.

    Attributes
    ----------
    false_per_cell : dict of str to float
        At most so many false detections per cell without aberrations, by class.
    precision : float
        At least this share of the detections in cells of the highest dose is true.
    """

    false_per_cell: dict[str, float]
    precision: float = 0.0


#: Dicentrics are rare and decide the dose; fragments only support them.
GOAL = Goal({"dicentric": 0.008, "fragment": 0.04})


@dataclass(frozen=True)
class Seen:
    """One cell: heatmaps in half precision, labels by class, packed density.

    The heatmaps are those of all members, or of the proposing ones where verifiers decide.
    """

    maps: NDArray[np.float16]
    places: tuple[FloatArray, ...]
    packed: NDArray[np.uint8]


def look_at(
    cells: Iterable[TrainingCell], ensemble: MetaphaseEnsemble, total: int, progress: Progress, stage: str
) -> list[Seen]:
    """Heatmaps of all members on some cells."""
    seen = []
    for number, cell in enumerate(cells, start=1):
        maps = ensemble.rule.maps(unpack(cell.packed)).astype(np.float16)
        places = tuple(cell.places[cell.classes == k].astype(float) for k in range(len(ensemble.classes)))
        seen.append(Seen(maps, places, cell.packed))
        progress(stage, number, total)
    return seen
