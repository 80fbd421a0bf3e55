"""Causes of false detections, on bodies whose answer is drawn by hand."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from cytally.dosimetry.measure.causes import CAUSES, cause, crossed, tally, turning, width_of
from cytally.dosimetry.simulate.karyotype import normal_karyotype
from cytally.dosimetry.simulate.picture.shape import Body


@dataclass(frozen=True)
class Cell:
    bodies: tuple[Body, ...]


def straight(row, col, angle=0.0, length=60.0, distance=12.0):
    """A body 20 px wide through (row, col), its centromere in the middle."""
    along = np.linspace(-length / 2, length / 2, 31)
    direction, normal = np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])
    line = np.array([row, col]) + along[:, None] * direction
    apart = np.full(31, distance)
    apart[13:18] = 4.0  # the centromere
    chromatids = np.stack([line + s * apart[:, None] / 2 * normal for s in (1, -1)])
    return Body(
        normal_karyotype(np.random.default_rng(0))[0],
        line,
        chromatids,
        np.full((2, 31), 4.0),
        np.ones(31),
        line[15:16],
        np.zeros((0, 2)),
        (),
    )


def test_an_empty_place_is_debris():
    assert cause(np.array([300.0, 300.0]), Cell((straight(100, 100),))) == "debris or nucleus"


def test_a_lonely_straight_chromosome_is_just_that():
    body = straight(100, 100)
    assert width_of(body) == 20 and not crossed(body) and turning(body) < 1e-9
    assert cause(np.array([101.0, 99.0]), Cell((body, straight(300, 300)))) == "single chromosome"


@pytest.mark.parametrize(
    ("other", "place", "expected"),
    [
        (straight(100, 100, np.pi / 2), (100, 100), "crossing or overlapping"),
        (straight(100, 172), (100, 135), "touching end to end"),
        (straight(120, 100), (110, 100), "touching side by side"),
        (straight(100, 210), (100, 125), "single chromosome"),
    ],
)
def test_two_chromosomes(other, place, expected):
    assert cause(np.array(place, float), Cell((straight(100, 100), other))) == expected


def test_chromatids_that_meet_away_from_the_centromere_are_twisted():
    body = straight(100, 100)
    chromatids = body.chromatids.copy()
    chromatids[:, 4:7] = body.centreline[4:7]
    twisted = replace(body, chromatids=chromatids)
    assert crossed(twisted)
    assert cause(np.array([100.0, 80.0]), Cell((twisted,))) == "twisted chromatids"


def test_an_arc_is_bent():
    body, angle = straight(100, 100), np.linspace(0, 2, 31)
    line = 100 + 30 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    arc = replace(body, centreline=line, chromatids=np.stack([line + 4, line - 4]), centromeres=line[15:16])
    assert abs(turning(arc) - 2) < 0.1  # the chords of 30 steps
    assert cause(line[15], Cell((arc,))) == "bent"


def test_counts_add_up():
    assert tally(["bent", "bent", "debris or nucleus"]).tolist() == [1, 0, 0, 0, 0, 2, 0]
    assert len(CAUSES) == 7
