"""Features of all epochs -> aligned, in one plane, classified at each epoch, gathered into centroids.

Thesis 4.3.4 (eq. 4.8-4.9, figures 4.4, 4.10, 4.11), preprint figures 4-6, with what they leave out: a
twin that walks at random beside every path, and the similarity of epochs without any plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from cytally.dosimetry.trajectories.places import GROUPS
from cytally.errors import SettingsError
from cytally.progress import Progress
from cytally.statistics.trajectories import (
    CentroidPaths,
    PrincipalAxes,
    Similarity,
    alignments,
    centroid_paths,
    cka_matrix,
    class_entropy,
    mean_classifier,
    principal_axes,
)
from cytally.statistics.walks import Chance, Walk, chance_of, random_walk, walk_of
from cytally.types import FloatArray, IntArray

#: Groups per class that K-means makes; places along an edge of the grid; folds of the calibration.
CENTROIDS, GRID, _FOLDS = 8, 72, 5
#: The grid covers all points of all epochs but these shares at each side, and this much more.
_OUTSIDE, _MARGIN = 0.005, 0.15


@dataclass(frozen=True)
class Sampled:
    """Features at the same places at every epoch.

    Attributes
    ----------
    features : ndarray of shape (E, n, C)
    kinds, groups, cells : ndarray of int, shape (n,)
        What each place is, to which of the three classes it belongs, and in which cell it lies.
    """

    features: FloatArray
    kinds: IntArray
    groups: IntArray
    cells: IntArray


class Classifier(Protocol):
    """Tells the classes of points in the plane."""

    def predict_proba(self, points: FloatArray, /) -> FloatArray:
        """Probabilities (n, 3) of points (n, 2)."""


@dataclass(frozen=True)
class LatentPlane:
    """The plane in which all epochs are seen, and a classifier for each.

    Attributes
    ----------
    moves : tuple of Similarity
        Of each epoch, into the common space.
    axes : PrincipalAxes
        One for all epochs.
    known : ndarray of shape (E, n, 2)
        The points that each epoch's classifier was fitted on.
    classifiers : tuple
        Each gives probabilities (n, 3), in the order of `GROUPS`, of points (n, 2).
    """

    moves: tuple[Similarity, ...]
    axes: PrincipalAxes
    known: FloatArray
    classifiers: tuple[Classifier, ...]

    def place(self, number: int, features: FloatArray) -> FloatArray:
        """Points (n, 2) of features (n, C) of epoch `number`, counted from 0; negative ones from the end."""
        return self.axes.project(self.moves[number](features))

    def probabilities(self, number: int, points: FloatArray) -> FloatArray:
        """p_e (n, 3) by the classifier of one epoch."""
        if not len(points):
            return np.zeros((0, len(GROUPS)))
        return np.asarray(self.classifiers[number].predict_proba(points))

    def mean(self, points: FloatArray) -> FloatArray:
        """Mean over all epochs' classifiers, (n, 3): thesis eq. 4.8."""
        return mean_classifier(np.stack([self.probabilities(e, points) for e in range(len(self.classifiers))]))

    def distance(self, points: FloatArray) -> FloatArray:
        """How far points (n, 2) lie from what the classifiers know: mean over epochs of the distance to the nearest place."""
        return np.asarray(np.mean([cKDTree(known).query(points)[0] for known in self.known], axis=0))


@dataclass(frozen=True)
class ClassMap:
    """The mean classifier and its entropy on a grid of the plane.

    Attributes
    ----------
    extent : (left, right, bottom, top)
        First axis to the right, second upwards.
    mean : ndarray of shape (GRID, GRID, 3)
    entropy : ndarray of shape (GRID, GRID)
        In nats.
    """

    extent: tuple[float, float, float, float]
    mean: FloatArray
    entropy: FloatArray

    @property
    def grid(self) -> FloatArray:
        """Points (GRID * GRID, 2), row by row from the bottom."""
        return _grid(self.extent)


@dataclass(frozen=True)
class Path:
    """A path and what random walks with its step sizes give."""

    walk: Walk
    chance: Chance


@dataclass(frozen=True)
class Followed:
    """Everything that features of a run's epochs show.

    Attributes
    ----------
    plane : LatentPlane
    points : ndarray of shape (E, n, 2)
    separation : ndarray of shape (E,)
        Balanced accuracy of each epoch's classifier on cells that it has not seen; chance is 1/3.
    map : ClassMap
    centroids : CentroidPaths
        In the common space.
    paths, twin : ndarray of shape (E, k, 2)
        Centroids in the plane, and walks with the same steps in directions drawn at random that end
        where the centroids do.
    entropy : ndarray of shape (k,)
        Of the mean classifier at the last place of each centroid, nats.
    plane_path, path : Path
        Of all centroids together, in the plane and in the common space.
    cka : ndarray of shape (E, E)
    """

    plane: LatentPlane
    points: FloatArray
    separation: FloatArray
    map: ClassMap
    centroids: CentroidPaths
    paths: FloatArray
    twin: FloatArray
    entropy: FloatArray
    plane_path: Path
    path: Path
    cka: FloatArray


