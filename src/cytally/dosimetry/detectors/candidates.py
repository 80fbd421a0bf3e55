"""Verification: every place that the members propose is looked at again, closely.

In a laboratory a second person confirms each dicentric. Here some members of the ensemble
propose, far below the level at which they would vote, so that few objects escape; the verifiers,
which see nothing but the place itself, say what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.inference import windows
from cytally.inference.ensemble import Ensemble
from cytally.inference.members import Member
from cytally.inference.views import Glance
from cytally.inference.votes import crops, empty, look_everywhere
from cytally.types import Detections, FloatArray

Float32 = NDArray[np.float32]
#: Crops looked at together: little memory, whatever a nucleus of 1,000 alarms brings.
_BATCH = 64
#: Members that propose: the first and the last, of different runs.
PROPOSING = 2
#: Mean heatmap from which a place is proposed.
LEVEL = {"dicentric": 0.06, "fragment": 0.12}
#: A place is proposed where the mean heatmap is highest within so many map pixels.
_NEIGHBOURHOOD = 7
_AROUND = np.ones((_NEIGHBOURHOOD, _NEIGHBOURHOOD), np.uint8)
#: Where the member that looks first answers less than this, the others do not look.
SURE = 0.0005


def proposing(ensemble: Ensemble, count: int = PROPOSING) -> list[int]:
    """Which members propose: so many, evenly over the run."""
    total = len(ensemble.members)
    return [int(k) for k in np.linspace(0, total - 1, min(count, total)).round()]


def propose(density: Float32, ensemble: Ensemble, count: int = PROPOSING, *, saving: bool = True) -> Detections:
    """Places where the mean heatmap of some members has a maximum.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    ensemble : Ensemble
    count : int
        Members that propose.
    saving : bool
        False lets each of them look everywhere.

    Returns
    -------
    Detections
        In pixels of the density; `votes` are those of the proposing members, whose number
        is `members`.
    """
    chosen = proposing(ensemble, count)
    members = [ensemble.members[k] for k in chosen]
    maps = heatmaps(density, members) if saving else np.stack([look_everywhere(density, one) for one in members])
    return peaks(maps, ensemble, chosen)


def heatmaps(density: Float32, members: Sequence[Member]) -> Float32:
    """Heatmaps (members, classes, h, w), where there may be something to propose; 0 elsewhere.

    One member looks wherever something stained is near, the others only where it does not rule
    out everything. `SURE` lies so far below the level of a proposal that the others together would have
    to see 160 times as much as it does.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    members : sequence of Member
    """
    how = members[0].architecture
    maps = np.stack([empty(density, how)] * len(members))
    first = (len(members) - 1) // 2
    near = windows.windows(windows.occupied(density, how), how)
    windows.look_at(density, members[first], near, maps[first])
    open_ = cv2.dilate((maps[first].max(axis=0) > SURE).astype(np.uint8), _AROUND) > 0
    found = crops(open_, how)
    for number, member in enumerate(members):
        if number != first:
            windows.look_at(density, member, found, maps[number])
    return maps


def peaks(maps: Float32, ensemble: Ensemble, chosen: Sequence[int]) -> Detections:
    """The same from heatmaps (members, classes, h, w) of the chosen members."""
    limits = np.asarray(ensemble.card.thresholds.confidence)[list(chosen)]
    mean, rows, names = maps.mean(axis=0), [], []
    for channel, name in enumerate(ensemble.classes):
        heat = mean[channel]
        top = (heat == cv2.dilate(heat, _AROUND)) & (heat > LEVEL.get(name, 0.1))
        for row, col in _one_per_plateau(top):
            values = maps[:, channel, row, col]
            votes = int((values > limits[:, channel]).sum())
            rows.append((row, col, votes, float(values.mean()), float(values.std())))
            names.append(name)
    if not rows:
        return Detections.empty(len(chosen))
    row, col, voted, confidence, spread = np.array(rows, dtype=float).T
    stride = ensemble.card.stride
    middle = (stride - 1) / 2
    return Detections(
        row * stride + middle,
        col * stride + middle,
        tuple(names),
        voted.astype(int),
        confidence,
        spread,
        len(chosen),
        np.full(len(rows), np.nan),
    )


def _one_per_plateau(top: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """One place of each connected maximum: low precision makes flat tops."""
    number, labels = cv2.connectedComponents(top.astype(np.uint8), connectivity=8)
    places = np.argwhere(top)
    _, first = np.unique(labels[top], return_index=True) if number > 1 else (None, np.zeros(0, int))
    return [(int(r), int(c)) for r, c in places[first]]


def crops_at(density: Float32, row: FloatArray, col: FloatArray, side: int) -> Float32:
    """Crops (n, side, side) around places; outside the image is empty slide.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    row, col : ndarray of shape (n,)
        Middles, in pixels of the density.
    side : int
    """
    half = side // 2
    crops = np.zeros((len(row), side, side), np.float32)
    for crop, r, c in zip(crops, np.rint(row).astype(int), np.rint(col).astype(int), strict=True):
        top, left = max(r - half, 0), max(c - half, 0)
        part = density[top : max(r + half, 0), left : max(c + half, 0)]
        down, right = top - (r - half), left - (c - half)
        crop[down : down + part.shape[0], right : right + part.shape[1]] = part
    return crops


def verify(density: Float32, found: Detections, ensemble: Ensemble) -> Float32:
    """What the verifiers say of every proposed place.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    found : Detections
        In pixels of the density.
    ensemble : Ensemble
        With verifiers.

    Returns
    -------
    ndarray of float32, shape (n, classes + 1)
        Mean probability over verifiers, turns and mirrors; the last column means none.
    """
    parts = [
        np.mean([verifier(crops) for verifier in ensemble.verifiers], axis=0)
        for _, crops in _batches(density, found, ensemble)
    ]
    return np.concatenate([np.zeros((0, len(ensemble.classes) + 1), np.float32), *parts])


def glances(density: Float32, found: Detections, ensemble: Ensemble) -> list[Glance]:
    """What each verifier says at a glance of every proposed place; arguments as of `verify`."""
    parts = [
        [verifier.glance(crops) for verifier in ensemble.verifiers] for _, crops in _batches(density, found, ensemble)
    ]
    return [Glance.joined(each) for each in zip(*parts, strict=True)]


def finish(density: Float32, found: Detections, ensemble: Ensemble, seen: Sequence[Glance]) -> Float32:
    """What `verify` says, after a glance of each verifier at the same places."""
    parts = [
        np.mean([v.finish(crops, g.of(part)) for v, g in zip(ensemble.verifiers, seen, strict=True)], axis=0)
        for part, crops in _batches(density, found, ensemble)
    ]
    return np.concatenate([np.zeros((0, len(ensemble.classes) + 1), np.float32), *parts])


def _batches(density: Float32, found: Detections, ensemble: Ensemble) -> Iterator[tuple[slice, Float32]]:
    """Places and crops around them, a few at a time."""
    side = ensemble.verifiers[0].side
    for start in range(0, len(found), _BATCH):
        part = slice(start, start + _BATCH)
        yield part, crops_at(density, found.row[part], found.col[part], side)


def judged(density: Float32, found: Detections, ensemble: Ensemble) -> Detections:
    """All proposals with what the verifiers say of each, that it is what it was proposed as.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    found : Detections
        Proposals, in pixels of the density.
    ensemble : Ensemble
        With verifiers.
    """
    probability = verify(density, found, ensemble)[np.arange(len(found)), channels(found, ensemble)]
    return replace(found, probability=probability.astype(float))


def channels(found: Detections, ensemble: Ensemble) -> NDArray[np.int64]:
    """Index of each detection's class, (n,)."""
    return np.array([ensemble.classes.index(name) for name in found.names], np.int64)
