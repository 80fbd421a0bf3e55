"""Heatmaps of many models kept where any of them answers, and hits counted over many decisions at once.

A study asks a hundred checkpoints about a thousand cells and then decides in thousands of ways.
Nearly all of a heatmap is empty in all of them: what is kept are islands, pieces of the map where
some model exceeds a floor. No decision above the floor reaches beyond its island, so components
counted island by island are those of the whole map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.evaluation.matching import components
from cytally.labels.points import SIGMA, TRUTH_LEVEL, spots
from cytally.types import FloatArray

Masks = NDArray[np.bool_]
Counts = NDArray[np.int64]

#: Below this no decision looks.
FLOOR = 0.05


@dataclass(frozen=True)
class Island:
    """A piece of one class's map.

    Attributes
    ----------
    values : ndarray of float16, shape (models, h, w)
        What each model answers.
    truth : ndarray of bool, shape (h, w)
        Where a label's spot exceeds 0.01.
    """

    values: NDArray[np.float16]
    truth: Masks


@dataclass(frozen=True)
class Answers:
    """What many models say of one class in one cell.

    Attributes
    ----------
    islands : tuple of Island
    objects : int
        Components of the labels' spots (thesis eq. 4.11: spots that touch are one).
    """

    islands: tuple[Island, ...]
    objects: int


def answers_of(maps: NDArray[np.floating], places: FloatArray, stride: int, sigma: float = SIGMA) -> Answers:
    """The islands of one class in one cell.

    Parameters
    ----------
    maps : ndarray of shape (models, h, w)
    places : ndarray of shape (n, 2)
        Labels in pixels of the normalised image.
    stride : int
        Pixels per place of the map.
    sigma : float
        Width of a label's spot, places of the map.
    """
    truth = spots(places, maps.shape[1:], stride, sigma) > TRUTH_LEVEL
    kept = maps.astype(np.float16)
    support = (kept > np.float16(FLOOR)).any(axis=0).astype(np.uint8)
    number, labels, stats, _ = cv2.connectedComponentsWithStats(support, connectivity=8)
    islands = []
    for label in range(1, number):
        left, top, width, height = (int(v) for v in stats[label, :4])
        window = (slice(top, top + height), slice(left, left + width))
        inside = labels[window] == label
        islands.append(Island(kept[:, *window] * inside, truth[window]))
    return Answers(tuple(islands), components(truth))


def parts(masks: Masks) -> Counts:
    """Number of 8-connected components of each of many masks of one size, in one pass.

    Parameters
    ----------
    masks : ndarray of bool, shape (k, h, w)

    Returns
    -------
    ndarray of int, shape (k,)
    """
    count, height, width = masks.shape
    if not count:
        return np.zeros(0, np.int64)
    tall = np.zeros((count, height + 1, width), np.uint8)  # an empty row keeps them apart
    tall[:, :height] = masks
    _, _, stats, _ = cv2.connectedComponentsWithStats(tall.reshape(-1, width), connectivity=8)
    return np.bincount(stats[1:, cv2.CC_STAT_TOP] // (height + 1), minlength=count)


def tallied(cell: Answers, decide: Sequence[float], groups: NDArray[np.int64], agreement: Sequence[int]) -> Counts:
    """Components that are predicted, and those that meet a label, for every way of deciding.

    Parameters
    ----------
    cell : Answers
    decide : sequence of float
        T_C, to be exceeded; above `FLOOR`.
    groups : ndarray of int, shape (g, members)
        Numbers of the models that vote together; one column for single models.
    agreement : sequence of int
        T_A, to be exceeded by votes; (0,) for single models.

    Returns
    -------
    ndarray of int, shape (g, T_C, T_A, 2)
        Components of the decision that meet a label (TP of thesis eq. 4.10), and all of its components.
    """
    limits = np.asarray(decide, np.float16)
    result = np.zeros((len(groups), len(limits), len(agreement), 2), np.int64)
    for island in cell.islands:
        votes = _votes(island.values, limits, groups)
        won = votes[:, :, None] > np.asarray(agreement, votes.dtype)[None, None, :, None, None]
        flat = won.reshape(-1, *island.truth.shape)
        some = flat.any(axis=(1, 2))
        for kind, masks in enumerate((flat[some] & island.truth, flat[some])):
            result.reshape(-1, 2)[some, kind] += parts(masks)
    return result


def _votes(values: NDArray[np.float16], limits: NDArray[np.float16], groups: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Votes (groups, limits, h, w) of the models of each group."""
    above = values[:, None] > limits[None, :, None, None]
    return np.stack([above[group].sum(axis=0, dtype=np.uint8) for group in groups])


def hits_of(counted: Counts, objects: NDArray[np.int64]) -> tuple[Counts, Counts, Counts]:
    """TP, FP and FN of each cell (thesis eq. 4.10-4.13).

    Parameters
    ----------
    counted : ndarray of int, shape (cells, ..., 2)
        From `tallied`.
    objects : ndarray of int, shape (cells,)
    """
    met, predicted = counted[..., 0], counted[..., 1]
    real = objects.reshape(-1, *[1] * (met.ndim - 1))
    return met, np.maximum(predicted - met, 0), np.maximum(real - met, 0)
