"""Do two experts say the same?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytally.types import FloatArray, IntArray


def agreement_matrix(first: Sequence[int], second: Sequence[int]) -> IntArray:
    """How often one said i and the other j (Salomon-Sorensen 2023, tables 6.5-6.6).

    Examples
    --------
    >>> agreement_matrix([0, 1, 1], [0, 1, 0]).tolist()
    [[1, 0], [1, 1]]
    """
    top = max([*first, *second], default=0) + 1
    table = np.zeros((top, top), int)
    np.add.at(table, (np.asarray(first, int), np.asarray(second, int)), 1)
    return table


def cohen_kappa(table: IntArray, weights: str = "none") -> float:
    """Agreement beyond chance of two raters (Cohen 1960, 1968).

    Parameters
    ----------
    table : ndarray of int, shape (k, k)
    weights : {"none", "linear", "quadratic"}
        How a difference of two or more steps counts against one.

    Returns
    -------
    float
        1 for full agreement, 0 for chance; NaN where both always said one and the same.
    """
    share = np.asarray(table, float)
    share = share / max(share.sum(), 1.0)
    steps = np.abs(np.subtract.outer(np.arange(len(share)), np.arange(len(share)))).astype(float)
    cost = {"none": (steps > 0).astype(float), "linear": steps, "quadratic": steps**2}[weights]
    chance = float((cost * np.outer(share.sum(axis=1), share.sum(axis=0))).sum())
    return 1 - float((cost * share).sum()) / chance if chance else float("nan")


def krippendorff_alpha(ratings: FloatArray, measure: str = "interval") -> float:
    """Krippendorff's alpha for any number of raters, with missing values.

    Parameters
    ----------
    ratings : ndarray of shape (raters, units)
        NaN where a rater did not judge.
    measure : {"nominal", "interval"}
        Difference of two values: whether they differ, or their squared distance.

    Returns
    -------
    float
        1 - observed / expected disagreement; NaN where nothing could disagree.

    Notes
    -----
    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability: units judged by one rater
    only are left out; pairs within a unit weigh 1 / (m - 1).
    """
    values = np.asarray(ratings, float)
    told = values[:, np.isfinite(values).sum(axis=0) > 1]
    units = [column[np.isfinite(column)] for column in told.T]
    everyone = np.concatenate(units) if units else np.zeros(0)
    if len(everyone) < 2:
        return float("nan")
    observed = sum(_disagreement(unit, measure) / (len(unit) - 1) for unit in units) / len(everyone)
    expected = _disagreement(everyone, measure) / (len(everyone) * (len(everyone) - 1))
    return 1 - observed / expected if expected else float("nan")


def _disagreement(values: FloatArray, measure: str) -> float:
    """Sum over ordered pairs."""
    gap = np.subtract.outer(values, values)
    return float((gap**2).sum() if measure == "interval" else (gap != 0).sum())
