"""How many of many doubtful things are real, without deciding about any of them.

A detector gives each candidate a score. In labelled cells scores of real and of false candidates are known, and with them how much
likelier each score is among the real ones. In a sample where aberrations are rarer or more frequent than they were there, the scores themselves
say how many are real: their mixture is fitted (Saerens, Latinne and Decaestecker 2002; extended likelihood, Barlow 1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from cytally.errors import SettingsError
from cytally.types import FloatArray

#: Scores nearer to 0 and 1 than this say no more.
_EDGE = 1e-6
#: Half of chi-squared with one degree of freedom at 95 %: how far the profile likelihood falls at a limit.
_FALL = 1.9207294103470


@dataclass(frozen=True)
class LikelihoodRatio:
    """How much likelier a score is among real candidates than among false ones.

    log ratio = constant + rising * log(s) - falling * log(1 - s): beta calibration (Kull, Silva Filho and Flach 2017), in
    which both slopes are at least 0, less the log odds of the labelled candidates.

    Attributes
    ----------
    rising, falling, constant : float
    """

    rising: float
    falling: float
    constant: float

    def of(self, scores: FloatArray) -> FloatArray:
        """Ratios (n,) of scores (n,) in [0, 1]."""
        safe = np.clip(scores, _EDGE, 1 - _EDGE)
        return np.asarray(np.exp(self.constant + self.rising * np.log(safe) - self.falling * np.log1p(-safe)))


def likelihood_ratio(scores: FloatArray, real: NDArray[np.bool_]) -> LikelihoodRatio:
    """Fit by maximum likelihood on labelled candidates.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        In [0, 1].
    real : ndarray of bool, shape (n,)

    Raises
    ------
    SettingsError
        No real or no false candidate, or scores that are none.
    """
    scores, real = np.asarray(scores, float), np.asarray(real, bool)
    if not real.any() or real.all():
        raise SettingsError(f"expected real and false candidates, got {real.sum()} real of {real.size}")
    if not ((scores >= 0) & (scores <= 1)).all():
        raise SettingsError("expected scores in [0, 1]")
    safe = np.clip(scores, _EDGE, 1 - _EDGE)
    evidence = np.stack([np.log(safe), -np.log1p(-safe)], axis=1)
    slopes, constant = _logistic(evidence, real)
    kept = slopes > 0
    if not kept.all():  # at most one slope can point the wrong way where scores say anything
        slopes = np.where(kept, slopes, 0.0)
        if kept.any():
            slopes[kept], constant = _logistic(evidence[:, kept], real)
        else:
            constant = float(np.log(real.mean() / (1 - real.mean())))
    odds = float(np.log(real.sum() / (~real).sum()))
    return LikelihoodRatio(float(slopes[0]), float(slopes[1]), constant - odds)


def _logistic(evidence: FloatArray, real: NDArray[np.bool_]) -> tuple[FloatArray, float]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-8).fit(evidence, real)
    return np.asarray(fitted.coef_[0], float), float(fitted.intercept_[0])


@dataclass(frozen=True)
class ExpectedYield:
    """Real things per cell, found or not, with 95 % limits from the profile likelihood.

    Attributes
    ----------
    value, lower, upper : float
        Per cell.
    false : float
        False candidates per cell.
    """

    value: float
    lower: float
    upper: float
    false: float


def expected_yield(ratio: FloatArray, cells: int, recall: float) -> ExpectedYield:
    """Real things per cell from the likelihood ratios of all candidates of a sample.

    Candidates are two Poisson processes: real ones at the yield times the recall, false ones at a rate of their own. The log likelihood
    -cells (r + b) + sum log(r ratio + b) is concave in both rates; at its maximum the share r / (r + b) is that to which
    Saerens' expectation maximisation converges.

    Parameters
    ----------
    ratio : ndarray of shape (n,)
        From `LikelihoodRatio.of`.
    cells : int
    recall : float
        Share of real things that become candidates at all.

    Raises
    ------
    SettingsError
        No cells, a recall outside (0, 1], or ratios that are none.
    """
    ratio = np.asarray(ratio, float)
    if cells < 1 or not 0 < recall <= 1:
        raise SettingsError(f"expected at least one cell and a recall above 0, at most 1, got {cells} and {recall}")
    if not (np.isfinite(ratio) & (ratio >= 0)).all():
        raise SettingsError("expected ratios of at least 0")
    rate = len(ratio) / cells
    found = real_share(ratio) * rate
    best = _profile(found, ratio, cells)

    def fallen(real: float) -> float:
        return best - _profile(real, ratio, cells) - _FALL

    lower = brentq(fallen, 0.0, found, xtol=1e-9) if found > 0 and fallen(0.0) > 0 else 0.0
    far = found + 1 / cells
    while fallen(far) < 0:
        far = found + 2 * (far - found)
    upper = brentq(fallen, found, far, xtol=1e-9)
    return ExpectedYield(found / recall, lower / recall, upper / recall, rate - found)


def real_share(ratio: FloatArray) -> float:
    """The share of real ones under which candidates with these ratios are likeliest; 0 without candidates.

    The root of sum (r - 1) / (1 + share (r - 1)), which falls in the share.

    Examples
    --------
    >>> round(real_share(np.array([9.0, 9.0, 0.1, 0.1])), 3)
    0.493
    """
    more = np.asarray(ratio, float) - 1
    if not len(more) or more.sum() <= 0:
        return 0.0

    def slope(share: float) -> float:
        return float((more / (1 + share * more)).sum())

    nearly = 1 - 1e-12
    return 1.0 if slope(nearly) >= 0 else float(brentq(slope, 0.0, nearly, xtol=1e-12))


def _profile(real: float, ratio: FloatArray, cells: int) -> float:
    """Log likelihood of a rate of real candidates, at the likeliest rate of false ones."""
    signal = real * ratio

    def slope(false: float) -> float:
        return float((1 / (signal + false)).sum()) - cells

    tiny = 1e-12
    false = 0.0
    if len(ratio) and slope(tiny) > 0:
        false = float(brentq(slope, tiny, len(ratio) / cells + tiny, xtol=1e-12))
    return float(np.log(np.maximum(signal + false, 1e-300)).sum()) - cells * (real + false)
