"""Counts and a curve -> Dose, in the words of the laboratory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cytally.dosimetry.calibrate import DICENTRICS, Curve
from cytally.errors import CountsError
from cytally.statistics.bayes import calibrative_density
from cytally.statistics.curves import dose_at, protraction_factor
from cytally.statistics.detector import DetectorErrors, detector_density
from cytally.statistics.intervals import DoseLimits, delta, merkle
from cytally.statistics.partial import PartialBody, dolphin
from cytally.statistics.poisson import Dispersion, dispersion
from cytally.types import Counts, IntArray
from cytally.wording import counted

#: Names of the methods, as they are printed.
METHODS = {
    "merkle": "Merkle", "merkle95": "Merkle 95/95", "delta": "delta method", "bayes": "calibrative density, HPD",
    "likelihood": "likelihood ratio",
}  # fmt: skip
#: What may have to be said about a dose; the value of a note goes into the braces.
NOTES = {
    "background": "no more of them than the curve's background: only the upper limit says something",
    "not distinguishable": "not distinguishable from background: the lower limit is 0 Gy",
    "beyond": "beyond the calibrated range (up to {:g} Gy): extrapolated",
    "overdispersed": "overdispersed (u = {:.2f}): the exposure may have been partial or uneven",
    "members": "the ensemble's members disagree (standard deviation {:.1f} dicentrics): the limits carry it",
    "members stale": "sampled.csv counts other cells than this run: the members' disagreement is not carried; "
    "run `score --sampled` again",
    "underdispersed": "underdispersed (u = {:.2f}): were cells selected or aberrations overlooked?",
    "delta": "the delta method is too narrow with so few dicentrics: use likelihood or merkle",
}
#: What is taken where no method is asked for: it covers nearest to 95 % (docs/doses.md).
DEFAULT = "likelihood"
#: Dose that leaves 37 % of the lymphocytes able to divide (2.7 to 3.5 Gy, IAEA 2011).
D0_GY = 2.7


@dataclass(frozen=True)
class Note:
    """Something that must be said: one of `NOTES`, and the number that belongs to it."""

    key: str
    value: float = float("nan")

    def __str__(self) -> str:
        return NOTES[self.key].format(self.value)


@dataclass(frozen=True)
class Dose:
    """Whole-body dose of one sample.

    Attributes
    ----------
    estimate, lower, upper : float
        Gy; limits of about 95 %.
    method : str
    cells, dicentrics : int
    dispersion : Dispersion or None
        Where the distribution over cells is known.
    notes : tuple of Note
        What a reader must know before acting on the number.
    protraction : float
        G by which the quadratic term was reduced; 1 for an acute exposure.
    partial : PartialBody or None
        Dose and fraction as a partial-body exposure, where the counts are
        overdispersed and it can be estimated.
    merkle : (float, float) or None
        Limits by Merkle's method, 83 % each, as IAEA 2011 asks for; None where they are the
        limits, or the detector's errors are carried.
    aberration : str
        What was counted, as the curve says.
    """

    estimate: float
    lower: float
    upper: float
    method: str
    cells: int
    dicentrics: int
    dispersion: Dispersion | None = None
    notes: tuple[Note, ...] = ()
    protraction: float = 1.0
    partial: PartialBody | None = None
    merkle: tuple[float, float] | None = None
    aberration: str = DICENTRICS

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notes in words."""
        return tuple(map(str, self.notes))

    @property
    def limits(self) -> str:
        """The limits in words: "0.56 to 0.92", or that there is no upper one."""
        return _between(self.lower, self.upper)

    @property
    def merkle_limits(self) -> str:
        """Merkle's limits in words, where they stand beside others; else empty."""
        return _between(*self.merkle) if self.merkle is not None else ""

    @property
    def partial_words(self) -> str:
        """Dose and fractions of a partial-body exposure, or that they cannot be estimated."""
        if self.partial is None:
            return "not estimable (it takes cells with two or more dicentrics, and more of them than chance)"
        gray, cells, body = self.partial.dose, self.partial.cells, self.partial.body
        return (
            f"{gray.value:.2f} Gy ({gray.lower:.2f} to {gray.upper:.2f}) to {100 * body.value:.0f} % of the body "
            f"({100 * body.lower:.0f} to {100 * body.upper:.0f}); {100 * cells.value:.0f} % of the scored cells"
        )

    def __str__(self) -> str:
        return (
            f"{self.estimate:.2f} Gy ({self.limits}, 95 %, {self.method}), "
            f"{counted(self.cells, 'cells')}, {counted(self.dicentrics, self.aberration)}"
        )


def _between(lower: float, upper: float) -> str:
    return f"{lower:.2f} to {f'{upper:.2f}' if np.isfinite(upper) else 'no upper limit'}"


