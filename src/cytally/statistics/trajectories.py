"""Point clouds that a training moves: aligned, seen in one plane, compared and followed.

A cloud is a matrix (n, C) whose rows are the same places at every epoch. Spaces that differ by a
translation, a rotation and a scale hold the same thing, so these are taken out first (Procrustes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import orthogonal_procrustes
from scipy.special import entr

from cytally.errors import SettingsError
from cytally.types import FloatArray, IntArray

#: What clouds can be aligned to.
REFERENCES = ("first", "last", "generalised")
_ROUNDS, _STILL = 200, 1e-12


@dataclass(frozen=True)
class Similarity:
    """x -> scale (x - centre) R + target, for rows x.

    Attributes
    ----------
    centre, target : ndarray of shape (C,)
    rotation : ndarray of shape (C, C)
        Orthogonal; it may mirror.
    scale : float
        At least 0.
    """

    centre: FloatArray
    rotation: FloatArray
    scale: float
    target: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """Rows (n, C), moved."""
        return self.scale * (np.asarray(points, float) - self.centre) @ self.rotation + self.target


def procrustes(points: FloatArray, reference: FloatArray) -> Similarity:
    """The similarity that brings rows nearest to those of a reference, in squared distance.

    Parameters
    ----------
    points, reference : ndarray of shape (n, C)
        Rows matched.

    Notes
    -----
    Gower 1975; with X, Y centred and U S V^T = X^T Y the rotation is U V^T and the scale
    trace(S) / |X|^2. A cloud that is unlike the reference shrinks towards its middle; one
    whose rows are all equal has scale 0.

    Examples
    --------
    >>> square = np.array([[0, 0], [0, 1], [1, 1], [1, 0.0]])
    >>> move = procrustes(3 * square[:, ::-1] + 5, square)
    >>> bool(np.allclose(move(3 * square[:, ::-1] + 5), square)), round(move.scale, 3)
    (True, 0.333)
    """
    x, y = np.asarray(points, float), np.asarray(reference, float)
    centre, target = x.mean(axis=0), y.mean(axis=0)
    rotation, overlap = orthogonal_procrustes(x - centre, y - target)
    size = float(((x - centre) ** 2).sum())
    return Similarity(centre, rotation, float(overlap) / size if size > 0 else 0.0, target)


def alignments(clouds: Sequence[FloatArray], to: str = "last") -> list[Similarity]:
    """For each cloud (n, C) the similarity that aligns it.

    Parameters
    ----------
    clouds : sequence of ndarray of shape (n, C)
    to : {"first", "last", "generalised"}
        The cloud that stays where it is, or the mean of all (Gower 1975): clouds are aligned to
        their mean and the mean taken anew until it rests, its size held so that it cannot shrink.

    Raises
    ------
    SettingsError
        Another word, no cloud, or clouds of different shapes.
    """
    if to not in REFERENCES:
        raise SettingsError(f"expected an alignment among {', '.join(REFERENCES)}, got {to!r}")
    if len({np.shape(cloud) for cloud in clouds}) != 1:
        raise SettingsError("expected clouds of one shape, the same places in each, got none or several shapes")
    reference = _consensus(clouds) if to == "generalised" else np.asarray(clouds[0 if to == "first" else -1], float)
    return [procrustes(cloud, reference) for cloud in clouds]


def _consensus(clouds: Sequence[FloatArray]) -> FloatArray:
    """Mean cloud of a generalised alignment, centred at the last one's middle."""
    centred = [np.asarray(cloud, float) - np.mean(cloud, axis=0) for cloud in clouds]
    size = float(np.mean([np.linalg.norm(cloud) for cloud in centred]))
    mean = centred[-1]
    for _ in range(_ROUNDS):
        new = np.mean([procrustes(cloud, mean)(cloud) for cloud in centred], axis=0)
        new *= size / max(float(np.linalg.norm(new)), np.finfo(float).tiny)
        moved, mean = float(np.linalg.norm(new - mean)), new
        if moved <= _STILL * size:
            break
    return np.asarray(mean + np.mean(clouds[-1], axis=0))


