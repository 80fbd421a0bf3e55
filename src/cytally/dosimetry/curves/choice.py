"""Which form and which errors a curve has, where that is left to the counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.fit import Fit, fit_curve
from cytally.dosimetry.curves.points import DosePoint
from cytally.dosimetry.curves.quality import pooled
from cytally.statistics.distributions import chi2_tail
from cytally.types import FloatArray


@dataclass(frozen=True)
class ChosenFit:
    """A fit with the form and the errors that were chosen.

    Attributes
    ----------
    fit : Fit
    covariance : ndarray of shape (3, 3)
        Poisson's, times the dispersion where the family is quasi-Poisson.
    model, family : str
        "linear-quadratic" or "linear"; "Poisson" or "quasi-Poisson".
    reason : str
        Why, in words; "" where both were asked for.
    """

    fit: Fit
    covariance: FloatArray
    model: str
    family: str
    reason: str


def chosen_fit(points: Sequence[DosePoint], model: str, family: str) -> ChosenFit:
    """Fit counts at known doses; parameters and errors as of `calibrate`."""
    rows = [(p.dose_gy, p.cells, p.dicentrics, p.weight) for p in points]
    dose, *counts, weights = np.array(rows, dtype=float).reshape(-1, 4).T
    chosen, why = model, []
    if model == "automatic":
        chosen, said = _choose_model(dose, counts[0], counts[1], weights)
        why.append(said)
    fit = fit_curve(dose, counts[0], counts[1], quadratic=chosen == "linear-quadratic", weights=weights)
    kind, scale, reasons = _choose_family(fit, points, family)
    covariance = fit.covariance * scale if kind == "quasi-Poisson" else fit.covariance
    return ChosenFit(fit, covariance, chosen, kind, "; ".join([*why, *reasons]))


def _choose_family(fit: Fit, points: Sequence[DosePoint], family: str) -> tuple[str, float, list[str]]:
    """Family, by how much its covariance exceeds Poisson's, and why, where that was left open.

    Overdispersion shows in the scatter of the doses about the curve, or over the cells within them.
    """
    within = pooled(points)
    scatter = fit.dispersion if fit.degrees > 0 else 1.0
    scale = max(scatter, within.index if within.overdispersed else 1.0, 1.0)
    if family != "automatic":
        return family, scale, []
    kind = "quasi-Poisson" if scale > 1 else "Poisson"
    more = "more" if scatter > 1 else "no more"
    words = f"{kind}: the points scatter {more} than Poisson allows (chi2 / df = {scatter:.2f})"
    if within.overdispersed:
        words += f", and over the cells more than chance (dispersion index {within.index:.2f})"
    return kind, scale, [words]


def _choose_model(dose: FloatArray, cells: FloatArray, dicentrics: FloatArray, weights: FloatArray) -> tuple[str, str]:
    """Linear-quadratic unless the linear curve explains the counts as well (likelihood ratio, 5 %)."""
    if len(np.unique(dose)) < 3:
        return "linear", f"linear: {len(np.unique(dose))} doses are too few for a quadratic term"
    full, straight = (fit_curve(dose, cells, dicentrics, quadratic=q, weights=weights) for q in (True, False))
    ratio = max(2 * (full.log_likelihood - straight.log_likelihood), 0.0)
    # beta >= 0: at the boundary the ratio is half 0 and half chi2 of 1 (Self and Liang 1987)
    p = 0.5 * float(chi2_tail(ratio, 1)) if ratio > 0 else 1.0
    if p < 0.05:
        return "linear-quadratic", f"linear-quadratic: the quadratic term improves the fit (p = {p:.2g})"
    return "linear", f"linear: a quadratic term does not improve the fit (p = {p:.2g})"