@dataclass(frozen=True)
class Exposed:
    """How the exposure happened, where that is known.

    Attributes
    ----------
    hours : float
        Its duration; 0 for an acute one.
    repair_hours : float
        Mean time in which breaks are repaired.
    d0_gy : float
        Dose that leaves 37 % of the lymphocytes able to divide.
    """

    hours: float = 0.0
    repair_hours: float = 2.0
    d0_gy: float = D0_GY

    def __post_init__(self) -> None:
        if not (self.hours >= 0 and self.repair_hours > 0 and self.d0_gy > 0):
            raise CountsError(f"expected hours >= 0, repair time > 0 and D0 > 0, got {self}")

    @property
    def protraction(self) -> float:
        """G of Lea and Catcheside."""
        return protraction_factor(self.hours, self.repair_hours)


ACUTE = Exposed()


def dose(
    counts: Counts | IntArray, curve: Curve, *, method: str = DEFAULT, any_detector: bool = False,
    exposed: Exposed = ACUTE, errors: DetectorErrors | None = None, disagreement: float = 0.0,
) -> Dose:  # fmt: skip
    """Whole-body dose with limits that carry Poisson and curve uncertainty.

    Parameters
    ----------
    counts : Counts, or the distribution of cells over 0, 1, 2, ... dicentrics
    curve : Curve
    method : {"likelihood", "merkle", "merkle95", "delta", "bayes"}
        The likelihood ratio, confidence regions of 83 % each (together about 95 %) or of
        95 % each, the delta method, or the highest posterior density.
    any_detector : bool
        Take counts of one detector on the curve of another.
    exposed : Exposed
        Duration of the exposure and what else is known of it.
    errors : DetectorErrors, optional
        Recall and false detections from a validation set: for automatic counts on a
        curve that people counted. Their posteriors are averaged over; `method` is not asked then.
    disagreement : float
        Standard deviation of the number of dicentrics over sampled ensembles: an error of the
        count beside chance.

    Raises
    ------
    CountsError
        No cell, unknown method, or counts and curve of different detectors.

    Examples
    --------
    The counts of IAEA 2011 section 9.7.3 on a curve without uncertainty of its own:

    >>> curve = Curve(np.array([0.00128, 0.02103, 0.06307]), np.zeros((3, 3)))
    >>> print(dose(np.array([475, 25]), curve))
    0.73 Gy (0.56 to 0.91, 95 %, likelihood ratio), 500 cells, 25 dicentrics
    """
    if method not in METHODS:
        raise CountsError(f"unknown method {method!r}; expected one of {', '.join(METHODS)}")
    detector = counts.detector if isinstance(counts, Counts) else ""
    if errors is None and detector != curve.detector and isinstance(counts, Counts) and not any_detector:
        raise CountsError(
            f"counts are by detector {detector or 'eye'}, the curve is for {curve.detector or 'counting by eye'}; "
            "fit a curve with the same detector and thresholds, or allow it with --any-detector"
        )
    if isinstance(counts, Counts) and curve.aberration != DICENTRICS:
        raise CountsError(
            f"the curve is for {curve.aberration}, the run counted {DICENTRICS}; choose a curve made of these"
        )
    distribution = counts.distribution("dicentric") if isinstance(counts, Counts) else np.asarray(counts)
    spread = dispersion(distribution)
    if spread.cells == 0:
        raise CountsError("expected at least one scored cell, got none")
    partial = _partial(distribution, spread, curve, exposed) if errors is None else None
    with_spread = len(distribution) > 1
    found = _whole_body(spread, curve, method, exposed, errors, disagreement)
    return replace(found, partial=partial, dispersion=spread if with_spread else None)


def dose_from_totals(
    dicentrics: int, cells: int, curve: Curve, *, method: str = DEFAULT, exposed: Exposed = ACUTE,
    errors: DetectorErrors | None = None,
) -> Dose:  # fmt: skip
    """Dose from two totals, where the distribution over cells is not known."""
    if cells <= 0 or dicentrics < 0:
        raise CountsError(f"expected cells > 0 and dicentrics >= 0, got {cells} and {dicentrics}")
    if method not in METHODS:
        raise CountsError(f"unknown method {method!r}; expected one of {', '.join(METHODS)}")
    nan = float("nan")
    totals = Dispersion(cells, dicentrics, dicentrics / cells, nan, nan, nan)
    return replace(_whole_body(totals, curve, method, exposed, errors), dispersion=None)


