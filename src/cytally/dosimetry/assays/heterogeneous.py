"""Two doses in one body, by the distribution of dicentrics over cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.curves.checks import check_counts
from cytally.dosimetry.curves.fit import dose_at
from cytally.dosimetry.estimation.given import ACUTE, ExposureConditions
from cytally.dosimetry.estimation.limits.merkle import dose_error
from cytally.dosimetry.estimation.limits.partial_body import Estimate, exposed_fraction, mixed_poisson
from cytally.dosimetry.estimation.notes import assay_notes
from cytally.errors import CountsError
from cytally.types import IntArray


@dataclass(frozen=True)
class Heterogeneous:
    """Two doses in one body.

    Attributes
    ----------
    high, low : Estimate
        Doses in Gy with 95 % limits.
    share : Estimate
        Part of the scored cells with the higher dose.
    body : float
        Part of the body with the higher dose, its loss of cells taken into account.
    needed : bool
        Whether two doses describe the counts better than one (BIC).
    notes : tuple of str
        What the curve leaves in doubt.
    """

    high: Estimate
    low: Estimate
    share: Estimate
    body: float
    needed: bool
    notes: tuple[str, ...] = ()


def heterogeneous(distribution: IntArray, curve: Curve, exposed: ExposureConditions = ACUTE) -> Heterogeneous:
    """Two doses by a mixture of two Poisson distributions (Pujol 2016).

    Parameters
    ----------
    distribution : ndarray of int
        Cells with 0, 1, 2, ... dicentrics.
    curve : Curve
    exposed : ExposureConditions

    Raises
    ------
    CountsError
        All cells alike, or a curve of something else than dicentrics: of these alone an even exposure leaves a
        Poisson distribution.
    """
    check_counts(curve.aberration, DICENTRICS)
    found = mixed_poisson(distribution)
    if found is None:
        raise CountsError(
            "expected cells with different numbers of dicentrics, got one kind only; one dose is all that "
            "such counts can give"
        )
    high, low = (_dose_of(part, curve, exposed) for part in (found.high, found.low))
    body = exposed_fraction(found.share.value, high.value, low.value, exposed.d0_gy)
    said = assay_notes(high.value, high.upper, curve)
    return Heterogeneous(high, low, found.share, body, found.needed, said)


def _dose_of(per_cell: Estimate, curve: Curve, exposed: ExposureConditions) -> Estimate:
    """A yield with its error -> a dose with its own (delta method with the curve's error)."""
    coefficients = curve.protracted(exposed.protraction)
    gray = dose_at(per_cell.value, coefficients)
    variance = per_cell.error**2 if np.isfinite(per_cell.error) else 0.0
    covariance = curve.carried.protracted(exposed.protraction).covariance
    error = dose_error(gray, variance, coefficients, covariance) if gray > 0 else float("nan")
    return Estimate.normal(gray, error, 0.95)
