"""Agreement of experts against published numbers and another program."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from cytally.evaluation.agreement import agreement_matrix, cohen_kappa, krippendorff_alpha

ratings = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30)
_ = float("nan")
#: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: 4 observers, 12 units.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)


@pytest.mark.parametrize(("measure", "alpha"), [("nominal", 0.743), ("interval", 0.849)])
def test_alpha_is_the_published_one(measure, alpha):
    assert krippendorff_alpha(PUBLISHED, measure) == pytest.approx(alpha, abs=5e-4)


@given(ratings, st.sampled_from(["none", "linear", "quadratic"]))
def test_kappa_agrees_with_scikit_learn(pairs, weights):
    one, two = zip(*pairs, strict=True)
    if len(set(one) | set(two)) < 2:
        assert np.isnan(cohen_kappa(agreement_matrix(one, two), weights))
        return
    theirs = cohen_kappa_score(
        one, two, labels=range(max(*one, *two) + 1), weights=None if weights == "none" else weights
    )
    assert cohen_kappa(agreement_matrix(one, two), weights) == pytest.approx(theirs, rel=1e-9, abs=1e-12)


def test_the_matrix_of_the_thesis():
    """Table 6.5, false negatives of the pure classifiers: 90 images, kappa of the printed counts."""
    table = np.zeros((5, 5), int)
    table[0, :3], table[1, :3], table[2, 1], table[3, 4], table[4, 1] = (57, 14, 3), (6, 6, 2), 1, 1, 0
    one, two = np.nonzero(table)
    first, second = (np.repeat(each, table[one, two]) for each in (one, two))
    assert np.array_equal(agreement_matrix(first, second), table)
    assert table.sum() == 90
    assert cohen_kappa(table) == pytest.approx(cohen_kappa_score(first, second), rel=1e-12)


def test_full_agreement_is_one_and_one_rater_says_nothing():
    assert krippendorff_alpha(np.array([[1, 2, 3], [1, 2, 3.0]])) == 1
    assert np.isnan(krippendorff_alpha(np.array([[1, 2, 3.0]])))
