"""Part of the body exposed, whatever the dispersion says: contaminated Poisson by profile likelihood.

Of the scored cells a fraction f was irradiated and holds Poisson aberrations of mean m1, the others
hold background of mean m0. Dose, f and the fraction F of the body are all estimated from the
distribution over cells, with limits where the likelihood, at its best over everything else, falls
short of its maximum by half a chi2 quantile (Venzon and Moolgavkar 1988). That needs no test on u:
where the counts are Poisson, f = 1 lies within its limits, and the dose reaches down to that of the
whole body.

m1 = R (Y(D) - C) + m0 and m0 = R C + false; R = 1 and no false ones for counts by manual scoring. The curve's
own error and that of R enter as a normal error of m1, that of m0 as a Gamma one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from cytally.dosimetry.curves.fit import HIGHEST_GY, yield_at, yield_error
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.partial_body import Estimate, PartialBody, surviving
from cytally.statistics.distributions import chi2_quantile
from cytally.types import FloatArray, IntArray

_ERRORS = np.linspace(-3, 3, 13)
_BACKGROUNDS = np.linspace(-2, 2, 5)
_FIRST, _FINE, _HALVINGS = 90, 50, 20
#: Fractions at which the likelihood is asked, denser where they are small.
_SHARES = np.concatenate([[0.0], np.geomspace(1e-3, 0.08, 16), np.linspace(0.1, 1, 46)])
#: A tail of the likelihood that no limit reaches.
_ALIVE = 4.0


@dataclass(frozen=True)
class _Model:
    """Means per cell and what is known of them.

    Attributes
    ----------
    slope : ndarray of shape (3,)
        Coefficients of R (Y - C).
    covariance : ndarray of shape (3, 3)
        Of these.
    relative : float
        Variance of R / R^2.
    background, variance : float
        Of m0.
    """

    slope: FloatArray
    covariance: FloatArray
    relative: float
    background: float
    variance: float

    def mean(self, dose: FloatArray) -> FloatArray:
        """m1 - m0 at doses (n,)."""
        return yield_at(dose, self.slope)

    def error(self, dose: FloatArray) -> FloatArray:
        """Its standard error, (n,)."""
        own = yield_error(dose, self.covariance) ** 2
        return np.sqrt(own + self.relative * self.mean(dose) ** 2)

    def backgrounds(self) -> tuple[FloatArray, FloatArray]:
        """Values of m0, and by how much each lowers the log likelihood."""
        if self.variance <= 0 or self.background <= 0:
            return np.array([max(self.background, 1e-12)]), np.zeros(1)
        shape = self.background**2 / self.variance
        ratio = np.exp(_BACKGROUNDS / np.sqrt(shape))
        return self.background * ratio, shape * (ratio - 1 - np.log(ratio))


def _model(coefficients: FloatArray, covariance: FloatArray, errors: DetectorErrors | None) -> _Model:
    rate, relative, false, false_variance = 1.0, 0.0, 0.0, 0.0
    if errors is not None:
        nodes_false, nodes_rate = errors.moments()
        (false, false_variance), (rate, variance) = nodes_false, nodes_rate
        relative = variance / rate**2
    slope, own = rate * coefficients, rate**2 * covariance
    slope[0] = own[0, :] = own[:, 0] = 0
    background = float(rate * coefficients[0] + false)
    return _Model(slope, own, relative, background, float(rate**2 * covariance[0, 0] + false_variance))


@dataclass(frozen=True)
class _Likelihood:
    """Log likelihood of a distribution over cells for all means that are looked at.

    Attributes
    ----------
    counts, k : ndarray of shape (classes,)
        Cells, and the aberrations in each of them; classes without a cell left out.
    """

    counts: FloatArray
    k: FloatArray

    @staticmethod
    def of(distribution: IntArray) -> _Likelihood:
        """Of cells with 0, 1, 2, ... aberrations."""
        counts = np.asarray(distribution, dtype=float)
        k = np.flatnonzero(counts)
        return _Likelihood(counts[k], k.astype(float))

    def parts(self, exposed: FloatArray, silent: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Probabilities of each class among exposed cells and among others, over that of the likelier."""
        logs = [special.xlogy(self.k, m[..., None]) - m[..., None] for m in (exposed, silent)]
        top = np.maximum(*logs)
        scale = ((top - special.gammaln(self.k + 1)) * self.counts).sum(axis=-1)
        return np.stack([np.exp(log - top) for log in logs]), scale

    def at(self, parts: tuple[FloatArray, FloatArray], share: FloatArray) -> FloatArray:
        """Log likelihood where a share of the cells was exposed; all broadcast."""
        (one, other), scale = parts
        mixed = share[..., None] * one + (1 - share)[..., None] * other
        return np.asarray((self.counts * np.log(np.maximum(mixed, 1e-300))).sum(axis=-1) + scale)

    def best_share(self, parts: tuple[FloatArray, FloatArray]) -> FloatArray:
        """The share at which it is largest: it is concave, so that halving finds it."""
        (one, other), scale = parts
        low, high = np.zeros_like(scale), np.ones_like(scale)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            mixed = middle[..., None] * one + (1 - middle)[..., None] * other
            rises = (self.counts * (one - other) / np.maximum(mixed, 1e-300)).sum(axis=-1) > 0
            low, high = np.where(rises, middle, low), np.where(rises, high, middle)
        return np.where(high > 1 - 1e-6, 1.0, (low + high) / 2)