@dataclass(frozen=True)
class PrincipalAxes:
    """Directions of most variance.

    Attributes
    ----------
    centre : ndarray of shape (C,)
    directions : ndarray of shape (K, C)
        Unit rows; the entry of largest size of each is positive.
    shares : ndarray of shape (K,)
        Part of the variance along each; they add up to 1 where all are there.
    """

    centre: FloatArray
    directions: FloatArray
    shares: FloatArray

    def project(self, points: FloatArray, count: int = 2) -> FloatArray:
        """Coordinates (..., count) of points (..., C) along the first directions."""
        return np.asarray((np.asarray(points, float) - self.centre) @ self.directions[:count].T)


def principal_axes(points: FloatArray) -> PrincipalAxes:
    """Principal components of rows (n, C); shares are 0 where all rows are equal."""
    x = np.asarray(points, float)
    centre = x.mean(axis=0)
    _, sizes, directions = np.linalg.svd(x - centre, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    signs = np.where(directions[np.arange(len(directions)), largest] < 0, -1.0, 1.0)
    total = float((sizes**2).sum())
    return PrincipalAxes(centre, directions * signs[:, None], sizes**2 / total if total > 0 else sizes)


def linear_cka(first: FloatArray, second: FloatArray) -> float:
    """Linear centred kernel alignment of two clouds with matched rows (Kornblith et al. 2019).

    Parameters
    ----------
    first, second : ndarray of shape (n, C) and (n, D)

    Returns
    -------
    float
        |Y^T X|^2 / (|X^T X| |Y^T Y|) in Frobenius norms, X and Y centred: 1 where they differ by rotation
        and scale, near 0 for unrelated ones with n far above C and D; NaN where one does not vary.
    """
    x, y = (np.asarray(each, float) - np.mean(each, axis=0) for each in (first, second))
    sizes = float(np.linalg.norm(x.T @ x)) * float(np.linalg.norm(y.T @ y))
    return float(np.linalg.norm(y.T @ x)) ** 2 / sizes if sizes > 0 else float("nan")


def cka_matrix(clouds: Sequence[FloatArray]) -> FloatArray:
    """Linear CKA of each cloud with each, (E, E); symmetric."""
    found = np.ones((len(clouds), len(clouds)))
    for k, one in enumerate(clouds):
        for j in range(k + 1):
            found[k, j] = found[j, k] = linear_cka(one, clouds[j])
    return found


def mean_classifier(probabilities: FloatArray) -> FloatArray:
    """Probabilities (E, ..., R) of E classifiers, averaged (thesis eq. 4.8)."""
    return np.asarray(np.mean(probabilities, axis=0))


def class_entropy(probabilities: FloatArray) -> FloatArray:
    """Entropy in nats of class probabilities (..., R), thesis eq. 4.9; 0 log 0 is 0.

    Examples
    --------
    >>> class_entropy(np.array([[1, 0, 0], [0.5, 0.5, 0]])).round(4).tolist()
    [0.0, 0.6931]
    """
    return np.asarray(entr(np.asarray(probabilities, float)).sum(axis=-1))


@dataclass(frozen=True)
class CentroidPaths:
    """Middles of groups of points, followed.

    Attributes
    ----------
    paths : ndarray of shape (E, k, C)
        Mean of each group's points at each epoch.
    classes : ndarray of int, shape (k,)
    sizes : ndarray of int, shape (k,)
        Points of each group.
    members : ndarray of int, shape (n,)
        Group of each point.
    """

    paths: FloatArray
    classes: IntArray
    sizes: IntArray
    members: IntArray


def centroid_paths(points: FloatArray, classes: IntArray, count: int, seed: int = 0) -> CentroidPaths:
    """K-means within each class on the last epoch; its groups keep their members at all epochs.

    Parameters
    ----------
    points : ndarray of shape (E, n, C)
    classes : ndarray of int, shape (n,)
    count : int
        Groups per class; fewer where a class has fewer different points.
    seed : int
    """
    from sklearn.cluster import KMeans

    members = np.zeros(len(classes), int)
    owners: list[int] = []
    for each in np.unique(classes):
        rows = np.flatnonzero(classes == each)
        groups = min(count, len(np.unique(points[-1, rows], axis=0)))
        found = KMeans(groups, n_init=10, random_state=seed).fit_predict(points[-1, rows])
        members[rows] = found + len(owners)
        owners += [int(each)] * groups
    sizes = np.bincount(members, minlength=len(owners))
    paths = np.stack([points[:, members == k].mean(axis=1) for k in range(len(owners))], axis=1)
    return CentroidPaths(paths, np.array(owners), sizes, members)
