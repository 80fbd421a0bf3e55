"""Predictions against labels or truth: pixels, objects two ways, counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from cytally.evaluation.matching import Hits
from cytally.evaluation.segmentation import (
    LEVELS,
    Matched,
    PixelHits,
    Scores,
    match_levels,
    pixel_hits,
    scores,
    touched,
)
from cytally.figures.masks import agreement
from cytally.files.atomic import write_bytes
from cytally.images.masks import grey, read_mask
from cytally.images.read import read
from cytally.images.write import encode
from cytally.inference.ensemble import Ensemble
from cytally.livecell.labelled import LabelledField
from cytally.livecell.nuclei import find_nuclei
from cytally.progress import Progress, silent
from cytally.types import IntArray
from cytally.wording import counted

FIGURES, PICTURES = "evaluation.json", "overlays"


@dataclass
class Tally:
    """Hits of all fields so far; fields add up."""

    pixels: PixelHits = field(default_factory=PixelHits)
    touching: Hits = field(default_factory=Hits)
    levels: list[Matched] = field(default_factory=lambda: [Matched(Hits(), 0.0) for _ in LEVELS])
    counts: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, predicted: IntArray, truth: IntArray) -> None:
        """One more field."""
        self.pixels = self.pixels + pixel_hits(predicted > 0, truth > 0)
        self.touching = self.touching + touched(predicted, truth)
        found = match_levels(predicted, truth)
        self.levels = [a + b for a, b in zip(self.levels, found, strict=True)]
        usual = float(np.median(np.bincount(truth.ravel())[1:])) if truth.any() else float("nan")
        by_area = round(np.count_nonzero(predicted) / usual) if np.isfinite(usual) else 0
        self.counts.append((int(predicted.max(initial=0)), int(np.count_nonzero(np.unique(truth))), by_area))


@dataclass(frozen=True)
class Evaluation:
    """Figures over all fields together (micro averages).

    Attributes
    ----------
    fields : int
    pixel : Scores
        As thesis table 6.1, with `accuracy`.
    object : Scores
        Objects that touch one of the other mask, as thesis table 6.2 (section 5.4.2).
    matched : Scores
        One to one at IoU 0.5.
    average_precision : float
        TP / (TP + FP + FN), mean over IoU 0.5 to 0.95.
    panoptic_quality : float
        At IoU 0.5.
    count_error, area_count_error : float
        Mean over fields of |found - true| / true: nuclei, and area over the typical area.
    """

    fields: int
    pixel: Scores
    accuracy: float
    object: Scores
    matched: Scores
    average_precision: float
    panoptic_quality: float
    count_error: float
    area_count_error: float


def summary(tally: Tally) -> Evaluation:
    """Scores of a tally."""
    real = [(found, true, area) for found, true, area in tally.counts if true]
    errors = [abs(found / true - 1) for found, true, _ in real]
    by_area = [abs(area / true - 1) for _, true, area in real]
    return Evaluation(
        len(tally.counts),
        tally.pixels.scores,
        tally.pixels.accuracy,
        scores(tally.touching),
        scores(tally.levels[0].hits),
        float(np.mean([level.average_precision for level in tally.levels])),
        tally.levels[0].panoptic_quality,
        float(np.mean(errors)) if errors else float("nan"),
        float(np.mean(by_area)) if by_area else float("nan"),
    )


def evaluate(
    fields: Sequence[LabelledField],
    ensemble: Ensemble,
    *,
    out: Path | None = None,
    pictures: int = 12,
    progress: Progress = silent,
) -> Evaluation:
    """Predict every labelled field and compare.

    Parameters
    ----------
    fields : sequence of LabelledField
    ensemble : Ensemble
    out : Path, optional
        Gets evaluation.json and overlays (green both, red prediction only, blue label only).
    pictures : int
        Most overlays.
    progress : callable
    """
    tally = Tally()
    shown = set(np.linspace(0, len(fields) - 1, min(pictures, len(fields))).astype(int).tolist()) if out else set()
    for number, one in enumerate(fields):
        image, truth = grey(read(one.name.path)), read_mask(one.label)
        found = find_nuclei(image, ensemble).labels
        tally.add(found, truth)
        if out is not None and number in shown:
            path = out / PICTURES / f"{number:03d}_{one.name.position}_{one.name.path.stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, encode(agreement(found > 0, truth > 0, image), ".png"))
        progress("evaluating", number + 1, len(fields))
    result = summary(tally)
    if out is not None:
        write_bytes(out / FIGURES, (json.dumps(plain(result), indent=1) + "\n").encode())
    return result


def plain(result: Evaluation) -> dict[str, object]:
    """For JSON: numbers, null where there is none."""
    return {
        k: {n: _number(v) for n, v in value.items()} if isinstance(value, dict) else _number(value)
        for k, value in asdict(result).items()
    }


def _number(value: float) -> float | None:
    return None if value != value else round(value, 5)


def as_table(result: Evaluation) -> str:
    """For people."""
    lines = [
        f"{counted(result.fields, 'fields')}",
        f"{'':<22}{'precision':>10}{'recall':>8}{'Dice':>8}{'IoU':>8}",
    ]
    for name, row in (
        ("pixels", result.pixel),
        ("objects that touch", result.object),
        ("objects one to one", result.matched),
    ):
        lines.append(f"{name:<22}{row.precision:>10.3f}{row.recall:>8.3f}{row.dice:>8.3f}{row.iou:>8.3f}")
    return "\n".join(
        [
            *lines,
            f"pixel accuracy {result.accuracy:.3f}, average precision (IoU 0.5 to 0.95) {result.average_precision:.3f}, "
            f"panoptic quality {result.panoptic_quality:.3f}",
            f"count off by {result.count_error:.1%} per field, area-based count by {result.area_count_error:.1%}",
        ]
    )
