"""Four checkpoints of one training that differ about one fragment (thesis, figure 4.8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.training.sources import CLASSES
from cytally.inference.graph import GraphMember
from cytally.inference.votes import look_everywhere
from cytally.training.examples import TrainingCell, unpack

#: T_C; pixels around the fragment that are shown, and how large.
CONFIDENCE, SIDE, ZOOM = 0.5, 280, 1
#: Pixels of the map around a label in which an answer is that label's.
_NEAR = 3
_FRAGMENT = CLASSES.index("fragment")
#: Blue, green, red of each class's answers.
_COLOURS = np.array([(32, 44, 213), (178, 114, 0)], float)


@dataclass(frozen=True)
class Differing:
    """A place about which some checkpoints differ.

    Attributes
    ----------
    density : ndarray of shape (h, w)
    maps : ndarray of shape (checkpoints, classes, h / step, w / step)
    place : (row, col)
        In pixels of the density.
    step : int
    """

    density: NDArray[np.float32]
    maps: NDArray[np.float32]
    place: tuple[float, float]
    step: int


def differing_cell(members: Sequence[GraphMember], cells: Iterable[TrainingCell]) -> Differing | None:
    """The first cell with a fragment that one checkpoint misses and all others find, beside a dicentric that all find."""
    step = members[0].architecture.step
    for cell in cells:
        density = unpack(cell.packed)
        maps = np.stack([look_everywhere(density, member) for member in members])
        agreed = [place for place in cell.places[cell.classes != _FRAGMENT] if _found(maps[:, 0], place, step).all()]
        for place in cell.places[cell.classes == _FRAGMENT]:
            beside = [other for other in agreed if np.abs(other - place).max() < SIDE]
            if beside and _found(maps[:, _FRAGMENT], place, step).sum() == len(members) - 1:
                row, col = (place + beside[0]) / 2
                return Differing(density, maps, (float(row), float(col)), step)
    return None


def _found(maps: NDArray[np.float32], place: NDArray[np.floating], step: int) -> NDArray[np.bool_]:
    """Which checkpoints answer near a place."""
    row, col = np.rint((place + 0.5) / step - 0.5).astype(int)
    near = maps[:, max(row - _NEAR, 0) : row + _NEAR + 1, max(col - _NEAR, 0) : col + _NEAR + 1]
    return np.asarray(near.max(axis=(1, 2)) > CONFIDENCE)


def diversity_picture(one: Differing) -> NDArray[np.uint8]:
    """The place as it is, then with what each checkpoint answers: dicentrics red, fragments blue."""
    shape = one.density.shape
    grey = np.repeat((255 * (1 - np.clip(one.density, 0, 1.2) / 1.2))[..., None], 3, axis=2)
    tiles = [_cut(grey, one)]
    for answers in one.maps:
        fine = [cv2.resize(each, shape[::-1], interpolation=cv2.INTER_LINEAR) for each in answers]
        picture = grey.copy()
        for values, colour in zip(fine, _COLOURS, strict=False):
            share = np.clip(values, 0, 1)[..., None] * 0.8
            picture = picture * (1 - share) + colour * share
        tiles.append(_cut(picture, one))
    gap = np.full((SIDE * ZOOM, 8, 3), 255.0)
    joined = np.concatenate([part for tile in tiles for part in (tile, gap)][:-1], axis=1)
    return np.rint(joined).astype(np.uint8)


def _cut(picture: NDArray[np.float64], one: Differing) -> NDArray[np.float64]:
    half = SIDE // 2
    wide = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    row, col = (int(round(value)) for value in one.place)
    return np.kron(wide[row : row + SIDE, col : col + SIDE], np.ones((ZOOM, ZOOM, 1)))
