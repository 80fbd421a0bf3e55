"""Neutrons and gamma rays at once, of a known ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve
from cytally.dosimetry.curves.checks import check_counts
from cytally.dosimetry.curves.fit import dose_at
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.notes import assay_notes
from cytally.dosimetry.possible import check_held
from cytally.errors import CountsError
from cytally.types import FloatArray


def mixed_field(
    per_cell: float,
    neutron: FloatArray,
    gamma: FloatArray,
    gamma_over_neutron: float,
    *,
    backgrounds: str = "both",
) -> tuple[float, float]:
    """Doses of a criticality accident (IAEA 2011, 9.7.5.2; Fornalski 2014).

    Parameters
    ----------
    per_cell : float
        Dicentrics per cell.
    neutron, gamma : ndarray of shape (3,)
        Curves C, alpha, beta.
    gamma_over_neutron : float
        Ratio of the doses, known from physics.
    backgrounds : {"both", "mean"}
        Subtract both curves' backgrounds, as the manual prints it, or their mean:
        a person has one background.

    Returns
    -------
    (float, float)
        Neutron and gamma dose in Gy.

    Examples
    --------
    >>> doses = mixed_field(1.2, np.array([0.0005, 0.832, 0]), np.array([0.0005, 0.0164, 0.0492]), 1.5)
    >>> round(doses[0], 2), round(doses[1], 2)
    (1.21, 1.82)
    """
    first, second = _shares(gamma_over_neutron, backgrounds)
    together = first * np.asarray(neutron, dtype=float) + second * np.asarray(gamma, dtype=float)
    dose = dose_at(per_cell, together)
    return dose, gamma_over_neutron * dose


def _shares(ratio: float, backgrounds: str) -> tuple[FloatArray, FloatArray]:
    """By how much C, alpha and beta of the neutrons and of the gamma rays enter the curve of both."""
    if backgrounds not in ("both", "mean"):
        raise CountsError(f'expected backgrounds "both" or "mean", got {backgrounds!r}')
    if not 0 <= ratio < float("inf"):
        raise CountsError(f"expected a finite ratio >= 0, got {ratio}")
    once = 1.0 if backgrounds == "both" else 0.5
    return np.array([once, 1.0, 1.0]), np.array([once, ratio, ratio**2])


def mixed_limits(
    aberrations: int,
    cells: int,
    neutron: tuple[FloatArray, FloatArray],
    gamma: tuple[FloatArray, FloatArray],
    gamma_over_neutron: float,
    *,
    backgrounds: str = "both",
) -> tuple[float, float]:
    """95 % limits of the neutron dose that carry the count's error and that of both curves.

    Parameters
    ----------
    aberrations, cells : int
    neutron, gamma : (ndarray of shape (3,), ndarray of shape (3, 3))
        Coefficients and covariance of each curve; the two were measured independently.
    gamma_over_neutron, backgrounds
        As in `mixed_field`; the ratio is taken as exact, so that the gamma dose has the limits times it.

    Notes
    -----
    Both fields together follow one curve in the neutron dose, with coefficients S_n b_n + S_g b_g and covariance
    S_n V_n S_n + S_g V_g S_g, S_n = diag(1, 1, 1), S_g = diag(1, r, r^2). The limits are those of the
    likelihood ratio on it (as for every other dose).
    """
    first, second = _shares(gamma_over_neutron, backgrounds)
    together = first * neutron[0] + second * gamma[0]
    covariance = np.outer(first, first) * neutron[1] + np.outer(second, second) * gamma[1]
    return calibrative_density(aberrations, cells, together, covariance).likelihood_region()


@dataclass(frozen=True)
class MixedField:
    """Neutron and gamma dose, Gy: estimate and 95 % limits that carry the count's error and both curves'.

    Attributes
    ----------
    neutron, gamma : (float, float, float)
        Estimate, lower and upper limit.
    exact : tuple of str
        Which of the curves state no error, so that none is carried.
    notes : tuple of str
        What the curves leave in doubt.
    """

    neutron: tuple[float, float, float]
    gamma: tuple[float, float, float]
    exact: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def criticality(
    dicentrics: int,
    cells: int,
    neutron: Curve,
    gamma: Curve,
    gamma_over_neutron: float,
    backgrounds: str = "both",
) -> MixedField:
    """Doses of neutrons and gamma rays of a known ratio (IAEA 2011, 9.7.5.2).

    Parameters
    ----------
    dicentrics, cells : int
    neutron, gamma : Curve
    gamma_over_neutron : float
        Ratio of the doses, from physics.
    backgrounds : {"both", "mean"}
        As in `mixed_field`.

    Raises
    ------
    CountsError
        Impossible counts, a ratio that is none, or a curve of something else than dicentrics.
    """
    check_held(dicentrics, cells, DICENTRICS)
    for name, curve in (("neutron", neutron), ("gamma", gamma)):
        check_counts(curve.aberration, DICENTRICS, f"a {name} curve")
    estimate, _ = mixed_field(
        dicentrics / cells,
        neutron.coefficients,
        gamma.coefficients,
        gamma_over_neutron,
        backgrounds=backgrounds,
    )
    lower, upper = mixed_limits(
        dicentrics,
        cells,
        (neutron.carried.coefficients, neutron.carried.covariance),
        (gamma.carried.coefficients, gamma.carried.covariance),
        gamma_over_neutron,
        backgrounds=backgrounds,
    )
    both = (("neutron", neutron), ("gamma", gamma))
    ratio = gamma_over_neutron
    said = [
        f"{name}: {note}"
        for (name, curve), times in zip(both, (1.0, ratio), strict=True)
        for note in assay_notes(times * estimate, times * upper, curve)
    ]
    return MixedField(
        (estimate, lower, upper),
        (ratio * estimate, ratio * lower, ratio * upper),
        tuple(name for name, curve in both if not curve.covariance.any()),
        tuple(said),
    )
