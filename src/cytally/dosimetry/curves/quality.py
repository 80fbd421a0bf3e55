"""How the counts of a curve scatter: over the cells of each dose, and about the curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.fit import NAMES, Fit, yield_at
from cytally.dosimetry.curves.points import DosePoint
from cytally.statistics.distributions import chi2_tail
from cytally.types import FloatArray

#: A chi2 less likely than this is called a lack of fit.
UNLIKELY = 0.05


@dataclass(frozen=True)
class Pooled:
    """Dispersion over the cells of all doses together.

    Attributes
    ----------
    index : float
        Mean index of the doses, each by its aberrations.
    u : float
        Of all doses together: sum of u over the root of their number (Stouffer); NaN without any.
    """

    index: float
    u: float

    @property
    def overdispersed(self) -> bool:
        """U > 1.96."""
        return bool(self.u > 1.96)


def pooled(points: Sequence[DosePoint]) -> Pooled:
    """Dispersion of a whole series, of those doses that hold two aberrations or more.

    Weighted counts say themselves how they are dispersed, and are left out.
    """
    spreads = [p.dispersion for p in points if p.distribution and p.weight == 1]
    known = [(s.aberrations, s.index, s.u) for s in spreads if s is not None and np.isfinite(s.u)]
    if not known:
        return Pooled(float("nan"), float("nan"))
    counts, index, u = np.array(known, dtype=float).T
    return Pooled(float(np.average(index, weights=counts)), float(u.sum() / np.sqrt(len(u))))


def growth_p(points: Sequence[DosePoint], coefficients: FloatArray) -> float:
    """Probability of so large a likelihood ratio to a yield that is the same at all doses; NaN without counts.

    Half of chi2's of 1 degree: the ratio of one more coefficient that cannot be negative (Self and Liang 1987).
    """
    total = sum(p.dicentrics * p.weight for p in points)
    if not total:
        return float("nan")
    same = total / sum(p.cells * p.weight for p in points)
    ratio = 0.0
    for point in points:
        per_cell = float(yield_at(np.array(point.dose_gy), coefficients))
        gain = point.dicentrics * np.log(per_cell / same) if point.dicentrics and per_cell > 0 else 0.0
        ratio += 2 * point.weight * (gain - point.cells * (per_cell - same))
    return float(chi2_tail(max(ratio, 0.0), 1)) / 2


def rows_of(points: Sequence[DosePoint], coefficients: FloatArray) -> list[dict[str, float | None]]:
    """Per dose what was counted, how it is dispersed (None where not known), and what the curve expects.

    The residual is (X - N Y) / sqrt(N Y), times the root of the weight.
    """
    rows: list[dict[str, float | None]] = []
    for point in points:
        expected = point.cells * float(yield_at(np.array(point.dose_gy), coefficients))
        spread = point.dispersion
        over = (spread.variance, spread.index, spread.u) if spread is not None else (np.nan,) * 3
        variance, index, u = (float(v) if np.isfinite(v) else None for v in over)
        away = point.dicentrics - expected
        residual = float(away * np.sqrt(point.weight / expected)) if expected > 0 else None
        rows.append(
            {
                "dose_gy": point.dose_gy,
                "cells": point.cells,
                "dicentrics": point.dicentrics,
                "mean": point.dicentrics / point.cells,
                "variance": variance,
                "index": index,
                "u": u,
                "expected": expected,
                "residual": 0.0 if expected == away == 0 else residual,
            }
        )
    return rows


def warnings_of(points: Sequence[DosePoint], coefficients: FloatArray, fit: Fit | None, family: str) -> list[str]:
    """What must be said of a fitted curve: lack of fit, dispersion over cells, a gap in the controls."""
    rows, said = rows_of(points, coefficients), []
    if fit is not None and fit.p_value < UNLIKELY:
        worst = max(rows, key=lambda row: abs(row["residual"] or 0.0), default=None)
        at = f"; farthest away at {worst['dose_gy']:g} Gy ({worst['residual']:+.1f} standard errors)" if worst else ""
        carried = ", which the errors carry (quasi-Poisson)" if family == "quasi-Poisson" else ""
        said.append(
            f"the curve does not fit its own counts (chi2 {fit.chi2:.2f} with {fit.degrees} {'degree' if fit.degrees == 1 else 'degrees'} of freedom, "
            f"p = {fit.p_value:.2g}){carried}{at}"
        )
    for sign, word in ((1, "overdispersed"), (-1, "underdispersed")):
        odd = [f"{row['dose_gy']:g} Gy (u = {row['u']:.2f})" for row in rows if sign * (row["u"] or 0) > 1.96]
        if odd:
            said.append(f"{word} over the cells: {', '.join(odd)}")
    whole = pooled(points)
    if whole.overdispersed and family == "Poisson":
        said.append(
            f"all doses together are overdispersed (index {whole.index:.2f}): Poisson errors are too small; "
            "use --family automatic, or a column weight of 1 / dispersion index"
        )
    growth = growth_p(points, coefficients)
    if growth > UNLIKELY:
        said.append(f"the yield does not grow significantly with dose (p = {growth:.2g})")
    silent = [p for p in points if p.dose_gy == 0]
    if points and not silent:
        said.append("no unexposed cells among the counts: the background is extrapolated")
    elif points and not sum(p.dicentrics for p in silent):
        cells = sum(p.cells for p in silent)
        said.append(f"no aberration in {cells} unexposed cells: the limits of a dose carry what that leaves open")
    return said


def summary(points: Sequence[DosePoint], coefficients: FloatArray, fit: Fit | None, family: str) -> dict[str, object]:
    """Everything of the above for a file: goodness of fit, correlations, a row per dose, words."""
    found: dict[str, object] = {"per_dose": rows_of(points, coefficients)}
    if fit is not None:
        found |= {
            "p_value": _known(fit.p_value),
            "aic": _known(fit.aic),
            "dispersion": _known(fit.dispersion),
            "correlations": {
                f"{NAMES[i]},{NAMES[j]}": _known(float(fit.correlation[i, j])) for i, j in ((0, 1), (0, 2), (1, 2))
            },
        }
    whole = pooled(points)
    found["index_of_all_doses"], found["u_of_all_doses"] = _known(whole.index), _known(whole.u)
    return found | {"warnings": warnings_of(points, coefficients, fit, family)}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
