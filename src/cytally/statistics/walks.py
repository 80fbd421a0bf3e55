"""Paths through many dimensions, and what a path without any aim looks like beside them.

The principal components of a random walk in many dimensions are cosines with fixed shares of the
variance, 6 / (pi^2 k^2) for the k-th (Antognini and Sohl-Dickstein, NeurIPS 2018): a smooth curve in
the plane of the first two is no sign of learning. So every path is held against its twin, a walk of
as many steps of the same sizes in directions drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytally.types import FloatArray

#: Columns of a long path that are multiplied at a time.
_CHUNK = 65_536


@dataclass(frozen=True)
class Walk:
    """What a path of E points looks like from its own inner products.

    Attributes
    ----------
    sizes : ndarray of shape (E - 1,)
        Length of each step.
    cosines : ndarray of shape (E - 2,)
        Between successive steps; NaN beside a step of length 0.
    shares : ndarray of shape (E - 1,)
        Variance explained by each principal component of the points.
    scores : ndarray of shape (E, 2)
        Coordinates on the first two.
    straightness : float
        Distance from first to last point over the length of the path; NaN where nothing moved.
    """

    sizes: FloatArray
    cosines: FloatArray
    shares: FloatArray
    scores: FloatArray
    straightness: float


def walk_of(points: FloatArray) -> Walk:
    """Describe a path (E, D) of at least three points, D as large as it may be."""
    products = _products(points)
    steps = np.diff(np.diff(products, axis=0), axis=1)
    sizes = np.sqrt(np.maximum(np.diag(steps), 0.0))
    beside = sizes[1:] * sizes[:-1]
    cosines = np.divide(np.diag(steps, 1), beside, out=np.full(len(beside), np.nan), where=beside > 0)
    values, vectors = np.linalg.eigh(products)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    total, length = float(values.sum()), float(sizes.sum())
    across = float(np.sqrt(max(products[0, 0] + products[-1, -1] - 2 * products[0, -1], 0.0)))
    return Walk(
        sizes,
        cosines,
        values[:-1] / total if total > 0 else values[:-1],
        _upright(vectors[:, :2] * np.sqrt(values[:2])),
        across / length if length > 0 else float("nan"),
    )


def _products(points: FloatArray) -> FloatArray:
    """Inner products (E, E) of the points about their mean."""
    found = np.zeros((len(points), len(points)))
    for begin in range(0, points.shape[1], _CHUNK):
        part = np.asarray(points[:, begin : begin + _CHUNK], float)
        part = part - part.mean(axis=0)
        found += part @ part.T
    return found


def _upright(scores: FloatArray) -> FloatArray:
    """Components turned so that the path ends on their positive side."""
    return np.asarray(scores * np.where(scores[-1] < 0, -1.0, 1.0))


def random_steps(sizes: FloatArray, dimension: int, rng: np.random.Generator) -> FloatArray:
    """Steps of given lengths in directions without preference.

    Parameters
    ----------
    sizes : ndarray of shape (n,)
    dimension : int
        Of the space, however large.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n, min(n, dimension))
        In the space that the n steps span: their lengths and angles are distributed as in `dimension`
        dimensions, by Bartlett's decomposition of the Wishart distribution.
    """
    n = len(sizes)
    if dimension < n:
        drawn = rng.standard_normal((n, dimension))
    else:
        drawn = np.tril(rng.standard_normal((n, n)), -1)
        drawn[np.diag_indices(n)] = np.sqrt(rng.chisquare(dimension - np.arange(n)))
    lengths = np.linalg.norm(drawn, axis=1, keepdims=True)
    return np.asarray(drawn / lengths * np.asarray(sizes, float)[:, None])


@dataclass(frozen=True)
class Chance:
    """What random walks of the same step sizes give: mean and 5-95 % band over draws.

    Attributes
    ----------
    shares : ndarray of shape (3, K)
        Mean, lower and upper limit of each component's share.
    straightness, cosine : ndarray of shape (3,)
        The same of the straightness, and of the mean cosine of successive steps.
    """

    shares: FloatArray
    straightness: FloatArray
    cosine: FloatArray


def chance_of(sizes: FloatArray, dimension: int, *, draws: int = 200, seed: int = 0) -> Chance:
    """Random-walk twins of a path.

    Parameters
    ----------
    sizes : ndarray of shape (n,) or (n, m)
        Length of each step; of m points that walk side by side, each on its own.
    dimension : int
        Of the space in which each of them walks.
    draws, seed : int
    """
    rng = np.random.default_rng(seed)
    walks = [walk_of(random_walk(sizes, dimension, rng)) for _ in range(draws)]
    return Chance(
        _band(np.stack([walk.shares for walk in walks])),
        _band(np.array([walk.straightness for walk in walks])),
        _band(np.array([np.nanmean(walk.cosines) for walk in walks])),
    )


def random_walk(sizes: FloatArray, dimension: int, rng: np.random.Generator) -> FloatArray:
    """Points (n + 1, m d) of m random walks side by side, from 0; d as of `random_steps`."""
    together = np.asarray(sizes, float).reshape(len(sizes), -1)
    steps = np.concatenate([random_steps(column, dimension, rng) for column in together.T], axis=1)
    return np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])


def _band(values: FloatArray) -> FloatArray:
    return np.stack([values.mean(axis=0), *np.quantile(values, (0.05, 0.95), axis=0)])


def share_of_long_walk(component: int) -> float:
    """Share of the k-th component (from 1) of an endless random walk in endless dimensions: 6 / (pi^2 k^2)."""
    return float(6 / (np.pi * component) ** 2)
