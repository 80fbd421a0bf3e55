"""An exposure of a part of the body: by Dolphin where u asks for it, by profile likelihood on demand."""

from __future__ import annotations

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.estimation.given import DoseSettings
from cytally.dosimetry.estimation.limits.contaminated import contaminated
from cytally.dosimetry.estimation.limits.partial_body import PartialBody, dolphin
from cytally.statistics.poisson import Dispersion
from cytally.types import IntArray


def by_dolphin(distribution: IntArray, spread: Dispersion, curve: Curve, settings: DoseSettings) -> PartialBody | None:
    """The contaminated Poisson answer, only where the counts ask for it and no detector's errors are carried."""
    if not spread.overdispersed or settings.detector_errors is not None:
        return None
    exposure = settings.exposure
    coefficients = curve.protracted(exposure.protraction)
    covariance = curve.carried.protracted(exposure.protraction).covariance
    return dolphin(distribution, coefficients, covariance, d0_gy=exposure.d0_gy)


def by_likelihood(distribution: IntArray, curve: Curve, settings: DoseSettings) -> PartialBody | None:
    """The answer by profile likelihood, whatever the dispersion is; None where it was not asked for."""
    if not settings.partial:
        return None
    known = curve.carried.protracted(settings.exposure.protraction)
    return contaminated(
        distribution,
        known.coefficients,
        known.covariance,
        d0_gy=settings.exposure.d0_gy,
        errors=settings.detector_errors,
    )
