"""Counts and a curve -> Dose, in the words of the laboratory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.curves.fit import dose_at
from cytally.dosimetry.estimation.given import ACUTE, PLAIN, Asked, ExposureConditions
from cytally.dosimetry.estimation.limits.calibrative import FLAT, Prior
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.partial_body import PartialBody
from cytally.dosimetry.estimation.notes import NOTES, Note, notes_of, prior_notes
from cytally.dosimetry.estimation.partial_dose import by_dolphin, by_likelihood
from cytally.dosimetry.estimation.whole_body import (
    check_explained,
    check_holds,
    limits_of,
    limits_with_errors,
    scatter,
)
from cytally.errors import CountsError
from cytally.statistics.poisson import Dispersion, dispersion
from cytally.types import Counts, IntArray
from cytally.wording import counted

__all__ = [
    "ACUTE",
    "METHODS",
    "NOTES",
    "PLAIN",
    "Asked",
    "Dose",
    "ExposureConditions",
    "Note",
    "dose",
    "dose_from_totals",
]

#: Names of the methods, as they are printed.
METHODS = {
    "merkle": "Merkle",
    "merkle95": "Merkle 95/95",
    "delta": "delta method",
    "bayes": "calibrative density, HPD",
    "likelihood": "likelihood ratio",
}
#: Nobody counts more cells, or dicentrics.
MOST = 10**12
#: What is taken where no method is asked for: it covers nearest to 95 % (docs/doses.md).
DEFAULT = "likelihood"


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


def dose(
    counts: Counts | IntArray,
    curve: Curve,
    *,
    method: str = DEFAULT,
    any_detector: bool = False,
    exposed: ExposureConditions = ACUTE,
    errors: DetectorErrors | None = None,
    disagreement: float = 0.0,
    asked: Asked = PLAIN,
) -> Dose:
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
    asked : Asked
        A partial-body dose, a prior.

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
    if isinstance(counts, Counts):
        check_belongs(curve, counts.detector, any_detector=any_detector or errors is not None)
    distribution = counts.distribution("dicentric") if isinstance(counts, Counts) else np.asarray(counts)
    spread = dispersion(distribution)
    _check_spread(distribution, spread)
    partial = by_dolphin(distribution, spread, curve, exposed) if errors is None else None
    with_spread = len(distribution) > 1
    found = _whole_body(spread, curve, method, exposed, errors, disagreement, asked.prior)
    wanted = by_likelihood(distribution, curve, exposed, errors) if asked.partial else None
    return replace(
        found,
        partial=partial,
        dispersion=spread if with_spread else None,
        contaminated=wanted,
        tried_partial=asked.partial,
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


def dose_from_totals(
    dicentrics: int,
    cells: int,
    curve: Curve,
    *,
    method: str = DEFAULT,
    exposed: ExposureConditions = ACUTE,
    errors: DetectorErrors | None = None,
    asked: Asked = PLAIN,
) -> Dose:
    """Dose from two totals, where the distribution over cells is not known; parameters as of `dose`.

    A partial-body dose needs that distribution: asked for here, it is not estimable.
    """
    if not (0 < cells <= MOST and 0 <= dicentrics <= MOST):
        raise CountsError(
            f"expected cells > 0 and dicentrics >= 0, at most {MOST:g} of each, got {cells} and {dicentrics}"
        )
    if method not in METHODS:
        raise CountsError(f"unknown method {method!r}; expected one of {', '.join(METHODS)}")
    nan = float("nan")
    totals = Dispersion(cells, dicentrics, dicentrics / cells, nan, nan, nan)
    found = _whole_body(totals, curve, method, exposed, errors, prior=asked.prior)
    return replace(found, dispersion=None, tried_partial=asked.partial)


def _whole_body(
    spread: Dispersion,
    curve: Curve,
    method: str,
    exposed: ExposureConditions,
    errors: DetectorErrors | None,
    disagreement: float = 0.0,
    prior: Prior = FLAT,
) -> Dose:
    if prior != FLAT and (method != "bayes" or errors is not None):
        raise CountsError("expected the method bayes, and no detector's errors, where a prior is given")
    beside = None
    check_explained(spread, curve, exposed.protraction, errors)
    if errors is None:
        found, name = (
            limits_of(spread, curve, method, exposed.protraction, disagreement, prior),
            METHODS[method],
        )
        if not method.startswith("merkle"):
            iaea = limits_of(spread, curve, "merkle", exposed.protraction, disagreement)
            beside = (iaea.lower, iaea.upper)
    else:
        found = limits_with_errors(spread, curve, errors, exposed.protraction, scatter(spread, disagreement))
        name = "detector's errors carried, likelihood ratio"
    check_holds(found, name, curve)
    notes = notes_of(found, spread, curve, method, errors)
    notes += prior_notes(found, prior, dose_at(spread.mean, curve.coefficients, exposed.protraction))
    if disagreement > 0:
        notes.append(Note("members", disagreement))
    return Dose(
        found.estimate,
        found.lower,
        found.upper,
        name,
        spread.cells,
        spread.aberrations,
        spread,
        tuple(notes),
        exposed.protraction,
        None,
        beside,
        curve.aberration,
        prior="" if prior == FLAT else prior.words,
    )
