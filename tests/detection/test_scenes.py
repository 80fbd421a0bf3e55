"""The vote on every named scene, and the page that shows them."""

from pathlib import Path

import numpy as np
import pytest
from tests.cases.votes import MEMBERS, SCENES

from cytally.detection.vote import binary_votes, detect

PAGE = Path(__file__).parents[2] / "docs" / "cases.md"


@pytest.mark.parametrize("name", SCENES)
def test_what_is_found_is_what_is_drawn(name):
    scene = SCENES[name]
    votes = binary_votes(scene.maps, np.full((MEMBERS, 1), 0.5))
    assert np.array_equal(votes[0], scene.votes)
    found = detect(votes, scene.maps, [scene.agreement], ["dicentric"], stride=1)
    seen = sorted(zip(found.row.tolist(), found.col.tolist(), found.votes.tolist(), strict=True))
    assert len(seen) == len(scene.expected)
    for place, expected in zip(seen, sorted(scene.expected), strict=True):
        assert place == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", SCENES)
def test_a_stricter_rule_never_finds_more_of_the_area(name):
    """Votes fall as T_A rises: what is found under a stricter rule lies within what was found before."""
    votes = SCENES[name].votes
    for agreement in range(MEMBERS):
        assert not (votes > agreement + 1)[votes <= agreement].any()


@pytest.mark.parametrize("name", SCENES)
def test_the_page_shows_every_scene(name):
    text = PAGE.read_text()
    assert f"### {name}" in text and all(f"    {line}\n" in text for line in SCENES[name].drawing.split())
