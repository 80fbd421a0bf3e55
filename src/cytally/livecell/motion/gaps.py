"""A nucleus that was seen before and after was there in between: gaps of tracks are filled.

A detector that misses one nucleus in fifty breaks every track of fifty frames. What is drawn in a
gap is the nucleus as it was last seen, moved to where it must have been; where two nuclei had run
into one another and were found as one, that one is parted between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cytally.livecell.motion.links import Node, Sighting
from cytally.segmentation.declump import areas
from cytally.segmentation.regions import centres
from cytally.types import FloatArray, IntArray

Link = tuple[Node, Node]
#: Of a nucleus at the border so many pixels must be in view, and of these this part uncovered.
_SMALLEST = 8
_UNCOVERED = 0.25
#: A nucleus this many times as large as it was before and is after holds another one.
_MERGED = 1.3


@dataclass(frozen=True)
class Filling:
    """A nucleus drawn where none was found.

    Attributes
    ----------
    number : int
        In the frame's mask; the next after those that were found.
    pixels : ndarray of int
        Flat indices into the mask.
    """

    number: int
    pixels: NDArray[np.intp]


@dataclass(frozen=True)
class Filled:
    """Links without gaps that could be filled, and what is drawn in each frame."""

    links: list[Link]
    sightings: list[Sighting]
    fillings: dict[int, list[Filling]]


@dataclass
class _Gap:
    """A link over frames in which the nucleus was not found; `chain` grows as they are filled."""

    start: Node
    end: Node
    chain: list[Node]
    shape: FloatArray

    def place(self, time: int, seen: Sequence[Sighting]) -> FloatArray:
        """Where the nucleus must have been, on a straight line."""
        one, two = _place(self.start, seen), _place(self.end, seen)
        share = (time - self.start[0]) / (self.end[0] - self.start[0])
        return np.asarray(one + share * (two - one))


def fill_gaps(
    links: Sequence[Link], sightings: Sequence[Sighting], masks: Iterable[IntArray], drift: FloatArray
) -> Filled:
    """Draw nuclei into the frames in which they were not found.

    Parameters
    ----------
    links : sequence of (Node, Node)
        From `link`; only those that leave out frames are changed.
    sightings : sequence of Sighting
        In time.
    masks : iterable of ndarray (h, w)
        The same frames, read one at a time.
    drift : ndarray of shape (frames, 2)
        Of the camera, see `camera_drift`.
    """
    waiting = _gaps(links)
    skipping = {(gap.start, gap.end) for gap in waiting}
    neighbours = _neighbours(links)
    seen = list(sightings)
    fillings: dict[int, list[Filling]] = {}
    running: list[_Gap] = []
    for time, mask in enumerate(masks):
        running = [gap for gap in running if gap.end[0] > time]
        drawn = mask.copy() if running else mask
        for gap in running:
            place = gap.place(time, sightings)
            view = _in_view(drawn, gap.shape + place - drift[time])
            free = view[drawn.ravel()[view] == 0]
            pixels = np.union1d(free, _share(drawn, place, time, seen, neighbours, drift[time]))
            if len(pixels) < max(_SMALLEST, _UNCOVERED * len(view)):
                continue
            number = len(seen[time].places) + 1
            drawn.ravel()[pixels] = number
            seen[time] = replace(seen[time], places=centres(drawn) + drift[time], areas=areas(drawn))
            fillings.setdefault(time, []).append(Filling(number, pixels))
            gap.chain.append((time, number))
        for gap in waiting:
            if gap.start[0] == time:
                gap.shape = np.argwhere(mask == gap.start[1]) + drift[time] - _place(gap.start, sightings)
                running.append(gap)
    kept = [each for each in links if each not in skipping]
    chains = [[*gap.chain, gap.end] for gap in waiting]
    return Filled(kept + [pair for chain in chains for pair in pairwise(chain)], seen, fillings)


def drawn_masks(masks: Iterable[IntArray], filled: Filled) -> Iterator[IntArray]:
    """Masks with what was filled in, one at a time."""
    for time, mask in enumerate(masks):
        drawn = mask.copy()
        for filling in filled.fillings.get(time, []):
            drawn.ravel()[filling.pixels] = filling.number
        yield drawn


def _gaps(links: Sequence[Link]) -> list[_Gap]:
    """Links over frames, but not from a mother to a daughter."""
    later = Counter(before for before, _ in links)
    return [
        _Gap(before, after, [before], np.zeros((0, 2)))
        for before, after in links
        if after[0] - before[0] > 1 and later[before] == 1
    ]


def _neighbours(links: Sequence[Link]) -> dict[Node, list[Node]]:
    """What each nucleus was in the frame before and is in the frame after."""
    beside: dict[Node, list[Node]] = {}
    for before, after in links:
        if after[0] - before[0] == 1:
            beside.setdefault(before, []).append(after)
            beside.setdefault(after, []).append(before)
    return beside


def _in_view(mask: IntArray, points: FloatArray) -> NDArray[np.intp]:
    """Flat indices of the points (n, 2) that lie in a mask."""
    row, col = np.floor(points + 0.5).astype(int).T
    inside = (row >= 0) & (col >= 0) & (row < mask.shape[0]) & (col < mask.shape[1])
    return np.asarray(row[inside] * mask.shape[1] + col[inside], np.intp)


def _share(
    mask: IntArray,
    place: FloatArray,
    time: int,
    seen: Sequence[Sighting],
    neighbours: Mapping[Node, list[Node]],
    drift: FloatArray,
) -> NDArray[np.intp]:
    """Our part of a nucleus that is two: its pixels nearer to our place than to its own."""
    row, col = np.floor(place - drift + 0.5).astype(int)
    if not (0 <= row < mask.shape[0] and 0 <= col < mask.shape[1]) or not mask[row, col]:
        return np.zeros(0, np.intp)
    host = int(mask[row, col])
    known = neighbours.get((time, host), [])
    usual = [float(seen[t].areas[k - 1]) for t, k in known]
    if not known or seen[time].areas[host - 1] < _MERGED * np.mean(usual):
        return np.zeros(0, np.intp)
    theirs = np.mean([_place(node, seen) for node in known], axis=0)
    points = np.argwhere(mask == host)
    ours = _far(points + drift, place) < _far(points + drift, theirs)
    return np.asarray(points[ours] @ (mask.shape[1], 1), np.intp)


def _far(points: FloatArray, place: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(points - place, axis=1))


def _place(node: Node, seen: Sequence[Sighting]) -> FloatArray:
    return np.asarray(seen[node[0]].places[node[1] - 1])
