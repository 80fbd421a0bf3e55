"""Many samples at once: a dose each, sorted into the classes of an emergency.

Fifty cells or thirty dicentrics are enough to sort people (IAEA 2011, 14.4.1); the
classes are those of the RENEB exercises: below 1 Gy, 1 to 2 Gy, above 2 Gy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.estimation.dose import PLAIN, Dose, DoseSettings
from cytally.dosimetry.laboratory.samples import PARTIAL, Sample, doses_of, partial_cells, u_of

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

    @property
    def partial_category(self) -> str:
        """Class of the partial-body dose; "" where there is none."""
        partial = self.dose.contaminated or self.dose.partial
        return "" if partial is None else CLASSES[_class_of(partial.dose.value)][1]


def sort_samples(samples: Sequence[Sample], curve: Curve, settings: DoseSettings = PLAIN) -> list[Sorted]:
    """Dose and class of each sample, highest dose first; the class is that of the whole-body dose."""
    found = [_sorted(sample, dose) for sample, dose in doses_of(samples, curve, settings)]
    return sorted(found, key=lambda one: (-one.dose.estimate, -one.dose.lower, one.sample.name))


def _sorted(sample: Sample, dose: Dose) -> Sorted:
    low, high = _class_of(dose.lower), _class_of(dose.upper)
    return Sorted(
        sample,
        dose,
        CLASSES[_class_of(dose.estimate)][1],
        tuple(name for _, name in CLASSES[low : high + 1]),
        sample.cells >= CELLS or sample.dicentrics >= DICENTRICS,
    )


def _class_of(gray: float) -> int:
    return next(k for k, (end, _) in enumerate(CLASSES) if gray < end or k == len(CLASSES) - 1)


def as_table(found: Sequence[Sorted]) -> str:
    """One line per sample, for people."""
    lines = [f"{'sample':<16}{'cells':>7}{'dic.':>6}{'dose (Gy)':>11}{'95 %':>22}  class"]
    for one in found:
        sure = one.category if len(one.possible) == 1 else f"{one.category} (limits: {', '.join(one.possible)})"
        short = "" if one.enough else f"; fewer than {CELLS} cells and {DICENTRICS} dicentrics: score more"
        lines.append(
            f"{one.sample.name:<16}{one.sample.cells:>7}{one.sample.dicentrics:>6}{one.dose.estimate:>11.2f}"
            f"{one.dose.limits:>22}  {sure}{short}"
        )
        partial = [f"class as partial-body exposure: {one.partial_category}"] if one.partial_category else []
        lines += [f"{'':<16}  {words}" for words in (*one.dose.beside, *partial, *one.dose.warnings)]
    return "\n".join(lines)


def as_rows(found: Sequence[Sorted]) -> list[list[object]]:
    """Headings, then one line per sample, for programs and spreadsheets."""
    heading: list[object] = [
        "sample",
        "cells",
        "dicentrics",
        "u",
        "dose_gy",
        "lower_gy",
        "upper_gy",
        "class",
        "enough",
        *PARTIAL,
        "partial_class",
        "notes",
    ]
    rows: list[list[object]] = [
        [
            one.sample.name,
            one.sample.cells,
            one.sample.dicentrics,
            u_of(one.dose),
            one.dose.estimate,
            one.dose.lower,
            one.dose.upper,
            one.category,
            one.enough,
            *partial_cells(one.dose),
            one.partial_category,
            "; ".join(one.dose.warnings),
        ]
        for one in found
    ]
    return [heading, *rows]
