"""Dose to the exposed part of a body, from dicentrics per damaged cell (Qdr)."""

from __future__ import annotations

from dataclasses import dataclass

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.curves.checks import check_counts
from cytally.dosimetry.curves.points import ACENTRICS
from cytally.dosimetry.estimation.limits.partial_body import Estimate, qdr_limits
from cytally.dosimetry.estimation.notes import assay_notes


@dataclass(frozen=True)
class ExposedPart(Estimate):
    """Dose to the exposed part, Gy, NaN where it is not estimable, and what the curves leave in doubt."""

    notes: tuple[str, ...] = ()


def exposed_part(dicentrics: int, damaged: int, curve: Curve, acentrics: Curve) -> ExposedPart:
    """Dose to the exposed part of a body (IAEA 2011 eq. 16).

    Parameters
    ----------
    dicentrics : int
        With centric rings.
    damaged : int
        Cells with any dicentric, ring or excess acentric.
    curve, acentrics : Curve
        Of dicentrics (and rings), and of excess acentrics.

    Raises
    ------
    CountsError
        As `qdr_limits`, or a curve of something else.
    """
    both = {DICENTRICS: curve, ACENTRICS: acentrics}
    for kind, one in both.items():
        check_counts(one.aberration, kind)
    found = qdr_limits(
        dicentrics,
        damaged,
        (curve.coefficients, acentrics.coefficients),
        (curve.carried.covariance, acentrics.carried.covariance),
    )
    notes = [f"{kind}: {note}" for kind, one in both.items() for note in assay_notes(found.value, found.upper, one)]
    return ExposedPart(found.value, found.error, found.lower, found.upper, tuple(notes))
