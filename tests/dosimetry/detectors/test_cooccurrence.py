"""What else a cell holds: answers worked out by hand, a slow twin, laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytally.dosimetry.detectors.cooccurrence import REACH, evidence, weigh

DICENTRIC, FRAGMENT = 0, 1


def cell(*things):
    """Places, classes and probabilities of (class, row, col, probability)."""
    what, row, col, p = (np.array(column) for column in zip(*things, strict=True))
    return np.stack([row, col], axis=1).astype(float), what.astype(int), p.astype(float)


def test_evidence_by_hand():
    """Fragments of 0.5 and 0.8 elsewhere: 1 - 0.5 x 0.2 = 0.9; for these, the dicentric's 0.6."""
    found = cell((DICENTRIC, 0, 0, 0.6), (FRAGMENT, 0, 100, 0.5), (FRAGMENT, 100, 0, 0.8))
    np.testing.assert_allclose(evidence(*found), [0.9, 0.6, 0.6])


def test_weighing_by_hand():
    """Odds 0.6/0.4 = 1.5; evidence 0.9 has odds 9; with weight 1/2 the odds are 1.5 x 3 = 4.5."""
    found = cell((DICENTRIC, 0, 0, 0.6), (FRAGMENT, 0, 100, 0.5), (FRAGMENT, 100, 0, 0.8))
    np.testing.assert_allclose(weigh(*found, [0.5, 0.0]), [4.5 / 5.5, 0.5, 0.8])


def test_a_place_proposed_twice_does_not_vouch_for_itself():
    near, far = REACH - 1, REACH + 1
    assert evidence(*cell((DICENTRIC, 0, 0, 0.6), (FRAGMENT, 0, near, 0.9)))[0] == 0
    assert evidence(*cell((DICENTRIC, 0, 0, 0.6), (FRAGMENT, 0, far, 0.9)))[0] == pytest.approx(0.9)


def test_a_hundred_weak_answers_are_no_fragment():
    weak = [(FRAGMENT, 100, 30 * k, 0.05) for k in range(100)]
    assert evidence(*cell((DICENTRIC, 0, 0, 0.6), *weak))[0] == 0


def test_alone_a_dicentric_is_believed_less_and_nothing_is_certain():
    hard_rule_probability = weigh(*cell((DICENTRIC, 0, 0, 0.9)), [1.0, 0.0])
    np.testing.assert_allclose(hard_rule_probability, 9 * 3 / 97 / (1 + 9 * 3 / 97))
    sure = weigh(*cell((DICENTRIC, 0, 0, 1.0), (FRAGMENT, 0, 99, 1.0)), [5.0, 5.0])
    assert np.isfinite(sure).all() and (sure < 1).all()


def test_no_proposal_is_no_answer():
    nothing = (np.zeros((0, 2)), np.zeros(0, int), np.zeros(0))
    assert len(evidence(*nothing)) == 0 and len(weigh(*nothing, [0.5, 0.2])) == 0


@st.composite
def cells(draw):
    n = draw(st.integers(1, 12))
    return (
        draw(arrays(float, (n, 2), elements=st.floats(0, 200))),
        draw(arrays(np.int64, n, elements=st.integers(0, 2))),
        draw(arrays(float, n, elements=st.floats(0, 1))),
    )


@settings(max_examples=60, deadline=None)
@given(cells())
def test_evidence_like_a_slow_twin(found):
    places, classes, p = found
    slow = []
    for i in range(len(p)):
        absent = 1.0
        for j in range(len(p)):
            apart = np.hypot(*(places[i] - places[j])) > REACH
            if classes[j] != classes[i] and apart and p[j] >= 0.1:
                absent *= 1 - p[j]
        slow.append(1 - absent)
    np.testing.assert_allclose(evidence(*found), slow, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(cells(), st.floats(0, 3))
def test_weighing_keeps_the_order_and_zero_weight_changes_nothing(found, weight):
    p = found[2]
    np.testing.assert_array_equal(weigh(*found, [0.0, 0.0, 0.0]), p)
    weighed, seen = weigh(*found, [weight] * 3), evidence(*found)
    assert ((weighed >= 0) & (weighed <= 1)).all()
    for i in range(len(p)):
        for j in range(len(p)):
            if p[i] <= p[j] and seen[i] <= seen[j] and p[i] > 1e-3 and p[j] < 0.999:
                assert weighed[i] <= weighed[j] + 1e-12
