"""Does latent entropy tell false detections from true ones, in cells that no classifier has seen?

The thesis says that centroids in regions of high entropy are uncertain detections. Here every
detection of the last checkpoint gets its entropy, and beside it what an ensemble of the last
checkpoints says without any plane: mean confidence, spread and votes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from cytally.dosimetry.measure.evaluate import RADIUS
from cytally.dosimetry.training.sources import CLASSES
from cytally.dosimetry.trajectories.checkpoints import TrainedRun
from cytally.dosimetry.trajectories.follow import LatentPlane
from cytally.dosimetry.trajectories.layers import Sight, look
from cytally.dosimetry.trajectories.places import PlacedCell
from cytally.evaluation.matching import assign
from cytally.progress import Progress
from cytally.statistics.ranks import Clusters, Ranked
from cytally.statistics.trajectories import class_entropy, mean_classifier
from cytally.types import FloatArray, IntArray

#: Confidence that a maximum of the last checkpoint must exceed, and that is a vote of the others.
LEVEL = 0.3
#: Checkpoints that vote, at most.
LAST = 10
_AROUND = np.ones((5, 5), np.uint8)
#: What is held against each other; larger means more suspect.
MEASURES = (
    "latent entropy",
    "entropy along the path",
    "entropy of the last classifier",
    "latent doubt of its class",
    "mean confidence",
    "confidence of the last",
    "spread",
    "votes",
)


@dataclass(frozen=True)
class Detected:
    """Detections of the last checkpoint in other cells.

    Attributes
    ----------
    places : ndarray of shape (n, 2)
        In the normalised grid of their cell.
    cells, classes : ndarray of int, shape (n,)
    false : ndarray of bool, shape (n,)
        No label of its class lies within 20 pixels, one to one.
    missed : int
        Labels without a detection.
    """

    places: FloatArray
    cells: IntArray
    classes: IntArray
    false: NDArray[np.bool_]
    missed: int


@dataclass(frozen=True)
class Judged:
    """How well each measure ranks false detections before true ones.

    Attributes
    ----------
    detected : Detected
    points : ndarray of shape (n, 2)
        Where the last epoch's features of the detections lie in the plane.
    epochs : tuple of int
        The checkpoints that vote.
    values : dict of str to ndarray of shape (n,)
        By measure; larger is more suspect.
    areas : dict of str to Ranked
        AUROC of each, 95 % limits by resampled cells; both classes together.
    by_class : dict of str to tuple of Ranked
        The same within each of `CLASSES`: a measure may rank the classes and not the errors.
    gain : Ranked
        AUROC of latent entropy less that of mean confidence, on the same resamples.
    by_distance : float
        Rank correlation of latent entropy with the distance from places that the classifiers know: near 1 it says how
        unusual a detection is, not how doubtful; NaN for fewer than two detections.
    """

    detected: Detected
    points: FloatArray
    epochs: tuple[int, ...]
    values: dict[str, FloatArray]
    areas: dict[str, Ranked]
    by_class: dict[str, tuple[Ranked, ...]]
    gain: Ranked
    by_distance: float


def judge(
    run: TrainedRun, plane: LatentPlane, layer: str, cells: Sequence[PlacedCell], seed: int, progress: Progress
) -> Judged:
    """Detect in cells with the last checkpoint, look at the same places with the others, and compare.

    Parameters
    ----------
    run : TrainedRun
        With the epochs of the plane.
    plane : LatentPlane
        Fitted on other cells.
    layer : str
    cells : sequence of PlacedCell
    seed : int
        Of the resamples.
    progress : callable
    """
    epochs = run.epochs[-LAST:]
    found: Detected | None = None
    confidences, latent = [], []
    last_points: FloatArray = np.zeros((0, 2))
    for number, epoch in enumerate(reversed(epochs), start=1):
        network = run.network(epoch)
        sights = [look(network, cell.density, (layer,)) for cell in cells]
        found = found or detections(sights, cells)
        of_cells = [found.places[found.cells == k] for k in range(len(cells))]
        seen = np.concatenate([s.confidences(at) for s, at in zip(sights, of_cells, strict=True)])
        confidences.append(seen[np.arange(len(seen)), found.classes])
        points = plane.place(-number, np.concatenate([s.at(layer, at) for s, at in zip(sights, of_cells, strict=True)]))
        latent.append(plane.probabilities(-number, points))
        last_points = points if number == 1 else last_points
        progress("judging detections", number, len(epochs))
    assert found is not None
    values = _values(plane.mean(last_points), np.stack(latent), np.stack(confidences), found.classes)
    drawn = Clusters.of(found.cells, seed=seed)
    areas = {name: drawn.ranked(each, found.false) for name, each in values.items()}
    within = [found.classes == channel for channel in range(len(CLASSES))]
    apart = [Clusters.of(found.cells[here], seed=seed) for here in within]
    by_class = {
        name: tuple(part.ranked(each[here], found.false[here]) for part, here in zip(apart, within, strict=True))
        for name, each in values.items()
    }
    gain = drawn.difference(values["latent entropy"], values["mean confidence"], found.false)
    by_distance = _rank_correlation(values["latent entropy"], plane.distance(last_points))
    return Judged(found, last_points, epochs, values, areas, by_class, gain, by_distance)


def _rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Spearman's rho; NaN where one does not vary."""
    if len(first) < 2 or not np.ptp(first) or not np.ptp(second):
        return float("nan")
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def _values(mean: FloatArray, latent: FloatArray, confidences: FloatArray, classes: IntArray) -> dict[str, FloatArray]:
    """Each measure of n detections: the mean classifier (n, 3), p_e along the path (M, n, 3), confidences (M, n)."""
    own = mean[np.arange(len(classes)), classes]
    found = (
        class_entropy(mean),
        class_entropy(mean_classifier(latent)),
        class_entropy(latent[0]),
        1 - own,
        -confidences.mean(axis=0),
        -confidences[0],
        confidences.std(axis=0),
        -(confidences > LEVEL).sum(axis=0).astype(float),
    )
    return dict(zip(MEASURES, found, strict=True))


def detections(sights: Sequence[Sight], cells: Sequence[PlacedCell]) -> Detected:
    """Maxima above `LEVEL` in each cell, matched one to one with the labels of their class; in order of cells."""
    places: list[FloatArray] = [np.zeros((0, 2))]
    owners, classes, false, missed = [], [], [], 0
    for number, (sight, cell) in enumerate(zip(sights, cells, strict=True)):
        for channel in range(len(CLASSES)):
            at = _maxima(sight, channel)
            hit = {k for k, _ in assign(at, cell.labels[channel], RADIUS)}
            places.append(at)
            owners += [number] * len(at)
            classes += [channel] * len(at)
            false += [k not in hit for k in range(len(at))]
            missed += len(cell.labels[channel]) - len(hit)
    return Detected(
        np.concatenate(places), np.array(owners, int), np.array(classes, int), np.array(false, bool), missed
    )


def _maxima(sight: Sight, channel: int) -> FloatArray:
    """Places (n, 2), in pixels, of a heatmap's maxima above `LEVEL`, one per plateau."""
    heat = np.ascontiguousarray(sight.heat[channel])
    top = ((heat == cv2.dilate(heat, _AROUND)) & (heat > LEVEL)).astype(np.uint8)
    _, _, _, middles = cv2.connectedComponentsWithStats(top, connectivity=8)
    step = sight.shape[0] // heat.shape[0]
    return np.asarray((np.rint(middles[1:, ::-1]) + 0.5) * step - 0.5).reshape(-1, 2)
