"""Comparing laboratories: robust mean and scatter, z scores (ISO 13528, IAEA 2011 Annex VII)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import optimize, stats

from cytally.errors import CountsError
from cytally.types import FloatArray

#: Values without which no robust scatter is estimated.
FEWEST = 3


@dataclass(frozen=True)
class Robust:
    """Mean and standard deviation that outliers hardly move."""

    location: float
    scale: float


def algorithm_a(values: FloatArray) -> Robust:
    """Algorithm A: values beyond 1.5 s are drawn in, mean and s taken anew (ISO 13528, C.3).

    Examples
    --------
    >>> found = algorithm_a(np.array([0.7, 0.75, 0.8, 0.85, 0.9, 1.5]))
    >>> round(found.location, 2)
    0.84
    """
    x = _enough(values)
    at, scale = float(np.median(x)), float(stats.median_abs_deviation(x, scale="normal"))
    inside = 2 * stats.norm.cdf(1.5) - 1
    correction = 1 / np.sqrt(inside + (1 - inside) * 1.5**2 - 2 * 1.5 * stats.norm.pdf(1.5))
    for _ in range(1000):
        drawn = np.clip(x, at - 1.5 * scale, at + 1.5 * scale)
        new, spread = float(drawn.mean()), float(correction * drawn.std(ddof=1))
        if abs(new - at) + abs(spread - scale) < 1e-12 * max(abs(at), 1e-12):
            break
        at, scale = new, spread
    return Robust(at, scale)


def algorithm_b(values: FloatArray) -> Robust:
    """Algorithm B: logistic M-estimates (Rousseeuw and Verboven 2002, eq. 20-28).

    Location solves sum tanh((x - T) / 2 s0) = 0; scale solves
    mean tanh^2((x - median) / 2 b s) = beta with 50 % breakdown.
    """
    x = _enough(values)
    middle = float(np.median(x))
    start = float(stats.median_abs_deviation(x, scale="normal")) * np.sqrt((len(x) - 1) / (len(x) - 1.5))
    if start == 0:
        return Robust(middle, 0.0)
    at = optimize.brentq(lambda t: np.tanh((x - t) / (2 * start)).sum(), x.min() - start, x.max() + start)
    b, beta = 0.3739, 0.500038854875226

    def excess(log_scale: float) -> float:
        return float((np.tanh((x - middle) / (2 * b * np.exp(log_scale))) ** 2).mean() - beta)

    around = np.log(start)
    if excess(around - 12) < 0:  # so many values coincide that no scale is wide enough
        return Robust(float(at), 0.0)
    return Robust(float(at), float(np.exp(optimize.brentq(excess, around - 12, around + 12))))


def q_hampel(values: FloatArray) -> Robust:
    """Q method for the scatter, Hampel's estimator for the mean (ISO 13528, C.5)."""
    x = _enough(values)
    scale = _q_scale(x)
    if scale == 0:
        return Robust(float(np.median(x)), 0.0)
    nodes = np.sort((x[:, None] + scale * np.array([-4.5, -3, -1.5, 1.5, 3, 4.5])).ravel())
    height = _hampel((x[None] - nodes[:, None]) / scale).sum(axis=1)
    roots = [float(n) for n, h in zip(nodes, height, strict=True) if h == 0]
    for (n0, h0), (n1, h1) in pairwise(zip(nodes, height, strict=True)):
        if h0 * h1 < 0:
            roots.append(float(n0 - h0 * (n1 - n0) / (h1 - h0)))
    middle = float(np.median(x))
    return Robust(min(roots, key=lambda r: abs(r - middle)) if roots else middle, scale)


def _q_scale(x: FloatArray) -> float:
    """Quantile of all differences between laboratories, interpolated (ISO 13528, C.5.2)."""
    first, second = np.triu_indices(len(x), 1)
    differences = np.abs(x[first] - x[second])
    differences[differences < 1e-12 * np.abs(x).max()] = 0.0  # 0.1 + 0.2 is 0.3
    steps = np.unique(differences)  # not rounded: the reference programs do not either
    share = np.array([(differences <= step).mean() for step in steps])
    same = float((differences == 0).mean())
    if steps[0] == 0:
        steps, share = steps[1:], share[1:]
    if not steps.size:
        return 0.0
    before = np.concatenate([[same], share[:-1]])
    middle = np.concatenate([[0.0], 0.5 * (share + before)])
    middle[1] = 0.5 * share[0]
    quantile = float(np.interp(0.25 + 0.75 * same, middle, np.concatenate([[0.0], steps])))
    return quantile / float(np.sqrt(2) * stats.norm.ppf(0.625 + 0.375 * same))


def _hampel(q: FloatArray) -> FloatArray:
    """Hampel's psi: straight to 1.5, flat to 3, falling to 0 at 4.5."""
    size = np.abs(q)
    return np.asarray(np.sign(q) * np.clip(np.minimum(size, np.minimum(1.5, 4.5 - size)), 0, None))


ALGORITHMS: dict[str, Callable[[FloatArray], Robust]] = {
    "A": algorithm_a,
    "B": algorithm_b,
    "QHampel": q_hampel,
}


def z_scores(values: FloatArray, *, reference: float | None = None, algorithm: str = "A") -> FloatArray:
    """Deviation of each laboratory in robust standard deviations.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Doses, or frequencies of aberrations.
    reference : float, optional
        The physical dose; without it the robust mean, which adds its own uncertainty
        1.25 s / sqrt(n) (IAEA 2011, eq. VII-1 and VII-2).
    algorithm : {"A", "B", "QHampel"}

    Raises
    ------
    CountsError
        Unknown algorithm, fewer than three values, or no scatter between them.
    """
    x = np.asarray(values, dtype=float)
    found = robust(x, algorithm)
    if coincide(x, found):
        raise CountsError("expected values that scatter; half of them or more coincide")
    centre = found.location if reference is None else reference
    extra = 1.25 * found.scale / np.sqrt(len(x)) if reference is None else 0.0
    return np.asarray((x - centre) / np.hypot(found.scale, extra))


def robust(values: FloatArray, algorithm: str = "A") -> Robust:
    """Robust mean and standard deviation by one of the algorithms; errors as of `z_scores`."""
    if algorithm not in ALGORITHMS:
        raise CountsError(f"unknown algorithm {algorithm!r}; expected one of {', '.join(ALGORITHMS)}")
    return ALGORITHMS[algorithm](np.asarray(values, dtype=float))


def coincide(values: FloatArray, found: Robust) -> bool:
    """Whether so many values are one and the same that their robust scatter is 0, but for rounding."""
    return found.scale <= 1e-9 * float(np.abs(values).max(initial=0.0))


def verdict(z: float) -> str:
    """Satisfactory to 2, questionable to 3, unsatisfactory beyond (ISO 13528)."""
    size = abs(z)
    return "satisfactory" if size <= 2 else "questionable" if size < 3 else "unsatisfactory"


def _enough(values: FloatArray) -> FloatArray:
    x = np.asarray(values, dtype=float)
    if x.ndim != 1 or len(x) < FEWEST or not np.isfinite(x).all():
        raise CountsError(f"expected at least three finite values, got {x.tolist()}")
    return x
