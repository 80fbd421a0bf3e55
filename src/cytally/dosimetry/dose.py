"""Counts and a curve -> Dose, in the words of the laboratory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.calibrate import Curve
from cytally.errors import CountsError
from cytally.statistics.intervals import DoseLimits, merkle
from cytally.statistics.poisson import Dispersion, dispersion
from cytally.types import Counts, IntArray

METHODS = {"merkle": 0.83, "merkle95": 0.95}


@dataclass(frozen=True)
class Dose:
    """Whole-body dose of one sample.

    Attributes
    ----------
    estimate, lower, upper : float
        Gy; limits of about 95 %.
    method : str
    cells, dicentrics : int
    dispersion : Dispersion or None
        Where the distribution over cells is known.
    warnings : tuple of str
        What a reader must know before acting on the number.
    """

    estimate: float
    lower: float
    upper: float
    method: str
    cells: int
    dicentrics: int
    dispersion: Dispersion | None = None
    warnings: tuple[str, ...] = ()

    @property
    def limits(self) -> str:
        """The limits in words: "0.56 to 0.92", or that there is no upper one."""
        upper = f"{self.upper:.2f}" if np.isfinite(self.upper) else "no upper limit"
        return f"{self.lower:.2f} to {upper}"

    def __str__(self) -> str:
        return (
            f"{self.estimate:.2f} Gy ({self.limits}, 95 %, {self.method}), "
            f"{self.cells} cells, {self.dicentrics} dicentrics"
        )


def dose(
    counts: Counts | IntArray, curve: Curve, *, method: str = "merkle", any_detector: bool = False
) -> Dose:
    """Whole-body dose with limits that carry Poisson and curve uncertainty.

    Parameters
    ----------
    counts : Counts, or the distribution of cells over 0, 1, 2, ... dicentrics
    curve : Curve
    method : {"merkle", "merkle95"}
        Confidence regions of 83 % each (together about 95 %), or of 95 % each.
    any_detector : bool
        Take counts of one detector on the curve of another.

    Raises
    ------
    CountsError
        No cell, unknown method, or counts and curve of different detectors.

    Examples
    --------
    The counts of IAEA 2011 section 9.7.3 on a curve without uncertainty of its own:

    >>> curve = Curve(np.array([0.00128, 0.02103, 0.06307]), np.zeros((3, 3)))
    >>> print(dose(np.array([475, 25]), curve))
    0.73 Gy (0.60 to 0.86, 95 %, Merkle), 500 cells, 25 dicentrics
    """
    if method not in METHODS:
        raise CountsError(f"unknown method {method!r}; expected one of {', '.join(METHODS)}")
    detector = counts.detector if isinstance(counts, Counts) else ""
    if detector != curve.detector and isinstance(counts, Counts) and not any_detector:
        raise CountsError(
            f"counts are by detector {detector or 'eye'}, the curve is for {curve.detector or 'counting by eye'}; "
            "fit a curve with the same detector and thresholds, or allow it with --any-detector"
        )
    distribution = counts.distribution("dicentric") if isinstance(counts, Counts) else np.asarray(counts)
    spread = dispersion(distribution)
    if spread.cells == 0:
        raise CountsError("expected at least one scored cell, got none")
    return _whole_body(spread, curve, method, with_spread=len(distribution) > 1)


def dose_from_totals(dicentrics: int, cells: int, curve: Curve, *, method: str = "merkle") -> Dose:
    """Dose from two totals, where the distribution over cells is not known."""
    if cells <= 0 or dicentrics < 0:
        raise CountsError(f"expected cells > 0 and dicentrics >= 0, got {cells} and {dicentrics}")
    if method not in METHODS:
        raise CountsError(f"unknown method {method!r}; expected one of {', '.join(METHODS)}")
    nan = float("nan")
    totals = Dispersion(cells, dicentrics, dicentrics / cells, nan, nan, nan)
    return _whole_body(totals, curve, method, with_spread=False)


def _whole_body(spread: Dispersion, curve: Curve, method: str, *, with_spread: bool) -> Dose:
    found = merkle(
        spread.aberrations, spread.cells, curve.coefficients, curve.covariance, level=METHODS[method]
    )
    name = "Merkle" if method == "merkle" else "Merkle 95/95"
    return Dose(
        found.estimate, found.lower, found.upper, name, spread.cells, spread.aberrations,
        spread if with_spread else None, tuple(_warnings(found, spread, curve)),
    )  # fmt: skip


def _warnings(found: DoseLimits, spread: Dispersion, curve: Curve) -> list[str]:
    said = []
    if found.estimate == 0:
        said.append("no more dicentrics than the curve's background: only the upper limit says something")
    elif found.lower == 0:
        said.append("not distinguishable from background: the lower limit is 0 Gy")
    if found.estimate > curve.highest_dose or found.upper > curve.highest_dose:
        said.append(f"beyond the calibrated range (up to {curve.highest_dose:g} Gy): extrapolated")
    if spread.overdispersed:
        said.append(f"overdispersed (u = {spread.u:.2f}): the exposure may have been partial or uneven")
    if spread.underdispersed:
        said.append(f"underdispersed (u = {spread.u:.2f}): were cells selected or aberrations overlooked?")
    return said
