import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.evaluation.detection import Draws, Labelled, sweep
from cytally.evaluation.matching import Hits, assign, match_components, match_one_to_one

places = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=5).map(
    lambda rows: np.array(rows, dtype=float).reshape(-1, 2)
)


def field(*squares):
    mask = np.zeros((20, 20), bool)
    for row, col in squares:
        mask[row : row + 3, col : col + 3] = True
    return mask


def test_the_toy_example_of_the_thesis():
    """Figure 4.6: two hits, one miss, one false alarm; precision and recall 2/3."""
    truth, predicted = field((1, 1), (1, 12), (12, 1)), field((2, 2), (1, 12), (14, 14))
    hits = match_components(predicted, truth.astype(float))
    assert hits == Hits(2, 1, 1)
    assert hits.precision == pytest.approx(2 / 3) and hits.recall == pytest.approx(2 / 3)


def test_where_the_two_ways_of_counting_differ():
    """One prediction over two truths: two hits by components, one hit one to one."""
    truth, predicted = field((5, 2), (5, 8)), np.zeros((20, 20), bool)
    predicted[5:8, 2:11] = True
    assert match_components(predicted, truth.astype(float)) == Hits(2, 0, 0)
    found, real = np.array([[6, 6.0]]), np.array([[6, 3.0], [6, 9.0]])
    assert match_one_to_one(found, real, 5) == Hits(1, 0, 1)


def test_nothing_anywhere_has_undefined_precision():
    hits = match_components(np.zeros((4, 4), bool), np.zeros((4, 4)))
    assert hits == Hits(0, 0, 0) and np.isnan(hits.precision) and np.isnan(hits.recall)


@given(places, places, st.floats(1, 15), st.randoms())
def test_matching_ignores_order(found, truth, radius, random):
    order = list(range(len(found)))
    random.shuffle(order)
    assert match_one_to_one(found, truth, radius) == match_one_to_one(found[order], truth, radius)


@given(places, places, st.floats(1, 15))
def test_pairs_are_one_to_one_and_near(found, truth, radius):
    pairs = assign(found, truth, radius)
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    assert all(np.linalg.norm(found[a] - truth[b]) <= radius for a, b in pairs)


@given(places, places, st.floats(1, 15))
def test_as_many_pairs_as_any_assignment_can_have(found, truth, radius):
    """Kuhn's augmenting paths, written out."""
    near = [[b for b in range(len(truth)) if np.linalg.norm(found[a] - truth[b]) <= radius] for a in range(len(found))]
    taken: dict[int, int] = {}

    def place(a, seen):
        for b in near[a]:
            if b not in seen:
                seen.add(b)
                if b not in taken or place(taken[b], seen):
                    taken[b] = a
                    return True
        return False

    most = sum(place(a, set()) for a in range(len(found)))
    assert len(assign(found, truth, radius)) == most


def test_a_sweep_counts_singles_and_ensembles():
    """Two members see the one truth, the third sees another place: 2 of 3 votes keep only the truth."""
    maps = np.zeros((3, 1, 12, 12), np.float32)
    maps[0, 0, 5, 5] = maps[1, 0, 5, 5] = maps[2, 0, 1, 10] = 0.65
    found = sweep([Labelled(maps, (np.array([[21.5, 21.5]]),))], Draws(3, 1, count=4), stride=4, sigma=1.0)
    at = found.confidences.index(0.5)
    assert found.singles[:, at, 0].tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert found.ensembles[0, at, 0].tolist() == [1, 0, 0]
    band = found.band("ensembles", 0)
    assert band.precision[at] == 1 and band.recall[at] == 1
    assert band.recall[found.confidences.index(0.7)] == 0 and band.precision[-1] == 1
