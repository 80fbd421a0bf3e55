"""Named scenes of votes: a drawing, the rule, and what must be found, known by hand.

Each digit is the number of members, of four, whose heatmap exceeds their T_C at that place; a dot is
none. A place with *more* than T_A votes is part of a detection (preprint eq. 7); what touches at an edge
or a corner is one detection, and lies at its centroid. docs/cases.md shows the same drawings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEMBERS = 4


@dataclass(frozen=True)
class Scene:
    """A drawing, T_A, and (row, col, votes) of every detection."""

    drawing: str
    agreement: int
    expected: tuple[tuple[float, float, int], ...]

    @property
    def votes(self) -> NDArray[np.uint8]:
        """(h, w)."""
        return np.array([[0 if c == "." else int(c) for c in line.strip()] for line in self.drawing.split()], np.uint8)

    @property
    def maps(self) -> NDArray[np.float32]:
        """Heatmaps (members, 1, h, w): 0.9 where a member votes, 0.1 elsewhere."""
        members = np.arange(MEMBERS)[:, None, None]
        return np.where(members < self.votes, 0.9, 0.1).astype(np.float32)[:, None]


SCENES = {
    "empty_field": Scene("..... ..... .....", 0, ()),
    "one_object": Scene("..... .444. .444. .444. .....", 2, ((2, 2, 4),)),
    "as_many_votes_as_agreement_are_too_few": Scene("..... .222. .....", 2, ()),
    "one_more_than_agreement": Scene("..... .333. .....", 2, ((1, 2, 3),)),
    "two_apart": Scene("44...33 44...33", 2, ((0.5, 0.5, 4), (0.5, 5.5, 3))),
    "two_touching_at_a_corner": Scene("44.. 44.. ..44 ..44", 2, ((1.5, 1.5, 4),)),
    "a_flat_top_is_one": Scene(".44444.", 3, ((0, 3, 4),)),
    "doubtful_rim": Scene("11111 14441 11111", 2, ((1, 2, 4),)),
    "at_the_border": Scene("4.... 4.... .....", 0, ((0.5, 0, 4),)),
    "two_bridged_by_doubt": Scene("442244", 2, ((0, 0.5, 4), (0, 4.5, 4))),
}
