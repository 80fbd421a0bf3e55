"""Counts and a curve -> Dose, in the words of the laboratory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.estimation.given import ACUTE, METHODS, PLAIN, DoseSettings, ExposureConditions, Totals
from cytally.dosimetry.estimation.limits.partial_body import PartialBody
from cytally.dosimetry.estimation.limits.prior import FLAT
from cytally.dosimetry.estimation.notes import notes_of
from cytally.dosimetry.estimation.partial_dose import by_dolphin, by_likelihood
from cytally.dosimetry.estimation.whole_body import merkle_beside, name_of, whole_body
from cytally.dosimetry.phrases import NOTES, Note
from cytally.errors import CountsError
from cytally.statistics.poisson import Dispersion, dispersion
from cytally.types import Counts, IntArray
from cytally.wording import counted

__all__ = [
    "ACUTE",
    "METHODS",
    "NOTES",
    "PLAIN",
    "Dose",
    "DoseSettings",
    "ExposureConditions",
    "Note",
    "Totals",
    "check_belongs",
    "dose_of_counts",
]


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
    prior : str
        What was believed before, in words, where it was not a flat prior.
    contaminated : PartialBody or None
        As a partial-body exposure with limits by profile likelihood, where that was asked for; it holds
        whatever the dispersion is.
    tried_partial : bool
        Whether it was asked for.
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
    prior: str = ""
    contaminated: PartialBody | None = None
    tried_partial: bool = False

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
        return _partial_words(self.partial)

    @property
    def contaminated_words(self) -> str:
        """The same by profile likelihood; "" where it was not asked for."""
        if not self.tried_partial:
            return ""
        if self.contaminated is None:
            return "not estimable (it takes the distribution over cells, and more dicentrics than background)"
        whole = "; the whole body is not excluded" if self.contaminated.body.upper >= 1 else ""
        return _partial_words(self.contaminated) + whole

    @property
    def beside(self) -> tuple[str, ...]:
        """The dose as a partial-body exposure, in words, by each method that was tried or that the counts ask for."""
        said = [("Dolphin", self.partial_words)] if self.partial is not None else []
        said += [("profile likelihood", self.contaminated_words)] if self.tried_partial else []
        return tuple(f"as partial-body exposure ({how}): {words}" for how, words in said)

    def __str__(self) -> str:
        return (
            f"{self.estimate:.2f} Gy ({self.limits}, 95 %, {self.method}), "
            f"{counted(self.cells, 'cells')}, {counted(self.dicentrics, self.aberration)}"
        )


def _partial_words(found: PartialBody) -> str:
    gray, cells, body = found.dose, found.cells, found.body
    return (
        f"{gray.value:.2f} Gy ({_between(gray.lower, gray.upper)}) to {100 * body.value:.0f} % of the body "
        f"({100 * body.lower:.0f} to {100 * body.upper:.0f}); {100 * cells.value:.0f} % of the scored cells "
        f"({100 * cells.lower:.0f} to {100 * cells.upper:.0f})"
    )


def _between(lower: float, upper: float) -> str:
    return f"{lower:.2f} to {f'{upper:.2f}' if np.isfinite(upper) else 'no upper limit'}"


def dose_of_counts(counts: Counts | IntArray | Totals, curve: Curve, settings: DoseSettings = PLAIN) -> Dose:
    """Whole-body dose with limits that carry Poisson and curve uncertainty.

    Parameters
    ----------
    counts : Counts, the distribution of cells over 0, 1, 2, ... dicentrics, or Totals
        A partial-body dose needs the distribution; of totals it is not estimable.
    curve : Curve
    settings : DoseSettings
        Method, exposure, a detector's errors, ...

    Raises
    ------
    CountsError
        No cell, more aberrations than any dose explains, or a curve of another detector or aberration.

    Examples
    --------
    The counts of IAEA 2011 section 9.7.3 on a curve without uncertainty of its own:

    >>> curve = Curve(np.array([0.00128, 0.02103, 0.06307]), np.zeros((3, 3)))
    >>> print(dose_of_counts(np.array([475, 25]), curve))
    0.73 Gy (0.56 to 0.91, 95 %, likelihood ratio), 500 cells, 25 dicentrics
    """
    if isinstance(counts, Totals):
        return _answer(counts.spread, curve, settings)
    if isinstance(counts, Counts):
        known = settings.any_detector or settings.detector_errors is not None
        check_belongs(curve, counts.detector, any_detector=known)
    distribution = counts.distribution("dicentric") if isinstance(counts, Counts) else np.asarray(counts)
    spread = dispersion(distribution)
    _check_spread(distribution, spread)
    return replace(
        _answer(spread, curve, settings),
        partial=by_dolphin(distribution, spread, curve, settings),
        dispersion=spread if len(distribution) > 1 else None,
        contaminated=by_likelihood(distribution, curve, settings),
    )


def _answer(spread: Dispersion, curve: Curve, settings: DoseSettings) -> Dose:
    """The dose of the whole body, and what must be said of it."""
    found = whole_body(spread, curve, settings)
    return Dose(
        found.estimate,
        found.lower,
        found.upper,
        name_of(settings),
        spread.cells,
        spread.aberrations,
        notes=notes_of(found, spread, curve, settings),
        protraction=settings.exposure.protraction,
        merkle=merkle_beside(spread, curve, settings),
        aberration=curve.aberration,
        prior="" if settings.prior == FLAT else settings.prior.words,
        tried_partial=settings.partial,
    )


def _check_spread(distribution: IntArray, spread: Dispersion) -> None:
    if (np.asarray(distribution) < 0).any():
        raise CountsError(f"expected numbers of cells >= 0, got {np.asarray(distribution).min()}")
    if spread.cells == 0:
        raise CountsError("expected at least one scored cell, got none")


def check_belongs(curve: Curve, detector: str, *, any_detector: bool = False) -> None:
    """Refuse a curve that does not belong to what a detector counts.

    Parameters
    ----------
    curve : Curve
    detector : str
        Identity of the detector that counted or will count.
    any_detector : bool
        Take counts of one detector on the curve of another.

    Raises
    ------
    CountsError
        A curve of another detector, or of another aberration.
    """
    if detector != curve.detector and not any_detector:
        raise CountsError(
            f"counts are by detector {detector or 'eye'}, the curve is for {curve.detector or 'manual scoring'}; "
            "fit a curve with the same detector and thresholds, or allow it with --any-detector"
        )
    if curve.aberration != DICENTRICS:
        raise CountsError(
            f"the curve is for {curve.aberration}, the run counted {DICENTRICS}; choose a curve made of these"
        )
