"""Density + ensemble -> votes (preprint eq. 6), with an exact saving.

Where more than T_A of M votes are needed, a place that got none from the first
M - T_A members cannot win. The remaining T_A members therefore look only at
crops around places that got one, with the receptive field as a margin: the
decision is the same as if all had looked everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.inference.ensemble import Ensemble
from cytally.inference.runtime import TorchMember
from cytally.nets.unet import STRIDE
from cytally.types import FloatArray

Float32 = NDArray[np.float32]
#: Larger images are looked at tile by tile; edge of a tile's core in pixels.
TILE = 1536
#: Crops that cover more of the image than this are not worth cutting.
_WORTH_CUTTING = 0.6
_WHOLE = (slice(None), slice(None))


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
    return np.stack([look(density, member) for member in ensemble.members])


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
    step = ensemble.members[0].step
    shape = (-(-density.shape[0] // step), -(-density.shape[1] // step))
    maps = np.zeros((len(ensemble.members), len(ensemble.classes), *shape), np.float32)
    for number, member in enumerate(ensemble.members[:first]):
        maps[number] = look(density, member)
    votes = _count(maps[:first], limits[:first])
    windows = crops(np.asarray(votes.any(axis=0)), ensemble) if first < len(maps) else []
    for number in range(first, len(maps)):
        for window in windows:
            _look_at_crop(density, ensemble.members[number], window, maps[number])
    return Votes(_count(maps, limits), maps)


def _count(maps: Float32, limits: FloatArray) -> NDArray[np.uint8]:
    return np.asarray((maps > limits[:, :, None, None]).sum(axis=0), np.uint8)


def look(density: Float32, member: TorchMember) -> Float32:
    """Heatmaps (classes, h, w) of one member, tile by tile where the image is large."""
    if max(density.shape) <= TILE:
        return member.padded(density)
    shape = (-(-density.shape[0] // member.step), -(-density.shape[1] // member.step))
    heat = np.zeros((member.classes, *shape), np.float32)
    core = TILE // member.step
    for top in range(0, shape[0], core):
        for left in range(0, shape[1], core):
            window = (slice(top, min(top + core, shape[0])), slice(left, min(left + core, shape[1])))
            _look_at_crop(density, member, window, heat)
    return heat


def _look_at_crop(density: Float32, member: TorchMember, window: tuple[slice, slice], heat: Float32) -> None:
    """Fill a window of the map from a crop with margin; crops start on the coarse grid."""
    starts, stops = [], []
    for part, size in zip(window, density.shape, strict=True):
        low = max(part.start * member.step - member.reach, 0) // member.multiple * member.multiple
        starts.append(low)
        stops.append(min(part.stop * member.step + member.reach, size))
    crop = density[starts[0] : stops[0], starts[1] : stops[1]]
    found = member.padded(crop)
    inner = tuple(
        slice(part.start - low // member.step, part.stop - low // member.step)
        for part, low in zip(window, starts, strict=True)
    )
    heat[:, window[0], window[1]] = found[:, inner[0], inner[1]]


def crops(voted: NDArray[np.bool_], ensemble: Ensemble) -> list[tuple[slice, slice]]:
    """Windows of the map that hold every place with a vote, merged where margins overlap."""
    if not voted.any():
        return []
    grid = ensemble.reach // STRIDE
    grown = cv2.dilate(voted.astype(np.uint8), np.ones((grid + 1, grid + 1), np.uint8))
    number, _, stats, _ = cv2.connectedComponentsWithStats(grown)
    boxes = [_tight(voted, stats[k]) for k in range(1, number)]
    height, width = voted.shape
    margin = 2 * grid
    area = sum((b[0].stop - b[0].start + margin) * (b[1].stop - b[1].start + margin) for b in boxes)
    if area > _WORTH_CUTTING * height * width:
        return [(slice(0, height), slice(0, width))]
    return boxes


def _tight(voted: NDArray[np.bool_], box: NDArray[np.int32]) -> tuple[slice, slice]:
    left, top, width, height = (int(v) for v in box[:4])
    inside = voted[top : top + height, left : left + width]
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return (
        slice(top + int(rows[0]), top + int(rows[-1]) + 1),
        slice(left + int(cols[0]), left + int(cols[-1]) + 1),
    )