def contaminated(
    distribution: IntArray,
    coefficients: FloatArray,
    covariance: FloatArray,
    *,
    d0_gy: float,
    level: float = 0.95,
    errors: DetectorErrors | None = None,
) -> PartialBody | None:
    """Dose and fractions of a partial exposure with profile-likelihood limits.

    Parameters
    ----------
    distribution : ndarray of shape (k + 1,)
        Cells with 0, 1, ..., k aberrations.
    coefficients, covariance : ndarray of shape (3,) and (3, 3)
        Of the curve; of a protracted exposure its `protracted` one.
    d0_gy : float
        Dose that leaves 37 % of the cells able to divide.
    level : float
    errors : DetectorErrors, optional
        For automatic counts on a curve that people counted.

    Returns
    -------
    PartialBody or None
        None where the cells hold no more than background, or the best dose is beyond `HIGHEST_GY`.
        Standard errors are NaN, as the limits are not symmetric; an upper limit of dose is infinite where
        none is excluded.
    """
    likelihood = _Likelihood.of(distribution)
    model = _model(np.asarray(coefficients, float), np.asarray(covariance, float), errors)
    if likelihood.counts @ likelihood.k <= model.background * likelihood.counts.sum():
        return None
    dose, share = _estimate(likelihood, model)
    if not dose < 0.99 * HIGHEST_GY:
        return None
    reach = float(chi2_quantile(level, 1)) / 2
    grid = _alive(likelihood, model, dose)
    surface = _surface(likelihood, model, grid)
    by_dose = _profile(likelihood, surface, None)
    by_share = np.array([_profile(likelihood, surface, np.full(len(grid), f)).max() for f in _SHARES])
    by_body = np.array([_profile(likelihood, surface, _share_for(body, grid, d0_gy)).max() for body in _SHARES])
    top = max(by_dose.max(), by_share.max(), by_body.max())
    low, high = _within(grid, by_dose, top - reach)
    limits = (low, float("inf") if high >= HIGHEST_GY else high)
    rate = float(model.mean(np.array(dose))) + model.background
    return PartialBody(
        _rate(likelihood, model, rate, reach),
        _bounded(share, _within(_SHARES, by_share, top - reach)),
        _bounded(dose, limits),
        _bounded(surviving(share, dose, d0_gy)[0], _within(_SHARES, by_body, top - reach)),
    )


def _bounded(value: float, limits: tuple[float, float]) -> Estimate:
    return Estimate(value, float("nan"), min(limits[0], value), max(limits[1], value))


