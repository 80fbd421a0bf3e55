"""Density + ensemble -> votes (preprint eq. 6), with an exact saving.

Members look only where something stained is near (`windows`). Where more than T_A of M
votes are needed, a place that got none from the first M - T_A members cannot win. The
remaining T_A members therefore look only at windows that hold places with a vote: the
decision is the same as if all had looked everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.inference import windows
from cytally.inference.ensemble import Ensemble
from cytally.inference.members import Member
from cytally.nets.architecture import Architecture
from cytally.types import FloatArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Votes:
    """What the members saw.

    Attributes
    ----------
    votes : ndarray of uint8, shape (classes, h, w)
        Members whose heatmap exceeds their confidence; places that cannot win
        may lack votes of the last members.
    maps : ndarray of float32, shape (members, classes, h, w)
        Heatmaps; zero where a member did not look.
    """

    votes: NDArray[np.uint8]
    maps: Float32


def predict(density: Float32, ensemble: Ensemble) -> Float32:
    """Heatmaps of all members everywhere.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)

    Returns
    -------
    ndarray of float32, shape (members, classes, ceil(h / 4), ceil(w / 4))
    """
    return np.stack([look_everywhere(density, member) for member in ensemble.members])


def cast_votes(density: Float32, ensemble: Ensemble, *, saving: bool = True) -> Votes:
    """Let the members vote.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    ensemble : Ensemble
    saving : bool
        False lets every member look everywhere; the decision is the same.
    """
    limits = np.asarray(ensemble.card.thresholds.confidence, np.float32)
    agreement = ensemble.card.thresholds.agreement
    first = len(ensemble.members) - min(agreement) if saving else len(ensemble.members)
    how = ensemble.members[0].architecture
    maps = np.stack([empty(density, how)] * len(ensemble.members))
    near = windows.windows(windows.occupied(density, how), how) if saving else []
    for number, member in enumerate(ensemble.members[:first]):
        if saving:
            windows.look_at(density, member, near, maps[number])
        else:
            maps[number] = look_everywhere(density, member)
    votes = _count(maps[:first], limits[:first])
    found = crops(np.asarray(votes.any(axis=0)), how) if first < len(maps) else []
    for number in range(first, len(maps)):
        windows.look_at(density, ensemble.members[number], found, maps[number])
    return Votes(_count(maps, limits), maps)


def _count(maps: Float32, limits: FloatArray) -> NDArray[np.uint8]:
    return np.asarray((maps > limits[:, :, None, None]).sum(axis=0), np.uint8)


def look_everywhere(density: Float32, member: Member) -> Float32:
    """Heatmaps (classes, h, w) of one member everywhere, tile by tile where the image is large."""
    how = member.architecture
    heat = empty(density, how)
    if max(density.shape) <= windows.TILE:
        return member(windows.filled(density, how))[:, : heat.shape[1], : heat.shape[2]]
    rows, cols = (-(-size // how.multiple) for size in density.shape)
    windows.look_at(density, member, [(slice(0, rows), slice(0, cols))], heat)
    return heat


def empty(density: Float32, architecture: Architecture) -> Float32:
    """Heatmaps (classes, h, w) of a density at which nobody has looked."""
    rows, cols = (-(-size // architecture.step) for size in density.shape)
    return np.zeros((architecture.classes, rows, cols), np.float32)


def crops(voted: NDArray[np.bool_], architecture: Architecture) -> list[windows.Window]:
    """Windows, in coarse cells, that hold every place of the map with a vote."""
    cells = windows.coarse(voted, architecture.multiple // architecture.step)
    return windows.windows(cells, architecture)
