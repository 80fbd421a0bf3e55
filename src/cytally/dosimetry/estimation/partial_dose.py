"""An exposure of a part of the body: by Dolphin where u asks for it, by profile likelihood on demand."""

from __future__ import annotations

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.estimation.given import ExposureConditions
from cytally.dosimetry.estimation.limits.contaminated import contaminated
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.partial_body import PartialBody, dolphin
from cytally.statistics.poisson import Dispersion
from cytally.types import IntArray


def by_dolphin(
    distribution: IntArray, spread: Dispersion, curve: Curve, exposed: ExposureConditions
) -> PartialBody | None:
    """The contaminated Poisson answer, only where the counts ask for it."""
    if not spread.overdispersed:
        return None
    return dolphin(
        distribution,
        curve.coefficients,
        curve.carried.covariance,
        d0_gy=exposed.d0_gy,
        protraction=exposed.protraction,
    )


def by_likelihood(
    distribution: IntArray, curve: Curve, exposed: ExposureConditions, errors: DetectorErrors | None
) -> PartialBody | None:
    """The answer by profile likelihood, whatever the dispersion is."""
    return contaminated(
        distribution,
        curve.carried.coefficients,
        curve.carried.covariance,
        d0_gy=exposed.d0_gy,
        protraction=exposed.protraction,
        errors=errors,
    )
