"""Simulated cells -> densities and places whose kind the simulator knows.

The published figure colours its background grey, as nobody labelled it: "background, monocentric
or debris". A simulator can tell these apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.measure.causes import width_of
from cytally.dosimetry.simulate.cell import SimulatedCell
from cytally.dosimetry.training.sources import CLASSES, SimulatedSource
from cytally.errors import ImageError
from cytally.progress import Progress
from cytally.training.examples import pack, unpack
from cytally.types import FloatArray, Image, IntArray

Float32 = NDArray[np.float32]
#: What a place can be; the first two are labels, all others are background.
KINDS = (*CLASSES, "centromere", "crossing", "nucleus", "debris", "empty slide")
#: The three classes of the published figure: what each kind belongs to.
GROUPS = (*CLASSES, "background")
#: No background place lies nearer to a label than this, pixels of the normalised image.
_CLEAR = 20.0
#: Centrelines of two bodies nearer than this part of a width cross (as in measure/causes).
_OVERLAP = 0.55
#: Farther than this from every body, pixels of the image, something stained is no chromosome.
_AWAY = 12.0
#: Stained at all, and not stained (optical density, chromosomes are 1); smallest nucleus, normalised pixels.
_STAINED, _UNSTAINED, _NUCLEUS = 0.35, 0.12, 1500


@dataclass(frozen=True)
class PlacedCell:
    """A cell as networks see it, and places in it.

    Attributes
    ----------
    packed : ndarray of uint8, shape (h, w)
    labels : tuple of ndarray of shape (n, 2)
        All places of each of `CLASSES`, in the normalised grid.
    places : ndarray of shape (m, 2)
        Labels and background, in the normalised grid.
    kinds : ndarray of int, shape (m,)
        Of each place, by number in `KINDS`.
    """

    packed: NDArray[np.uint8]
    labels: tuple[FloatArray, ...]
    places: FloatArray
    kinds: IntArray

    @property
    def density(self) -> Float32:
        """Optical density (h, w)."""
        return unpack(self.packed)


def groups_of(kinds: IntArray) -> IntArray:
    """Numbers in `GROUPS` of kinds: everything that is no label is background."""
    return np.minimum(np.asarray(kinds), len(CLASSES))


def placed_cells(source: SimulatedSource, first: int, count: int, progress: Progress, stage: str) -> list[PlacedCell]:
    """Cells `first`, `first + 1`, ... of a source; one that cannot be normalised gives way to the next."""
    found: list[PlacedCell] = []
    number = first
    while len(found) < count:
        made = source.simulated(number)
        number += 1
        try:
            density = normalise(made.image if number % 4 == 0 else Image(made.image.pixels))
        except ImageError:
            continue
        found.append(placed(made, density, np.random.default_rng([source.seed, number, 1])))
        progress(stage, len(found), count)
    return found


def placed(made: SimulatedCell, density: Density, rng: np.random.Generator) -> PlacedCell:
    """Labels of a cell, and as many places of each kind of background as there are labels, where it has so many."""
    shape = density.values.shape
    labels = tuple(_inside(density.from_image(made.points.of(name)), shape) for name in CLASSES)
    every = np.concatenate(labels)
    wanted = len(every)
    choices = [
        density.from_image(_centromeres(made)),
        density.from_image(_crossings(made)),
        *_away(made, density),
    ]
    kept = [_some(_clear(_inside(each, shape), every), wanted, rng) for each in choices]
    parts = [*labels, *kept]
    kinds = np.repeat(np.arange(len(KINDS)), [len(part) for part in parts])
    return PlacedCell(pack(density.values), labels, np.concatenate(parts), kinds)


def _centromeres(made: SimulatedCell) -> FloatArray:
    """Of bodies with one centromere: what looks most like half a dicentric."""
    found = [body.centromeres for body in made.bodies if len(body.centromeres) == 1 and not body.aberrations]
    return np.concatenate(found) if found else np.zeros((0, 2))


def _crossings(made: SimulatedCell) -> FloatArray:
    """Where centrelines of two bodies come so near that the bodies overlap, a place each pair."""
    points = np.concatenate([body.centreline for body in made.bodies])
    owners = np.repeat(np.arange(len(made.bodies)), [len(body.centreline) for body in made.bodies])
    width = float(np.median([width_of(body) for body in made.bodies]))
    pairs = cKDTree(points).query_pairs(_OVERLAP * width, output_type="ndarray")
    pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
    _, once = np.unique(owners[pairs], axis=0, return_index=True)
    return np.asarray(points[pairs[once]].mean(axis=1)).reshape(-1, 2)


def _away(made: SimulatedCell, density: Density) -> list[FloatArray]:
    """Places of nuclei, of debris and of empty slide, far from all bodies; a place each object, all of the slide."""
    far = cv2.distanceTransform((made.masks == 0).astype(np.uint8), cv2.DIST_L2, 5) > _AWAY
    height, width = density.values.shape
    free = cv2.resize(far.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    smooth = cv2.GaussianBlur(density.values, (0, 0), 1.5)
    _, labels, sizes, middles = cv2.connectedComponentsWithStats((free & (smooth > _STAINED)).astype(np.uint8))
    areas = sizes[1:, cv2.CC_STAT_AREA]
    at = np.rint(middles[1:, ::-1]).astype(int)
    own = labels[at[:, 0], at[:, 1]] == np.arange(1, len(sizes))  # the middle of a curl lies beside it
    nuclei, debris = own & (areas >= _NUCLEUS), own & (areas < _NUCLEUS) & (areas >= 4)
    slide = np.argwhere(free & (np.abs(smooth) < _UNSTAINED))
    return [at[nuclei].astype(float), at[debris].astype(float), slide.astype(float)]


def _inside(places: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Those places that lie in the grid."""
    kept = (places >= -0.5).all(axis=1) & (places < np.array(shape) - 0.5).all(axis=1)
    return np.asarray(places[kept])


def _clear(places: FloatArray, labels: FloatArray) -> FloatArray:
    """Those places that no label is near."""
    if not len(labels) or not len(places):
        return places
    distance, _ = cKDTree(labels).query(places)
    return np.asarray(places[distance > _CLEAR])


def _some(places: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """So many of them at random, or all."""
    return places[rng.permutation(len(places))[:count]] if len(places) > count else places
