"""A dicentric does not come alone: what was seen elsewhere in a cell makes an answer likelier or not.

Two chromosomes that exchange their ends leave an acentric fragment for each dicentric (IAEA
EPR-Biodosimetry 2011, section 9.4.1: 46 pieces with it). A scorer who doubts looks for it. The
co-occurrence rule of the preprint (section 2.3) asks for a fragment and forbids; weighing asks how
sure the fragment is, and neither a missed fragment nor a false one decides alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.detectors.candidates import channels
from cytally.inference.ensemble import Ensemble
from cytally.types import Detections, FloatArray

#: Nearer than this, in normalised pixels (a chromosome's width), two places are one object.
REACH = 25.0
#: Answers below this are no evidence: a hundred weak ones would add up to a fragment.
_NOTICED = 0.1
#: Evidence is never surer than this, nor its absence.
_SUREST = 0.97
#: Keeps logits finite.
_EDGE = 1e-4


def evidence(places: FloatArray, classes: NDArray[np.integer], probability: FloatArray) -> FloatArray:
    """Probability that the cell holds at least one object of another class elsewhere.

    Parameters
    ----------
    places : ndarray of shape (n, 2)
        Proposals of one cell, in normalised pixels.
    classes : ndarray of int, shape (n,)
    probability : ndarray of shape (n,)
        That each is what it was proposed as.

    Returns
    -------
    ndarray of shape (n,)
        1 - product of (1 - p) over the others, as if they were independent.
    """
    noticed = np.flatnonzero(probability >= _NOTICED)
    absent = np.where(_elsewhere(places, classes)[:, noticed], 1.0 - probability[noticed], 1.0)
    return np.asarray(1.0 - absent.prod(axis=1))


def _elsewhere(places: FloatArray, classes: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether the second of two places is of another class and another object, (n, n)."""
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) > REACH
    return np.asarray(apart & (classes[:, None] != classes[None]))


def speaking(
    places: FloatArray, classes: NDArray[np.integer], low: FloatArray, high: FloatArray, counting: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Places whose probability may change those of the counting ones.

    Where the evidence is as sure as it can be already, nothing does.

    Parameters
    ----------
    places, classes
        As for `evidence`.
    low, high : ndarray of shape (n,)
        Between which the probability of each lies.
    counting : ndarray of bool, shape (n,)

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    unsure = counting & (evidence(places, classes, low) < _SUREST)
    return np.asarray(_elsewhere(places, classes)[unsure].any(axis=0) & (high >= _NOTICED))


def weigh(
    places: FloatArray, classes: NDArray[np.integer], probability: FloatArray, weights: Sequence[float]
) -> FloatArray:
    """Probabilities in the light of what else the cell holds.

    Parameters
    ----------
    places, classes, probability
        As for `evidence`.
    weights : sequence of float
        One per class; 0 leaves its answers as they are.

    Returns
    -------
    ndarray of shape (n,)
        logit(p') = logit(p) + weight * logit(evidence).
    """
    if not any(weights):
        return np.asarray(probability, float)
    seen = np.clip(evidence(places, classes, np.asarray(probability, float)), 1 - _SUREST, _SUREST)
    weight = np.asarray(weights, float)[classes]
    logit = _logit(np.clip(probability, _EDGE, 1 - _EDGE)) + weight * _logit(seen)
    return np.where(weight > 0, 1 / (1 + np.exp(-logit)), probability)


def may_count(
    places: FloatArray, classes: NDArray[np.integer], high: FloatArray, ensemble: Ensemble
) -> NDArray[np.bool_]:
    """Which places may count where no probability exceeds `high`, as no evidence can speak more for them.

    Parameters
    ----------
    places, classes
        As for `evidence`.
    high : ndarray of shape (n,)
        What the probability of each is at most.
    ensemble : Ensemble
        Its thresholds.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.asarray(weighed(places, classes, np.clip(high, 0, 1), ensemble) > _limits(ensemble)[classes])


def confirmed(found: Detections, ensemble: Ensemble) -> Detections:
    """Keep what exceeds the ensemble's thresholds in the light of what else the cell holds.

    Parameters
    ----------
    found : Detections
        All proposals of one cell, from `judged`.
    ensemble : Ensemble
        Its thresholds; under co-occurrence nothing is weighed, as that rule has the fragment already.
    """
    places, own = np.stack([found.row, found.col], axis=1), channels(found, ensemble)
    probability = weighed(places, own, found.probability, ensemble)
    return replace(found, probability=probability).keep(probability > _limits(ensemble)[own])


def weighed(
    places: FloatArray, classes: NDArray[np.integer], probability: FloatArray, ensemble: Ensemble
) -> FloatArray:
    """Probabilities weighed as an ensemble's card says; under co-occurrence they stay as they are.

    Parameters
    ----------
    places, classes, probability
        As for `evidence`.
    ensemble : Ensemble
        Its thresholds.
    """
    thresholds = ensemble.card.thresholds
    if thresholds.co_occurrence:
        return probability
    return weigh(places, classes, probability, thresholds.cooccurrence_weight or [])


def _limits(ensemble: Ensemble) -> FloatArray:
    thresholds = ensemble.card.thresholds
    strict = thresholds.hard_rule_probability if thresholds.co_occurrence else None
    return np.asarray(strict or thresholds.probability, float)


def _logit(probability: FloatArray) -> FloatArray:
    return np.asarray(np.log(probability / (1 - probability)))
