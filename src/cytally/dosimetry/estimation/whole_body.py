"""Limits of a whole-body dose by each of the methods, with the curve as its controls leave it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.curves.checks import check_per_cell
from cytally.dosimetry.curves.controls import Carried
from cytally.dosimetry.curves.fit import HIGHEST_GY, dose_at, yield_at, yield_error
from cytally.dosimetry.estimation.given import METHODS, DoseSettings
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.counting import count_log, count_up_to
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors, detector_density, point_dose
from cytally.dosimetry.estimation.limits.merkle import DoseLimits, delta, merkle
from cytally.dosimetry.estimation.limits.prior import FLAT, Prior
from cytally.errors import CountsError
from cytally.statistics.distributions import chi2_quantile
from cytally.statistics.poisson import Dispersion

#: Limits are found on a grid of doses: so far, in parts of 1 Gy + the dose, they may miss.
_ROUNDING = 2e-3


def whole_body(spread: Dispersion, curve: Curve, settings: DoseSettings) -> DoseLimits:
    """Estimate and limits of the method that was asked for, or with the detector's errors carried.

    Raises
    ------
    CountsError
        More aberrations than any dose explains, limits that leave out their own dose, or a prior or a curve
        that does not go with the counts.
    """
    check_per_cell(curve.aberration)
    _check_explained(spread, curve, settings)
    if settings.detector_errors is not None:
        found = _with_errors(spread, curve, settings, settings.detector_errors)
    else:
        found = _by_method(spread, curve, settings)
    check_holds(found, name_of(settings), curve)
    return found


def name_of(settings: DoseSettings) -> str:
    """By what the limits were computed, as it is printed."""
    if settings.detector_errors is not None:
        return "detector's errors carried, likelihood ratio"
    return METHODS[settings.method]


def merkle_beside(spread: Dispersion, curve: Curve, settings: DoseSettings) -> tuple[float, float] | None:
    """Limits by Merkle's method, 83 % each, beside those of another; None where there is no place for them."""
    if settings.detector_errors is not None or settings.method.startswith("merkle"):
        return None
    found = _by_method(spread, curve, replace(settings, method="merkle", prior=FLAT))
    return found.lower, found.upper


def _check_explained(spread: Dispersion, curve: Curve, settings: DoseSettings) -> None:
    """Refuse a count that no dose explains."""
    coefficients, errors = curve.protracted(settings.exposure.protraction), settings.detector_errors
    if errors is None:
        gray = dose_at(spread.mean, coefficients)
    else:
        gray = point_dose(spread.aberrations, spread.cells, coefficients, errors)
    if not gray <= HIGHEST_GY:
        cells = "cell" if spread.cells == 1 else "cells"
        raise CountsError(
            f"{spread.aberrations} {curve.aberration} in {spread.cells} {cells} are more than the curve can explain "
            f"up to {HIGHEST_GY:g} Gy; are cells and {curve.aberration} interchanged?"
        )


def check_mode(gray: float, spread: Dispersion, curve: Curve) -> None:
    """Refuse the last dose that is looked at: it is the end of the search, and no answer."""
    if gray >= HIGHEST_GY * (1 - 1e-6):
        raise CountsError(
            f"expected a dose at which {spread.aberrations} {curve.aberration} in {spread.cells} cells are likeliest, got "
            f"ever likelier ones up to {HIGHEST_GY:g} Gy: the errors of the curve or of the detector are too large for "
            "this method (merkle may give limits)"
        )


def _check_prior(spread: Dispersion, known: Carried, prior: Prior, index: float | None) -> None:
    """Refuse a prior that leaves no dose which the count leaves possible too (1 %)."""
    if prior == FLAT:
        return
    gray = np.concatenate([[0.0], np.geomspace(1e-4, HIGHEST_GY, 20_000)])
    worth = 1.0 if index is None else 1 / index
    mean, variance = yield_at(gray, known.coefficients), yield_error(gray, known.covariance) ** 2
    count = count_log(spread.aberrations * worth, spread.cells * worth, mean, variance)
    before = prior.log_weight(gray)
    if (count - count.max() + before - before.max()).max() < -chi2_quantile(0.99, 1) / 2:
        raise CountsError(
            f"count and prior contradict each other: the count alone says {gray[count.argmax()]:.2f} Gy, which is as "
            f"good as impossible by the {prior.words}; choose another prior, or none"
        )


