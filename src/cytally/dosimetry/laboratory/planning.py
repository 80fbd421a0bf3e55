"""Before and around a dose: how many cells to score, and whether a low count says anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cytally.dosimetry.assays.low_dose import (
    CharacteristicLimits,
    cells_needed,
    characteristic_limits,
    limits_at,
    log_odds,
    odds_words,
)
from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.curves.checks import check_per_cell
from cytally.dosimetry.curves.fit import dose_at
from cytally.dosimetry.estimation.dose import Dose
from cytally.dosimetry.estimation.notes import comparison_notes
from cytally.dosimetry.laboratory.samples import Sample, doses_of
from cytally.errors import CountsError
from cytally.statistics.poisson import two_sample_p
from cytally.wording import counted

#: Cells that a plan shows.
CELLS = (50, 150, 500, 1000, 3000)


@dataclass(frozen=True)
class Planned:
    """What a number of cells can tell of a dose.

    Attributes
    ----------
    cells : int
    expected : int
        Dicentrics at the dose, rounded down.
    lower, upper : float
        Limits of the dose that such a count gives, Gy; the curve taken as known.
    threshold : int
        More dicentrics than these are above the background.
    detection_gy : float
        Dose that is above the threshold with a probability of 90 %.
    """

    cells: int
    expected: int
    lower: float
    upper: float
    threshold: int
    detection_gy: float


def plan_cells(gray: float, curve: Curve, cells: Sequence[int] = CELLS, *, false_rate: float = 0.0) -> list[Planned]:
    """What each number of cells can tell of a dose of `gray`.

    The threshold is that of the exact test against the curve's own unexposed cells, as in `hold`;
    where the curve has none, or false detections come on top, of a yield known with its error.
    """
    if not 0 <= false_rate <= 1:
        raise CountsError(f"expected 0 to 1 false dicentrics per cell, got {false_rate:g}")
    check_per_cell(curve.aberration)
    background, variance = _background_of(curve, false_rate)
    rows = []
    for number in cells:
        expected, limits = limits_at(gray, number, curve.coefficients)
        found = characteristic_limits(number, background, variance=variance)
        seen = dose_at(found.detection / number - false_rate, curve.coefficients)
        rows.append(Planned(number, expected, limits.lower, limits.upper, found.threshold, seen))
    return rows


def _controls_of(curve: Curve) -> tuple[int, int] | None:
    """Aberrations and unexposed cells of a curve; None where it has none, or weighs them."""
    silent = [point for point in curve.points if point.dose_gy == 0]
    if not silent or any(point.weight != 1 for point in silent):
        return None
    return sum(point.dicentrics for point in silent), sum(point.cells for point in silent)


def _background_of(curve: Curve, false_rate: float) -> tuple[float | tuple[int, int], float]:
    """The controls, or yield and variance of the background, false detections added."""
    controls = _controls_of(curve)
    if controls is not None and not false_rate:
        return controls, 0.0
    known = curve.carried  # with what its controls leave open
    return float(known.coefficients[0]) + false_rate, float(known.covariance[0, 0])


def background_words(curve: Curve, false_rate: float = 0.0) -> str:
    """What a threshold was computed from."""
    background, variance = _background_of(curve, false_rate)
    if isinstance(background, tuple):
        return (
            f"background: {counted(background[0], curve.aberration)} in {counted(background[1], 'unexposed cells')} of "
            "the curve (exact test of two yields)"
        )
    said = f"background: {background:.5f} "
    if variance == 0:
        return said + f"{curve.aberration} per cell, taken as exact"
    said += f"+- {variance**0.5:.5f} {curve.aberration} per cell"
    if curve.unexposed_from is not None:
        return said + f", extrapolated from {curve.unexposed_from:g} Gy: the curve's counts hold no unexposed cells"
    return said + ", whose own uncertainty is carried"


def plan_rows(found: Sequence[Planned]) -> list[list[object]]:
    """Headings, then one line per number of cells."""
    heading: list[object] = [
        "cells",
        "dicentrics_expected",
        "lower_gy",
        "upper_gy",
        "threshold",
        "detection_limit_gy",
    ]
    rows: list[list[object]] = [[p.cells, p.expected, p.lower, p.upper, p.threshold, p.detection_gy] for p in found]
    return [heading, *rows]


@dataclass(frozen=True)
class Need:
    """How many cells a sample needs in all, at the dose that its count says now; None beyond a million."""

    sample: Sample
    dose: Dose
    cells: int | None

    @property
    def more(self) -> int | None:
        """How many are still to be scored."""
        return None if self.cells is None else max(self.cells - self.sample.cells, 0)


def needs_of(samples: Sequence[Sample], curve: Curve, within: float) -> list[Need]:
    """What each sample still needs for limits of +- `within` Gy; errors as of `doses_of`."""
    return [
        Need(one, dose, cells_needed(dose.estimate, within, curve.coefficients))
        for one, dose in doses_of(samples, curve)
    ]


def needs_rows(found: Sequence[Need]) -> list[list[object]]:
    """Headings, then one line per sample."""
    heading: list[object] = ["sample", "cells", "dicentrics", "dose_gy", "cells_needed", "cells_more", "notes"]
    rows: list[list[object]] = [
        [
            n.sample.name,
            n.sample.cells,
            n.sample.dicentrics,
            n.dose.estimate,
            n.cells,
            n.more,
            "; ".join(n.dose.warnings),
        ]
        for n in found
    ]
    return [heading, *rows]


@dataclass(frozen=True)
class Held:
    """A low count held against a control, against a suspected dose, or both.

    Attributes
    ----------
    name : str
    dicentrics, cells : int
    p : float or None
        Of the exact test against the control.
    limits : CharacteristicLimits or None
        Of as many cells, given the control.
    log_odds : float or None
        Natural logarithm of how much better 0 Gy explains the count than the suspected dose.
    notes : tuple of str
        What a reader must know beside them.
    """

    name: str
    dicentrics: int
    cells: int
    p: float | None = None
    limits: CharacteristicLimits | None = None
    log_odds: float | None = None
    notes: tuple[str, ...] = ()


def hold(
    sample: Sample, *, control: tuple[int, int] | None = None, suspected: tuple[Curve, float] | None = None
) -> Held:
    """Hold a count against a control (dicentrics, cells), against a suspected dose on a curve, or both."""
    p = limits = ratio = below = None
    dicentrics, cells = sample.dicentrics, sample.cells
    if control is not None:
        p = two_sample_p(dicentrics, cells, *control)
        limits = characteristic_limits(cells, control)
        below = p if dicentrics * control[1] < control[0] * cells else None
    if suspected is not None:
        curve, gray = suspected
        check_per_cell(curve.aberration)
        known = curve.carried
        covariance = known.covariance if known.few else None  # the manual's odds, unless the controls are few
        ratio = log_odds(dicentrics, cells, 0.0, gray, known.coefficients, covariance)
    notes = tuple(map(str, comparison_notes(sample.spread, below, suspected)))
    return Held(sample.name, dicentrics, cells, p, limits, ratio, notes)


def held_words(one: Held, control: tuple[int, int] | None, suspected: tuple[Curve, float] | None) -> str:
    """The comparison for people, a line or three, and what must be said of it."""
    lines = [f"{one.name}:"] if one.name else []
    aberrations = suspected[0].aberration if suspected is not None else DICENTRICS
    if control is not None and one.p is not None and one.limits is not None:
        words = "differ" if one.p < 0.05 else "do not differ significantly"
        lines.append(
            f"{one.dicentrics} in {one.cells} and {control[0]} in {control[1]} {words} (exact test, p = {one.p:.3g})"
        )
        lines.append(
            f"in {counted(one.cells, 'cells')} more than {counted(one.limits.threshold, aberrations)} "
            f"{'is' if one.limits.threshold == 1 else 'are'} above the control; "
            f"{one.limits.detection:.1f} expected ones are detected with 90 %"
        )
    if one.log_odds is not None and suspected is not None:
        lines.append(
            f"odds of 0 Gy and {suspected[1]:g} Gy given {counted(one.dicentrics, aberrations)} in "
            f"{counted(one.cells, 'cells')}: {odds_words(one.log_odds)} "
            f"for {0 if one.log_odds >= 0 else suspected[1]:g} Gy"
        )
    return "\n".join([*lines, *(f"  note: {note}" for note in one.notes)])


def held_rows(found: Sequence[Held]) -> list[list[object]]:
    """Headings, then one line per count; the odds as a power of ten."""
    heading: list[object] = [
        "sample",
        "cells",
        "dicentrics",
        "p",
        "threshold",
        "detection_limit",
        "log10_odds_of_0_gy",
        "notes",
    ]
    rows: list[list[object]] = []
    for one in found:
        limits = (one.limits.threshold, one.limits.detection) if one.limits is not None else (None, None)
        power = None if one.log_odds is None else one.log_odds / math.log(10)
        rows.append([one.name, one.cells, one.dicentrics, one.p, *limits, power, "; ".join(one.notes)])
    return [heading, *rows]
