"""Many samples at once: a dose each, sorted into the classes of an emergency.

Fifty cells or thirty dicentrics are enough to sort people (IAEA 2011, 14.4.1); the
classes are those of the RENEB exercises: below 1 Gy, 1 to 2 Gy, above 2 Gy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.calibrate import Curve
from cytally.dosimetry.dose import DEFAULT, Dose
from cytally.dosimetry.laboratory.samples import Sample, dose_of_sample
from cytally.files.csv import csv_bytes

#: Cells, or dicentrics, that triage asks for.
CELLS, DICENTRICS = 50, 30
#: Upper ends of the classes, Gy.
CLASSES = ((1.0, "below 1 Gy"), (2.0, "1 to 2 Gy"), (np.inf, "above 2 Gy"))


@dataclass(frozen=True)
class Sorted:
    """A sample with its dose and class.

    Attributes
    ----------
    sample : Sample
    dose : Dose
    category : str
        Class of the estimate.
    possible : tuple of str
        Classes that the limits reach.
    enough : bool
        Whether as many cells or dicentrics were scored as triage asks for.
    """

    sample: Sample
    dose: Dose
    category: str
    possible: tuple[str, ...]
    enough: bool


def sort_samples(samples: Sequence[Sample], curve: Curve, *, method: str = DEFAULT) -> list[Sorted]:
    """Dose and class of each sample, highest dose first."""
    found = [_sorted(sample, curve, method) for sample in samples]
    return sorted(found, key=lambda one: (-one.dose.estimate, -one.dose.lower, one.sample.name))


def _sorted(sample: Sample, curve: Curve, method: str) -> Sorted:
    estimate = dose_of_sample(sample, curve, method=method)
    low, high = _class_of(estimate.lower), _class_of(estimate.upper)
    return Sorted(
        sample, estimate, CLASSES[_class_of(estimate.estimate)][1],
        tuple(name for _, name in CLASSES[low : high + 1]),
        sample.cells >= CELLS or sample.dicentrics >= DICENTRICS,
    )  # fmt: skip


def _class_of(gray: float) -> int:
    return next(k for k, (end, _) in enumerate(CLASSES) if gray < end or k == len(CLASSES) - 1)


def as_table(found: Sequence[Sorted]) -> str:
    """One line per sample, for people."""
    lines = [f"{'sample':<16}{'cells':>7}{'dic.':>6}{'dose (Gy)':>11}{'95 %':>22}  class"]
    for one in found:
        sure = (
            one.category if len(one.possible) == 1 else f"{one.category} (limits: {', '.join(one.possible)})"
        )
        short = "" if one.enough else f"; fewer than {CELLS} cells and {DICENTRICS} dicentrics: score more"
        lines.append(
            f"{one.sample.name:<16}{one.sample.cells:>7}{one.sample.dicentrics:>6}{one.dose.estimate:>11.2f}"
            f"{one.dose.limits:>22}  {sure}{short}"
        )
        lines += [f"{'':<16}  {warning}" for warning in one.dose.warnings]
    return "\n".join(lines)


def as_csv(found: Sequence[Sorted]) -> bytes:
    """One line per sample, for programs and spreadsheets."""
    rows = [["sample", "cells", "dicentrics", "dose_gy", "lower_gy", "upper_gy", "class", "enough", "notes"]]
    for one in found:
        upper = f"{one.dose.upper:.4f}" if np.isfinite(one.dose.upper) else ""
        rows.append([
            one.sample.name, str(one.sample.cells), str(one.sample.dicentrics), f"{one.dose.estimate:.4f}",
            f"{one.dose.lower:.4f}", upper, one.category, str(one.enough), "; ".join(one.dose.warnings),
        ])  # fmt: skip
    return csv_bytes(rows)