def _estimate(likelihood: _Likelihood, model: _Model) -> tuple[float, float]:
    """The likeliest dose and share."""
    silent = np.array([max(model.background, 1e-12)])

    def profile(doses: FloatArray) -> tuple[FloatArray, FloatArray]:
        """At each dose the log likelihood of the best share, and that share."""
        exposed = model.mean(doses) + silent
        parts = likelihood.parts(exposed, np.broadcast_to(silent, exposed.shape))
        share = likelihood.best_share(parts)
        return likelihood.at(parts, share), share

    scan = np.geomspace(1e-3, HIGHEST_GY, 300)
    best = int(profile(scan)[0].argmax())
    ends = scan[max(best - 1, 0)], scan[min(best + 1, len(scan) - 1)]
    found = optimize.minimize_scalar(
        lambda d: -float(profile(np.array([d]))[0][0]), bounds=ends, method="bounded", options={"xatol": 1e-7}
    )
    return float(found.x), float(profile(np.array([found.x]))[1][0])


def _alive(likelihood: _Likelihood, model: _Model, dose: float) -> FloatArray:
    """Doses that the counts do not exclude, as a grid that holds the best of them."""
    low, high = 1e-3, HIGHEST_GY
    for count in (_FIRST, _FINE):
        grid = np.geomspace(low, high, count)
        profile = _profile(likelihood, _surface(likelihood, model, grid), None)
        alive = np.flatnonzero(profile > profile.max() - _ALIVE)
        low, high = grid[max(alive[0] - 1, 0)], grid[min(alive[-1] + 1, count - 1)]
    return np.unique(np.append(np.geomspace(low, high, _FINE), dose))


Surface = tuple[tuple[FloatArray, FloatArray], FloatArray]


def _surface(likelihood: _Likelihood, model: _Model, grid: FloatArray) -> Surface:
    """Probabilities over (doses, errors of m1, m0), and what errors and m0 cost, (errors, m0)."""
    silent, cost = model.backgrounds()
    error = model.error(grid)[:, None, None] * _ERRORS[:, None]
    exposed = np.maximum(model.mean(grid)[:, None, None] + error, 0) + silent
    parts = likelihood.parts(exposed, np.broadcast_to(silent, exposed.shape))
    return parts, _ERRORS[:, None] ** 2 / 2 + cost


def _profile(likelihood: _Likelihood, surface: Surface, share: FloatArray | None) -> FloatArray:
    """Log likelihood at each dose, at its best over all else; with a share given for each dose, at that."""
    parts, cost = surface
    known = likelihood.best_share(parts) if share is None else share[:, None, None]
    return np.asarray((likelihood.at(parts, known) - cost).max(axis=(1, 2)))


def _share_for(body: float, dose: FloatArray, d0_gy: float) -> FloatArray:
    """The share of the scored cells that a fraction of the body leaves, as the dose kills."""
    alive = np.exp(-dose / d0_gy)
    return np.asarray(body * alive / (body * alive + (1 - body)))


def _within(at: FloatArray, log: FloatArray, floor: float) -> tuple[float, float]:
    """Where a profile lies above a height, interpolated."""
    inside = np.flatnonzero(log >= floor)
    if not inside.size:
        best = int(log.argmax())
        return float(at[best]), float(at[best])
    ends = []
    for here, step in ((int(inside[0]), -1), (int(inside[-1]), 1)):
        there = here + step
        if not 0 <= there < len(at):
            ends.append(float(at[here]))
            continue
        share = (log[here] - floor) / (log[here] - log[there])
        ends.append(float(at[here] + share * (at[there] - at[here])))
    return ends[0], ends[1]


def _rate(likelihood: _Likelihood, model: _Model, rate: float, reach: float) -> Estimate:
    """Yield of the exposed cells with the limits that the counts alone give."""
    silent = max(model.background, 1e-12)
    rates = np.unique(np.append(np.geomspace(silent * 1.001 + 1e-6, max(20 * rate, 1.0), 400), rate))
    parts = likelihood.parts(rates, np.full_like(rates, silent))
    profile = likelihood.at(parts, likelihood.best_share(parts))
    return _bounded(rate, _within(rates, profile, float(profile.max()) - reach))
