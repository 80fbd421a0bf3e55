"""What a dose is asked for beside counts and a curve: the exposure, and how the limits are to be computed."""

from __future__ import annotations

from dataclasses import dataclass

from cytally.dosimetry import D0_GY, REPAIR_HOURS
from cytally.dosimetry.curves.fit import protraction_factor
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.prior import FLAT, Prior
from cytally.errors import CountsError
from cytally.statistics.poisson import Dispersion

#: Names of the methods, as they are printed.
METHODS = {
    "merkle": "Merkle",
    "merkle95": "Merkle 95/95",
    "delta": "delta method",
    "bayes": "calibrative density, HPD",
    "likelihood": "likelihood ratio",
}
#: What is taken where no method is asked for: it covers nearest to 95 % (docs/doses.md).
DEFAULT = "likelihood"
#: Nobody counts more cells, or aberrations.
MOST = 10**12


@dataclass(frozen=True)
class Totals:
    """Aberrations in so many cells, where their distribution over the cells is not known.

    Raises
    ------
    CountsError
        No cell, or a negative or absurd number.
    """

    aberrations: int
    cells: int

    def __post_init__(self) -> None:
        if not (0 < self.cells <= MOST and 0 <= self.aberrations <= MOST):
            raise CountsError(
                f"expected cells > 0 and dicentrics >= 0, at most {MOST:g} of each, got {self.cells} and "
                f"{self.aberrations}"
            )

    @property
    def spread(self) -> Dispersion:
        """As of a distribution whose variance is not known: NaN."""
        nan = float("nan")
        return Dispersion(self.cells, self.aberrations, self.aberrations / self.cells, nan, nan, nan)


@dataclass(frozen=True)
class ExposureConditions:
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
    repair_hours: float = REPAIR_HOURS
    d0_gy: float = D0_GY

    def __post_init__(self) -> None:
        given = (self.hours, self.repair_hours, self.d0_gy)
        if not (self.hours >= 0 and self.repair_hours > 0 and self.d0_gy > 0 and max(given) < float("inf")):
            raise CountsError(
                f"expected hours >= 0, repair time > 0 and D0 > 0, got {', '.join(f'{each:g}' for each in given)}"
            )

    @property
    def protraction(self) -> float:
        """G of Lea and Catcheside."""
        return protraction_factor(self.hours, self.repair_hours)


ACUTE = ExposureConditions()


@dataclass(frozen=True)
class DoseSettings:
    """How a dose is computed: one noun for every command, page and notebook.

    Attributes
    ----------
    method : {"likelihood", "merkle", "merkle95", "delta", "bayes"}
        Of the limits: the likelihood ratio, confidence regions of 83 % each (together about 95 %) or of
        95 % each, the delta method, or the highest posterior density.
    exposure : ExposureConditions
        Duration of the exposure and what else is known of it.
    detector_errors : DetectorErrors or None
        Recall and false detections from a validation set: for automatic counts on a
        curve that people counted. Their posteriors are averaged over; `method` is not asked then.
    disagreement : float
        Standard deviation of the number of dicentrics over sampled ensembles: an error of the
        count beside chance.
    any_detector : bool
        Take counts of one detector on the curve of another.
    partial : bool
        Also as an exposure of a part of the body, whatever the dispersion is.
    prior : Prior
        On the dose; of the method bayes alone.

    Raises
    ------
    CountsError
        An unknown method, or a prior beside another method than bayes or beside a detector's errors.
    """

    method: str = DEFAULT
    exposure: ExposureConditions = ACUTE
    detector_errors: DetectorErrors | None = None
    disagreement: float = 0.0
    any_detector: bool = False
    partial: bool = False
    prior: Prior = FLAT

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise CountsError(f"unknown method {self.method!r}; expected one of {', '.join(METHODS)}")
        if self.prior != FLAT and (self.method != "bayes" or self.detector_errors is not None):
            raise CountsError("expected the method bayes, and no detector's errors, where a prior is given")


#: An acute exposure of the whole body, by the likelihood ratio.
PLAIN = DoseSettings()
