"""Links -> tracks without gaps, as the Cell Tracking Challenge wants them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cytally.images.sequences.tracks import TrackRow
from cytally.livecell.motion.links import Node, Sighting
from cytally.types import FloatArray, IntArray


@dataclass(frozen=True)
class Tracks:
    """Nuclei through time.

    Attributes
    ----------
    rows : tuple of TrackRow
        Numbered from 1 in the order of their first frames.
    of : dict of Node to int
        Track of each nucleus.
    drift : ndarray of shape (frames, 2)
        Of the camera, see `camera_drift`.
    """

    rows: tuple[TrackRow, ...]
    of: dict[Node, int]
    drift: FloatArray

    @property
    def divisions(self) -> list[tuple[int, tuple[int, ...]]]:
        """(mother, daughters) for each division."""
        daughters: dict[int, list[int]] = {}
        for row in self.rows:
            if row.parent:
                daughters.setdefault(row.parent, []).append(row.number)
        return [(mother, tuple(born)) for mother, born in daughters.items() if len(born) > 1]


def tracks_of(links: Sequence[tuple[Node, Node]], sightings: Sequence[Sighting], drift: FloatArray) -> Tracks:
    """Cut links into pieces: at divisions, and where a nucleus was not seen for a frame or more."""
    later: dict[Node, list[Node]] = {}
    earlier: dict[Node, Node] = {}
    for before, after in links:
        later.setdefault(before, []).append(after)
        earlier[after] = before
    of: dict[Node, int] = {}
    rows: list[TrackRow] = []
    for time, seen in enumerate(sightings):
        for number in range(1, len(seen.places) + 1):
            node = (time, number)
            came = earlier.get(node)
            if came is not None and came[0] == time - 1 and len(later[came]) == 1:
                track = of[came]
                rows[track - 1] = TrackRow(track, rows[track - 1].first, time, rows[track - 1].parent)
            else:
                track = len(rows) + 1
                rows.append(TrackRow(track, time, time, of[came] if came is not None else 0))
            of[node] = track
    return Tracks(tuple(rows), of, drift)


def relabelled_masks(masks: Iterable[IntArray], tracks: Tracks) -> Iterator[IntArray]:
    """Masks numbered by track, one at a time."""
    for time, mask in enumerate(masks):
        lookup = np.zeros(int(mask.max(initial=0)) + 1, np.int32)
        for number in range(1, len(lookup)):
            lookup[number] = tracks.of[(time, number)]
        yield lookup[mask]
