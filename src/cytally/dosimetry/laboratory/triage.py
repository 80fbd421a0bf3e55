"""Many samples at once: a dose each, sorted into the classes of an emergency.

Fifty cells or thirty dicentrics are enough to sort people (IAEA 2011, 14.4.1); the
classes are those of the RENEB exercises: below 1 Gy, 1 to 2 Gy, above 2 Gy.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.calibrate import Curve
from cytally.dosimetry.dose import DEFAULT, PLAIN, Asked, Dose
from cytally.dosimetry.laboratory.samples import Sample, dose_of_sample

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


def sort_samples(
    samples: Sequence[Sample], curve: Curve, *, method: str = DEFAULT, asked: Asked = PLAIN
) -> list[Sorted]:
    """Dose and class of each sample, highest dose first; the class is that of the whole-body dose."""
    found = [_sorted(sample, curve, method, asked) for sample in samples]
    return sorted(found, key=lambda one: (-one.dose.estimate, -one.dose.lower, one.sample.name))


def _sorted(sample: Sample, curve: Curve, method: str, asked: Asked) -> Sorted:
    estimate = dose_of_sample(sample, curve, method=method, asked=asked)
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
        if one.dose.partial is not None:
            lines.append(f"{'':<16}  as partial-body exposure (Dolphin): {one.dose.partial_words}")
        if one.dose.tried_partial:
            lines.append(
                f"{'':<16}  as partial-body exposure (profile likelihood): {one.dose.contaminated_words}"
            )
        lines += [f"{'':<16}  {warning}" for warning in one.dose.warnings]
    return "\n".join(lines)


def as_csv(found: Sequence[Sorted]) -> str:
    """One line per sample, for programs and spreadsheets."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow([
        "sample", "cells", "dicentrics", "dose_gy", "lower_gy", "upper_gy", "class", "enough",
        "partial_dose_gy", "partial_lower_gy", "partial_upper_gy", "partial_body", "notes",
    ])  # fmt: skip
    for one in found:
        upper = _number(one.dose.upper)
        partial, used = ["", "", "", ""], one.dose.contaminated or one.dose.partial
        if used is not None:
            partial = [
                _number(v) for v in (used.dose.value, used.dose.lower, used.dose.upper, used.body.value)
            ]
        table.writerow([
            one.sample.name, one.sample.cells, one.sample.dicentrics, f"{one.dose.estimate:.4f}",
            f"{one.dose.lower:.4f}", upper, one.category, one.enough, *partial, "; ".join(one.dose.warnings),
        ])  # fmt: skip
    return buffer.getvalue()


def _number(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else ""
