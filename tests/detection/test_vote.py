import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytally.detection.thresholds import maxima, member_thresholds
from cytally.detection.vote import binary_votes, co_occurring, detect

maps_of = arrays(np.float32, (4, 2, 6, 7), elements=st.floats(0, 1, width=32))


def slow_votes(maps, confidence):
    """Preprint eq. 6 as plain loops."""
    members, classes, height, width = maps.shape
    votes = np.zeros((classes, height, width), int)
    for m in range(members):
        for k in range(classes):
            for u in range(height):
                for v in range(width):
                    votes[k, u, v] += maps[m, k, u, v] > np.float32(confidence[m][k])
    return votes


def slow_components(mask):
    """Flood fill over eight neighbours."""
    todo, groups = set(zip(*np.nonzero(mask), strict=True)), []
    while todo:
        group, edge = set(), [todo.pop()]
        while edge:
            u, v = edge.pop()
            group.add((u, v))
            near = {(u + a, v + b) for a in (-1, 0, 1) for b in (-1, 0, 1)} & todo
            todo -= near
            edge += near
        groups.append(group)
    return groups


@given(maps_of, st.floats(0.1, 0.9))
def test_votes_equal_their_slow_twin(maps, level):
    confidence = [[level, 0.5]] * 4
    np.testing.assert_array_equal(binary_votes(maps, np.array(confidence)), slow_votes(maps, confidence))


@given(maps_of, st.integers(0, 3))
def test_one_detection_per_component_with_its_votes(maps, agreement):
    votes = binary_votes(maps, np.full((4, 2), 0.5))
    found = detect(votes, maps, [agreement, agreement], ("dicentric", "fragment"), 4)
    for channel, name in enumerate(("dicentric", "fragment")):
        groups = slow_components(votes[channel] > agreement)
        mine = [k for k, n in enumerate(found.names) if n == name]
        assert len(mine) == len(groups)
        expected = sorted(max(votes[channel, u, v] for u, v in g) for g in groups)
        assert sorted(found.votes[mine].tolist()) == expected


@given(maps_of)
def test_places_won_shrink_as_agreement_rises(maps):
    votes = binary_votes(maps, np.full((4, 2), 0.5))
    won = [(votes > agreement).sum() for agreement in range(4)]
    assert won == sorted(won, reverse=True)


def test_position_confidence_and_spread_of_one_blob():
    maps = np.zeros((3, 1, 9, 9), np.float32)
    for member, height in enumerate((0.9, 0.7, 0.2)):
        maps[member, 0, 3:6, 4:7] = height
    found = detect(binary_votes(maps, np.full((3, 1), 0.5)), maps, [1], ("dicentric",), 4)
    assert found.names == ("dicentric",)
    assert (found.row[0], found.col[0]) == (4 * 4.5 - 0.5, 4 * 5.5 - 0.5)  # centre of map pixel (4, 5)
    assert found.votes[0] == 2 and found.members == 3
    assert found.confidence[0] == pytest.approx(0.6) and found.spread[0] == pytest.approx(np.std([0.9, 0.7, 0.2]))


def test_a_flat_top_is_one_detection():
    maps = np.zeros((2, 1, 8, 8), np.float32)
    maps[:, 0, 2:6, 2:6] = 0.75  # low precision makes such tops
    found = detect(binary_votes(maps, np.full((2, 1), 0.5)), maps, [1], ("dicentric",), 4)
    assert len(found) == 1


def test_nothing_won_is_an_empty_table():
    found = detect(
        np.zeros((2, 5, 5), np.uint8),
        np.zeros((3, 2, 5, 5), np.float32),
        [1, 1],
        ("dicentric", "fragment"),
        4,
    )
    assert len(found) == 0 and found.count("dicentric") == 0


def test_a_dicentric_without_a_fragment_is_dropped_and_with_one_kept():
    maps = np.zeros((1, 2, 9, 9), np.float32)
    maps[0, 0, 2, 2] = maps[0, 0, 6, 6] = 0.9
    votes = binary_votes(maps, np.full((1, 2), 0.5))
    hard_rule_probability = detect(votes, maps, [0, 0], ("dicentric", "fragment"), 4)
    assert (
        hard_rule_probability.count("dicentric"),
        co_occurring(hard_rule_probability).count("dicentric"),
    ) == (2, 0)
    maps[0, 1, 4, 4] = 0.9
    both = detect(binary_votes(maps, np.full((1, 2), 0.5)), maps, [0, 0], ("dicentric", "fragment"), 4)
    assert co_occurring(both).count("dicentric") == 2


def test_thresholds_are_each_members_own_quantile(rng):
    highest = rng.random((200, 3, 2)) * np.array([0.3, 0.6, 0.9])[:, None]
    found = member_thresholds(highest, [0.5, 0.9])
    for member in range(3):
        for channel, q in enumerate((0.5, 0.9)):
            ordered = sorted(highest[:, member, channel])
            assert found[member, channel] == pytest.approx(ordered[int(q * 199)], abs=0.03)
    assert found[0, 0] < found[1, 0] < found[2, 0]


def test_maxima_are_taken_per_member_and_class(rng):
    maps = rng.random((3, 2, 4, 5))
    assert maxima(maps)[1, 0] == maps[1, 0].max()