def follow(sampled: Sampled, align: str, seed: int, progress: Progress) -> Followed:
    """Align, project, classify, gather.

    Parameters
    ----------
    sampled : Sampled
    align : {"first", "last", "generalised"}
    seed : int
        Of folds, K-means and random walks.
    progress : callable

    Raises
    ------
    SettingsError
        A class without places in two cells.
    """
    moves = alignments(list(sampled.features), align)
    common = np.stack([move(each) for move, each in zip(moves, sampled.features, strict=True)])
    axes = principal_axes(common.reshape(-1, common.shape[-1]))
    points = axes.project(common)
    fitted = _classified(points, sampled, seed, progress)
    plane = LatentPlane(tuple(moves), axes, points, tuple(one for one, _ in fitted))
    centroids = centroid_paths(common, sampled.groups, CENTROIDS, seed)
    paths = axes.project(centroids.paths)
    return Followed(
        plane,
        points,
        np.array([right for _, right in fitted]),
        _mapped(plane, points, progress),
        centroids,
        paths,
        _twin(paths, np.random.default_rng(seed)),
        class_entropy(plane.mean(paths[-1])),
        _path(paths, seed),
        _path(centroids.paths, seed),
        cka_matrix(list(sampled.features)),
    )


def _path(points: FloatArray, seed: int) -> Path:
    """Of k points (E, k, D) that walk side by side."""
    sizes = np.linalg.norm(np.diff(points, axis=0), axis=2)
    return Path(walk_of(points.reshape(len(points), -1)), chance_of(sizes, points.shape[2], seed=seed))


def _twin(paths: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Random walks (E, k, 2) with the steps of the paths that end where they do."""
    sizes = np.linalg.norm(np.diff(paths, axis=0), axis=2)
    walked = random_walk(sizes, 2, rng).reshape(len(paths), -1, 2)
    return np.asarray(walked - walked[-1] + paths[-1])


def folds(groups: IntArray, cells: IntArray, seed: int) -> list[tuple[IntArray, IntArray]]:
    """Up to five splits of places such that no cell stands on both sides and every class on each training side.

    Raises
    ------
    SettingsError
        A class that is absent, or that one cell alone has.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    having = [len(np.unique(cells[groups == k])) for k in range(len(GROUPS))]
    if min(having) < 2:
        told = ", ".join(f"{name} in {n}" for name, n in zip(GROUPS, having, strict=True))
        raise SettingsError(f"expected places of each class in at least two cells, got {told}; raise --cells")
    splitter = StratifiedGroupKFold(min(_FOLDS, *having), shuffle=True, random_state=seed)
    found = list(splitter.split(cells, groups, cells))
    if any(len(np.unique(groups[train])) < len(GROUPS) for train, _ in found):
        raise SettingsError(f"expected every class among the cells left by each of {len(found)} folds; raise --cells")
    return found


def _classified(points: FloatArray, sampled: Sampled, seed: int, progress: Progress) -> list[tuple[Classifier, float]]:
    """A classifier of each epoch's points and its balanced accuracy on cells left out."""
    splits = folds(sampled.groups, sampled.cells, seed)
    found = []
    for number, each in enumerate(points, start=1):
        found.append(_classifier(each, sampled.groups, splits))
        progress("classifiers", number, len(points))
    return found


def _classifier(
    points: FloatArray, groups: IntArray, splits: Sequence[tuple[IntArray, IntArray]]
) -> tuple[Classifier, float]:
    """Support vectors with radial kernel and probabilities; classes weigh the same, however many places they have."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC

    weight = 1.0 / np.bincount(groups, minlength=len(GROUPS))[groups]
    weight *= len(groups) / weight.sum()
    fitted = CalibratedClassifierCV(SVC(kernel="rbf"), cv=list(splits), ensemble=False)
    fitted.fit(points, groups, sample_weight=weight)
    said = np.empty(len(groups), int)
    for train, test in splits:
        said[test] = (
            SVC(kernel="rbf").fit(points[train], groups[train], sample_weight=weight[train]).predict(points[test])
        )
    right = [float((said[groups == k] == k).mean()) for k in range(len(GROUPS))]
    return fitted, float(np.mean(right))


def _mapped(plane: LatentPlane, points: FloatArray, progress: Progress) -> ClassMap:
    """The mean classifier on a grid over all epochs' points."""
    low, high = np.quantile(points.reshape(-1, 2), (_OUTSIDE, 1 - _OUTSIDE), axis=0)
    margin = _MARGIN * np.maximum(high - low, np.finfo(float).tiny)
    low, high = low - margin, high + margin
    extent = (float(low[0]), float(high[0]), float(low[1]), float(high[1]))
    grid = _grid(extent)
    total = np.zeros((len(grid), len(GROUPS)))
    for number in range(len(plane.classifiers)):
        total += plane.probabilities(number, grid)
        progress("class maps", number + 1, len(plane.classifiers))
    mean = (total / len(plane.classifiers)).reshape(GRID, GRID, -1)
    return ClassMap(extent, mean, class_entropy(mean))


def _grid(extent: tuple[float, float, float, float]) -> FloatArray:
    left, right, bottom, top = extent
    along, up = np.linspace(left, right, GRID), np.linspace(bottom, top, GRID)
    return np.stack(np.meshgrid(along, up), axis=-1).reshape(-1, 2)