def check_holds(found: DoseLimits, name: str, curve: Curve) -> None:
    """Refuse limits that leave out their own estimate.

    Raises
    ------
    CountsError
        Coefficients and covariance of a published curve do not belong together, or a curve rests on so few
        counts that the likeliest dose lies far from the one at the measured yield.
    """
    slack = _ROUNDING * (1 + found.estimate)
    if not found.lower - slack <= found.estimate <= found.upper + slack:
        why = "do coefficients and errors of the curve belong together?"
        if curve.points:
            why = "the curve was fitted to too few counts for this method; try another one (--method)"
        raise CountsError(
            f"expected limits that hold the dose, got {found.lower:.2f} to {found.upper:.2f} Gy about "
            f"{found.estimate:.2f} Gy ({name}); {why}"
        )


def scatter(spread: Dispersion, disagreement: float = 0.0) -> float | None:
    """By how much the variance of the count exceeds Poisson's; None where nothing says so.

    The dispersion index where u > 1.96, and the variance over sampled ensembles in parts of the
    count's own.
    """
    index = spread.index if spread.overdispersed else 1.0
    index += disagreement**2 / max(spread.aberrations, 1)
    return index if index > 1 else None


def _with_errors(spread: Dispersion, curve: Curve, settings: DoseSettings, errors: DetectorErrors) -> DoseLimits:
    """Dose of an automatic count on a curve counted by people."""
    if curve.detector:
        raise CountsError(
            f"the curve was counted by detector {curve.detector} and has absorbed its errors; "
            "give recall and false rate only with a curve scored manually"
        )
    known = curve.carried.protracted(settings.exposure.protraction)
    density = detector_density(
        spread.aberrations,
        spread.cells,
        known.coefficients,
        known.covariance,
        errors,
        index=scatter(spread, settings.disagreement),
    )
    check_mode(density.mode, spread, curve)
    lower, upper = density.likelihood_region()
    return DoseLimits(density.mode, lower, upper, spread.mean, spread.mean)


def _by_method(spread: Dispersion, curve: Curve, settings: DoseSettings) -> DoseLimits:
    """Limits by one of the methods; overdispersion widens the count's error where u > 1.96."""
    factor = settings.exposure.protraction
    known, coefficients = curve.carried.protracted(factor), curve.protracted(factor)
    if settings.method.startswith("merkle"):
        return replace(_merkle(spread, known, settings), estimate=dose_at(spread.mean, coefficients))
    index = scatter(spread, settings.disagreement)
    if settings.method == "delta":
        variance = spread.mean / spread.cells * index if index is not None else None
        return delta(spread.aberrations, spread.cells, coefficients, known.covariance, yield_variance=variance)
    density = calibrative_density(
        spread.aberrations, spread.cells, known.coefficients, known.covariance, prior=settings.prior, index=index
    )
    if settings.method == "bayes":
        _check_prior(spread, known, settings.prior, index)
    check_mode(density.mode, spread, curve)
    if settings.method == "bayes":
        return DoseLimits(density.mode, *density.hpd(), spread.mean, spread.mean)
    return DoseLimits(dose_at(spread.mean, coefficients), *density.likelihood_region(), spread.mean, spread.mean)


def _merkle(spread: Dispersion, known: Carried, settings: DoseSettings) -> DoseLimits:
    """Merkle's limits, by the rule of IAEA 2011 eq. 9 where the counts are overdispersed.

    That rule widens by half even where the index is 1; members that disagree take from the
    count's worth instead.
    """
    worth = 1 / (1 + settings.disagreement**2 / max(spread.aberrations, 1))
    return merkle(
        spread.aberrations * worth,
        spread.cells * worth,
        known.coefficients,
        known.covariance,
        level=0.83 if settings.method == "merkle" else 0.95,
        index=spread.index if spread.overdispersed else None,
    )


def as_few(spread: Dispersion, curve: Curve, errors: DetectorErrors | None) -> float:
    """Probability of no more dicentrics than these without any dose."""
    known = curve.carried
    mean, variance = float(yield_at(np.zeros(1), known.coefficients)[0]), float(known.covariance[0, 0])
    if errors is not None:
        mean = mean * errors.per_dicentric + errors.false_rate
        variance = variance * errors.per_dicentric**2 + (errors.false + 0.5) / errors.cells**2
    return float(count_up_to(spread.aberrations, spread.cells, np.array(mean), np.array(variance)))
