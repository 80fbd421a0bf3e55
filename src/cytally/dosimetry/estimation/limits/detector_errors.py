"""Doses from automatic counts on a curve that people counted: the detector's own errors carried along.

A detector finds a fraction r of the dicentrics and adds f false ones per cell, so
that the count of N cells is Poisson with mean N (r Y(D) + f). Where a fragment elsewhere
in the cell counts as evidence, or is asked for, false dicentrics also become more frequent
with dose, as fragments do: h more for every true dicentric, so that the mean is
N ((r + h) Y(D) + f). All are known only from a validation set: r from dicentrics found and
missed, f from false ones in so many cells without aberrations, h from false ones in exposed cells.
Their posteriors (Beta and Gamma, Jeffreys' priors) are integrated out over a grid of their
quantiles (Gauss-Legendre); the curve's error enters as in `bayes`.

A curve fitted to counts of the same detector has absorbed r and f, and needs none
of this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.curves.fit import dose_at, yield_at, yield_error
from cytally.dosimetry.estimation.limits.calibrative import Posterior, growing, trace
from cytally.dosimetry.estimation.limits.counting import count_below, count_log, count_up_to_log
from cytally.errors import CountsError
from cytally.statistics.distributions import beta_quantile, gamma_quantile
from cytally.types import FloatArray

_NODES = 15
_POINTS = 601
#: Gauss and Legendre's: few levels, but the tails among them, which equally likely ones leave out.
_ROOTS, _SHARES = np.polynomial.legendre.leggauss(_NODES)
_LEVELS, WEIGHTS = (_ROOTS + 1) / 2, _SHARES / 2


@dataclass(frozen=True)
class DetectorErrors:
    """What a validation set says about a detector.

    Attributes
    ----------
    found, missed : int
        True dicentrics of the validation set.
    false, cells : int
        False detections, and the cells without aberrations in which they were counted.
    beside, exposed : int
        False detections in the cells that hold the `found + missed` dicentrics, and the number
        of these cells; 0 cells where false detections were not counted there, and are taken to
        be as many at any dose.
    """

    found: int
    missed: int
    false: int
    cells: int
    beside: int = 0
    exposed: int = 0

    def __post_init__(self) -> None:
        counts = (self.found, self.missed, self.false, self.beside, self.exposed)
        if min(counts) < 0 or self.cells < 1 or self.found + self.missed < 1:
            raise CountsError(
                "expected dicentrics found and missed (at least one) and false detections in at least one cell, "
                f"got {self.found}, {self.missed}, {self.false} in {self.cells} cells"
            )
        if not self.found:
            raise CountsError(
                f"expected at least one dicentric found, got 0 found and {self.missed} missed: the counts of such a "
                "detector say nothing of a dose"
            )
        for false, cells in ((self.false, self.cells), (self.beside, self.exposed)):
            if cells and false > cells:
                raise CountsError(
                    f"expected fewer false detections than cells, got {false} in {cells} cells; were the two interchanged?"
                )
        if self.beside and not self.exposed:
            raise CountsError(
                f"expected the number of exposed cells in which {self.beside} false detections lie, got 0"
            )

    @property
    def recall(self) -> float:
        """Mean of the posterior of r."""
        return (self.found + 0.5) / (self.found + self.missed + 1)

    @property
    def false_rate(self) -> float:
        """Mean of the posterior of f, per cell."""
        return (self.false + 0.5) / self.cells

    @property
    def per_dicentric(self) -> float:
        """Detections per true dicentric: r + h."""
        if not self.exposed:
            return self.recall
        more = (self.beside + 0.5 - self.false_rate * self.exposed) / (self.found + self.missed)
        return self.recall + max(more, 0.0)

    def moments(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Mean and variance of f, and of r + h."""
        false, rate = self.nodes()
        weights = np.outer(WEIGHTS, WEIGHTS)
        mean, middle = float(WEIGHTS @ false), float((weights * rate).sum())
        return (
            (mean, float(WEIGHTS @ (false - mean) ** 2)),
            (middle, float((weights * (rate - middle) ** 2).sum())),
        )

    def nodes(self) -> tuple[FloatArray, FloatArray]:
        """Values of f, (n,), and for each those of r + h, (n, n); `WEIGHTS` says how likely each is.

        Where many of the false ones in exposed cells are those of any cell, few are left for h.
        """
        recall = beta_quantile(_LEVELS, self.found + 0.5, self.missed + 0.5)
        false = np.asarray(gamma_quantile(_LEVELS, self.false + 0.5) / self.cells)
        if not self.exposed:
            return false, np.tile(recall, (_NODES, 1))
        beside = np.asarray(gamma_quantile(_LEVELS, self.beside + 0.5))
        more = np.maximum(beside - false[:, None] * self.exposed, 0.0) / (self.found + self.missed)
        return false, np.array([_quantiles_of_sum(recall, one) for one in more])


def _quantiles_of_sum(first: FloatArray, second: FloatArray) -> FloatArray:
    """Nodes of the sum of two independent quantities that are known by theirs."""
    total, weight = np.add.outer(first, second).ravel(), np.outer(WEIGHTS, WEIGHTS).ravel()
    order = np.argsort(total, kind="stable")
    reached = np.cumsum(weight[order]) - weight[order] / 2
    return np.interp(_LEVELS, reached, total[order])


def detector_density(
    aberrations: int,
    cells: int,
    coefficients: FloatArray,
    covariance: FloatArray,
    errors: DetectorErrors,
    *,
    index: float | None = None,
) -> Posterior:
    """Density of the dose given an automatic count and a curve counted by people.

    Parameters
    ----------
    aberrations, cells : int
        As the detector counted them.
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
        Of the curve; of a protracted exposure its `protracted` one.
    errors : DetectorErrors
    index : float, optional
        By how much the variance of the count exceeds Poisson's, as in `calibrative_density`.

    Returns
    -------
    Posterior
        Under a flat prior on the dose.
    """
    worth = 1.0 if index is None else 1 / index
    count, among = aberrations * worth, cells * worth
    false, recall = errors.nodes()

    def moments(dose: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of the count per cell for each r + h and f, (n, n, doses)."""
        mean = recall[:, :, None] * yield_at(dose, coefficients) + false[:, None, None]
        return mean, (recall[:, :, None] * yield_error(dose, covariance)) ** 2

    log_density = growing(
        lambda dose: _mean_log(count_log(count, among, *moments(dose))),
        lambda dose: _mean_log(count_up_to_log(count, among, *moments(dose))),
    )

    def below(dose: FloatArray) -> FloatArray:
        """Probability of a lower count and half that of this one."""
        each = count_below(count, among, *moments(dose))
        return np.asarray(np.einsum("i,j,ijk->k", WEIGHTS, WEIGHTS, each))

    return Posterior(*trace(log_density, _POINTS), below)


def point_dose(aberrations: int, cells: int, coefficients: FloatArray, errors: DetectorErrors) -> float:
    """Dose at which the detector is expected to count just this: Y = (X / N - f) / (r + h)."""
    per_cell = (aberrations / cells - errors.false_rate) / errors.per_dicentric
    return dose_at(per_cell, coefficients)


def _mean_log(log: FloatArray) -> FloatArray:
    """Log of the mean probability over r + h and f, at each dose (n,)."""
    top = log.max(axis=(0, 1))
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.einsum("i,j,ijk->k", WEIGHTS, WEIGHTS, np.exp(log - top))) + top)
