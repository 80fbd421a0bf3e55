"""What is known of an exposure, and what is asked for beside the whole-body dose."""

from __future__ import annotations

from dataclasses import dataclass

from cytally.dosimetry import D0_GY, REPAIR_HOURS
from cytally.dosimetry.curves.fit import protraction_factor
from cytally.dosimetry.estimation.limits.calibrative import FLAT, Prior
from cytally.errors import CountsError


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
class Asked:
    """What is wanted beside the whole-body dose.

    Attributes
    ----------
    partial : bool
        Also as an exposure of a part of the body, whatever the dispersion is.
    prior : Prior
        On the dose; of the method bayes alone.
    """

    partial: bool = False
    prior: Prior = FLAT


PLAIN = Asked()