def _partial(
    distribution: IntArray, spread: Dispersion, curve: Curve, exposed: Exposed
) -> PartialBody | None:
    """The contaminated Poisson answer, only where the counts ask for it."""
    if not spread.overdispersed:
        return None
    return dolphin(
        distribution,
        curve.coefficients,
        curve.covariance,
        d0_gy=exposed.d0_gy,
        protraction=exposed.protraction,
    )


def _whole_body(
    spread: Dispersion, curve: Curve, method: str, exposed: Exposed, errors: DetectorErrors | None,
    disagreement: float = 0.0,
) -> Dose:  # fmt: skip
    beside = None
    if errors is None:
        found, name = _limits(spread, curve, method, exposed.protraction, disagreement), METHODS[method]
        if not method.startswith("merkle"):
            iaea = _limits(spread, curve, "merkle", exposed.protraction, disagreement)
            beside = (iaea.lower, iaea.upper)
    else:
        found = _with_errors(spread, curve, errors, exposed.protraction, scatter(spread, disagreement))
        name = "detector's errors carried, likelihood ratio"
    notes = _notes(found, spread, curve, method)
    if disagreement > 0:
        notes.append(Note("members", disagreement))
    return Dose(
        found.estimate, found.lower, found.upper, name, spread.cells, spread.aberrations,
        spread, tuple(notes), exposed.protraction, None, beside, curve.aberration,
    )  # fmt: skip


def scatter(spread: Dispersion, disagreement: float = 0.0) -> float | None:
    """By how much the variance of the count exceeds Poisson's; None where nothing says so.

    The dispersion index where u > 1.96, and the variance over sampled ensembles in parts of the
    count's own.
    """
    index = spread.index if spread.overdispersed else 1.0
    index += disagreement**2 / max(spread.aberrations, 1)
    return index if index > 1 else None


def _with_errors(
    spread: Dispersion, curve: Curve, errors: DetectorErrors, protraction: float, index: float | None
) -> DoseLimits:
    """Dose of an automatic count on a curve counted by people."""
    if curve.detector:
        raise CountsError(
            f"the curve was counted by detector {curve.detector} and has absorbed its errors; "
            "give recall and false rate only with a curve counted by eye"
        )
    density = detector_density(
        spread.aberrations,
        spread.cells,
        curve.coefficients,
        curve.covariance,
        errors,
        protraction=protraction,
        index=index,
    )
    lower, upper = density.likelihood_region()
    per_cell = spread.aberrations / spread.cells
    return DoseLimits(density.mode, lower, upper, per_cell, per_cell)


def _limits(
    spread: Dispersion, curve: Curve, method: str, protraction: float, disagreement: float
) -> DoseLimits:
    """Limits by one of the methods; overdispersion widens the count's error where u > 1.96."""
    index = scatter(spread, disagreement)
    if method.startswith("merkle"):
        return _merkle(spread, curve, method, protraction, disagreement)
    given = (spread.aberrations, spread.cells, curve.coefficients, curve.covariance)
    per_cell = spread.aberrations / spread.cells
    if method == "delta":
        variance = per_cell / spread.cells * index if index is not None else None
        return delta(*given, protraction=protraction, yield_variance=variance)
    density = calibrative_density(*given, protraction=protraction, index=index)
    if method == "bayes":
        return DoseLimits(density.mode, *density.hpd(), per_cell, per_cell)
    estimate = dose_at(per_cell, curve.coefficients, protraction)
    return DoseLimits(estimate, *density.likelihood_region(), per_cell, per_cell)


def _merkle(
    spread: Dispersion, curve: Curve, method: str, protraction: float, disagreement: float
) -> DoseLimits:
    """Merkle's limits, by the rule of IAEA 2011 eq. 9 where the counts are overdispersed.

    That rule widens by half even where the index is 1; members that disagree take from the
    count's worth instead.
    """
    worth = 1 / (1 + disagreement**2 / max(spread.aberrations, 1))
    return merkle(
        spread.aberrations * worth, spread.cells * worth, curve.coefficients, curve.covariance,
        level=0.83 if method == "merkle" else 0.95, protraction=protraction,
        index=spread.index if spread.overdispersed else None,
    )  # fmt: skip


def _notes(found: DoseLimits, spread: Dispersion, curve: Curve, method: str) -> list[Note]:
    said = []
    if found.estimate == 0:
        said.append(Note("background"))
    elif found.lower == 0:
        said.append(Note("not distinguishable"))
    if found.estimate > curve.highest_dose or found.upper > curve.highest_dose:
        said.append(Note("beyond", curve.highest_dose))
    if spread.overdispersed:
        said.append(Note("overdispersed", spread.u))
    if spread.aberrations < 10 and method == "delta":
        said.append(Note("delta"))
    if spread.underdispersed:
        said.append(Note("underdispersed", spread.u))
    return said
