"""What must be said beside a dose: of the count, of the curve, and of where the two meet."""

from __future__ import annotations

import numpy as np

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.curves.fit import dose_at
from cytally.dosimetry.curves.quality import UNLIKELY, growth_p, pooled
from cytally.dosimetry.estimation.given import DoseSettings
from cytally.dosimetry.estimation.limits.merkle import DoseLimits
from cytally.dosimetry.estimation.limits.prior import FLAT, Prior
from cytally.dosimetry.estimation.whole_body import as_few
from cytally.dosimetry.phrases import Note
from cytally.statistics.poisson import Dispersion

#: A count is called a contradiction where the curve's background makes so few less likely than this.
UNBELIEVABLE = 0.01

#: Gy; a lower limit below this is printed as 0.00.
_PRINTED_AS_0 = 0.005

#: Notes on the curve's own background.
_OF_BACKGROUND = ("no controls", "exact background")


def notes_of(found: DoseLimits, spread: Dispersion, curve: Curve, settings: DoseSettings) -> tuple[Note, ...]:
    """All that must be said of a whole-body dose."""
    said, errors = [], settings.detector_errors
    silent = found.estimate == 0 if errors is not None else spread.mean <= curve.coefficients[0]
    if silent:
        said.append(Note("background" if errors is None else "background errors"))
    elif found.lower < _PRINTED_AS_0:
        said.append(Note("not distinguishable"))
    so_few = as_few(spread, curve, errors)
    if so_few < UNBELIEVABLE:
        said.append(Note("contradiction", so_few))
    said += range_notes(found.estimate, found.upper, curve)
    if spread.overdispersed:
        said.append(Note("overdispersed", spread.u))
    if spread.aberrations < 10 and settings.method == "delta":
        said.append(Note("delta"))
    if spread.underdispersed:
        said.append(Note("underdispersed", spread.u))
    said += curve_notes(curve)
    said += prior_notes(found, settings.prior, dose_at(spread.mean, curve.protracted(settings.exposure.protraction)))
    if settings.disagreement > 0:
        said.append(Note("members", settings.disagreement))
    return tuple(said)


def comparison_notes(
    spread: Dispersion, control_p: float | None, suspected: tuple[Curve, float] | None
) -> tuple[Note, ...]:
    """All that must be said of a count beside a control, or beside a suspected dose.

    Parameters
    ----------
    spread : Dispersion
        Of the count; NaN where only totals are known.
    control_p : float or None
        Of the exact test against a control, where the count lies below it.
    suspected : (Curve, float), optional
        A dose in Gy on a curve.
    """
    said = []
    if control_p is not None and control_p < UNBELIEVABLE:
        said.append(Note("contradiction control", control_p))
    if suspected is not None:
        curve, gray = suspected
        so_few = as_few(spread, curve, None)
        said += [Note("contradiction", so_few)] if so_few < UNBELIEVABLE else []
        said += range_notes(gray, gray, curve)
    said += [Note("overdispersed", spread.u)] if spread.overdispersed else []
    said += [Note("underdispersed", spread.u)] if spread.underdispersed else []
    return tuple(said + (curve_notes(suspected[0]) if suspected is not None else []))


def range_notes(estimate: float, upper: float, curve: Curve) -> list[Note]:
    """Whether a dose, or its upper limit, lies beyond what was calibrated."""
    if estimate > curve.highest_dose:
        return [Note("beyond", curve.highest_dose)]
    return [Note("upper beyond", curve.highest_dose)] if upper > curve.highest_dose else []


def assay_notes(estimate: float, upper: float, curve: Curve, *, background: bool = True) -> tuple[str, ...]:
    """What range and quality of its curve leave in doubt of any dose, in words.

    `background` is whether the dose rests on the background of the curve, and not on another one.
    """
    said = range_notes(estimate, upper, curve) + curve_notes(curve)
    return tuple(str(note) for note in said if background or note.key not in _OF_BACKGROUND)


def curve_notes(curve: Curve) -> list[Note]:
    """What the curve itself leaves in doubt."""
    said = []
    if np.isnan(curve.highest_dose):
        said.append(Note("range unknown"))
    if curve.unexposed_from is not None:
        said.append(Note("no controls", curve.unexposed_from))
    if curve.carried.exact:
        said.append(Note("exact background"))
    if curve.fit is not None and curve.fit.p_value < UNLIKELY:
        said.append(Note("lack of fit", curve.fit.p_value))
    growth = growth_p(curve.points, curve.coefficients) if curve.fit is not None else 0.0
    if growth > UNLIKELY:
        said.append(Note("no growth", growth))
    within = pooled(curve.points)
    if within.overdispersed and curve.family == "Poisson":
        said.append(Note("curve overdispersed", within.index))
    return said


def prior_notes(found: DoseLimits, prior: Prior, alone: float) -> list[Note]:
    """What a prior has done to a dose; `alone` is what the count says without it, Gy."""
    if prior == FLAT:
        return []
    said = [Note("prior", alone)]
    if prior.highest is not None and found.upper > prior.highest * (1 - 1e-3):
        said.append(Note("prior end", prior.highest))
    return said
