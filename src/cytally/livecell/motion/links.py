"""Nuclei of one frame to those of the next, over gaps and through divisions.

laptrack solves the assignment (Jaqaman et al. 2008); the costs are ours: squared distance in
coordinates freed of the camera's drift, in units of a typical nucleus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from cytally.errors import SettingsError
from cytally.types import FloatArray

#: A nucleus in a sequence: (frame, its number in that frame's mask).
Node = tuple[int, int]
#: A nucleus that grows so much from one frame to the next is two that ran into one another.
_DOUBLED = 1.5


@dataclass(frozen=True)
class LinkSettings:
    """How far nuclei may go; lengths in diameters of a typical nucleus.

    Attributes
    ----------
    step : float
        From one frame to the next.
    gap, gap_frames : float, int
        Over frames in which it was not found, and how many those may be.
    division : float
        From a mother to a daughter.
    away : int
        Frames for which a nucleus may be out of view and be known again on coming back.
    """

    step: float = 1.1
    gap: float = 1.1
    gap_frames: int = 3
    division: float = 1.4
    away: int = 12


@dataclass(frozen=True)
class Sighting:
    """Nuclei of one frame.

    Attributes
    ----------
    places : ndarray of shape (n, 2)
        Centres in coordinates of the first frame.
    areas : ndarray of shape (n,)
        Pixels.
    view : tuple of float
        Top, left, bottom, right of what the camera saw, same coordinates.
    """

    places: FloatArray
    areas: FloatArray
    view: tuple[float, float, float, float]


def link(sightings: Sequence[Sighting], settings: LinkSettings | None = None) -> list[tuple[Node, Node]]:
    """Links from a nucleus to itself in a later frame, or to its daughters.

    Parameters
    ----------
    sightings : sequence of Sighting
        In time.
    settings : LinkSettings, optional

    Returns
    -------
    list of (Node, Node)
        Earlier to later. A node has at most one earlier; two later where it divides.

    Raises
    ------
    SettingsError
        laptrack is not installed.
    """
    settings = settings or LinkSettings()
    sizes = np.concatenate([s.areas for s in sightings]) if sightings else np.zeros(0)
    if not sizes.size:
        return []
    diameter = 2 * float(np.sqrt(np.median(sizes) / np.pi))
    if sum(len(s.places) > 0 for s in sightings) < 2:
        return []
    tracker = _laptrack()(
        metric="sqeuclidean",
        cutoff=settings.step**2,
        gap_closing_metric="sqeuclidean",
        gap_closing_cutoff=settings.gap**2,
        gap_closing_max_frame_count=settings.gap_frames,
        splitting_metric="sqeuclidean",
        splitting_cutoff=settings.division**2,
        merging_cutoff=False,
    )
    tree = tracker.predict([s.places / diameter for s in sightings])
    links = [_in_time(a, b) for a, b in tree.edges()]
    links = plausible(links, sightings)
    links = links + closed(links, sightings, diameter, settings)
    return links + returned(links, sightings, diameter, settings)


def plausible(links: list[tuple[Node, Node]], sightings: Sequence[Sighting]) -> list[tuple[Node, Node]]:
    """Without divisions that cannot be: daughters are smaller than the mother was, and alike.

    Where a nucleus has two successors that are too unlike or too large to be daughters, or was
    itself two that had run into one another, the nearer one is the nucleus itself and the other
    one new.
    """
    later: dict[Node, list[Node]] = {}
    for before, after in links:
        later.setdefault(before, []).append(after)
    dropped = set()
    earlier = {after: before for before, after in links}
    for mother, found in later.items():
        if len(found) < 2:
            continue
        area = _largest_before(mother, earlier, sightings)
        one, two = (float(sightings[t].areas[k - 1]) for t, k in found[:2])
        two_in_one = _grown(mother, earlier, sightings) > _DOUBLED
        if two_in_one or max(one, two) > 1.0 * area or min(one, two) < 0.4 * max(one, two):
            places = [sightings[t].places[k - 1] for t, k in found[:2]]
            here = sightings[mother[0]].places[mother[1] - 1]
            far = int(np.argmax([np.linalg.norm(place - here) for place in places]))
            dropped.add((mother, found[far]))
    return [each for each in links if each not in dropped]


def closed(
    links: list[tuple[Node, Node]], sightings: Sequence[Sighting], diameter: float, settings: LinkSettings
) -> list[tuple[Node, Node]]:
    """Links over the frames in which a nucleus was one with another."""
    ends, starts = _loose(links, sightings)
    return _matched(ends, starts, sightings, diameter, settings.gap, settings.gap_frames + 1)


def returned(
    links: list[tuple[Node, Node]], sightings: Sequence[Sighting], diameter: float, settings: LinkSettings
) -> list[tuple[Node, Node]]:
    """Links from nuclei that went out of view to those that came into it at the same place later."""
    ends, starts = _loose(links, sightings)
    ends = [node for node in ends if _near_edge(node, sightings, 1, diameter)]
    starts = [node for node in starts if _near_edge(node, sightings, -1, diameter)]
    return _matched(ends, starts, sightings, diameter, settings.gap, settings.away)


def _loose(links: list[tuple[Node, Node]], sightings: Sequence[Sighting]) -> tuple[list[Node], list[Node]]:
    """Nuclei that are nowhere later, but in the last frame, and nowhere earlier, but in the first."""
    has_later, has_earlier = {a for a, _ in links}, {b for _, b in links}
    nodes = [(t, k) for t, s in enumerate(sightings) for k in range(1, len(s.places) + 1)]
    last = len(sightings) - 1
    return (
        [node for node in nodes if node not in has_later and node[0] < last],
        [node for node in nodes if node not in has_earlier and node[0] > 0],
    )


def _matched(
    ends: list[Node],
    starts: list[Node],
    sightings: Sequence[Sighting],
    diameter: float,
    reach: float,
    wait: int,
) -> list[tuple[Node, Node]]:
    """Ends and starts of tracks at most `wait` frames and `reach` diameters apart, most and nearest first."""
    if not ends or not starts:
        return []
    one = np.array([_place(node, sightings) for node in ends])
    two = np.array([_place(node, sightings) for node in starts])
    far = np.linalg.norm(one[:, None] - two[None], axis=2) / diameter
    frames = np.array([node[0] for node in starts]) - np.array([node[0] for node in ends])[:, None]
    near = (far < reach) & (frames > 1) & (frames <= wait)
    rows, cols = linear_sum_assignment(np.where(near, far - 1e3, 0.0))
    return [(ends[r], starts[c]) for r, c in zip(rows, cols, strict=True) if near[r, c]]


def _near_edge(node: Node, sightings: Sequence[Sighting], toward: int, diameter: float) -> bool:
    """Out of view, or nearly, in the neighbouring frame."""
    place = _place(node, sightings)
    views = [sightings[node[0]].view, sightings[node[0] + toward].view]
    return any(
        place[0] < top + diameter
        or place[1] < left + diameter
        or place[0] > bottom - diameter
        or place[1] > right - diameter
        for top, left, bottom, right in views
    )


def _place(node: Node, sightings: Sequence[Sighting]) -> FloatArray:
    return np.asarray(sightings[node[0]].places[node[1] - 1])


def _largest_before(node: Node, earlier: dict[Node, Node], sightings: Sequence[Sighting]) -> float:
    """Largest area of a nucleus in its last eight frames: it condenses before it divides."""
    largest = 0.0
    for _ in range(8):
        largest = max(largest, float(sightings[node[0]].areas[node[1] - 1]))
        if node not in earlier:
            break
        node = earlier[node]
    return largest


def _grown(node: Node, earlier: dict[Node, Node], sightings: Sequence[Sighting]) -> float:
    """By how much a nucleus is larger than in the frame before; 1 where it was not seen then."""
    before = earlier.get(node)
    if before is None or before[0] < node[0] - 1:
        return 1.0
    return float(sightings[node[0]].areas[node[1] - 1] / sightings[before[0]].areas[before[1] - 1])


def _in_time(a: tuple[int, int], b: tuple[int, int]) -> tuple[Node, Node]:
    """Laptrack counts nuclei of a frame from 0; masks count from 1."""
    one, two = (int(a[0]), int(a[1]) + 1), (int(b[0]), int(b[1]) + 1)
    return (one, two) if one[0] < two[0] else (two, one)


def require_tracker() -> None:
    """Ask for what links nuclei before any work is done.

    Raises
    ------
    SettingsError
        laptrack is not installed.
    """
    _laptrack()


def _laptrack() -> Any:
    """The class of the tracker, which has no types of its own."""
    try:
        from laptrack import LapTrack
    except ImportError as error:
        raise SettingsError(
            "tracking needs laptrack, which is not installed; in the folder of cytally: pip install -e '.[livecell]', "
            "or count without tracks ('livecell count')"
        ) from error
    return LapTrack
