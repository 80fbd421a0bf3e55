"""AUROC against scikit-learn; limits by clusters."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cytally.statistics.ranks import Clusters, auroc, weighted_aurocs


def test_auroc_is_that_of_scikit_learn_with_ties(rng):
    values, positive = rng.integers(0, 6, 300).astype(float), rng.random(300) < 0.3
    assert auroc(values, positive) == pytest.approx(roc_auc_score(positive, values), abs=1e-12)
    assert np.isnan(auroc(values, np.zeros(300, bool)))


def test_limits_hold_the_value_and_widen_where_clusters_repeat_themselves(rng):
    values, positive = rng.normal(size=60), rng.random(60) < 0.5
    values[positive] += 1
    alone = Clusters.of(np.arange(60)).ranked(values, positive)
    often, told = np.tile(values, 4), np.tile(positive, 4)
    together = Clusters.of(np.tile(np.arange(60), 4)).ranked(often, told)
    split = Clusters.of(np.arange(240)).ranked(often, told)
    assert alone.low < alone.value < alone.high
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low > 1.5 * (split.high - split.low)


def test_a_difference_is_taken_on_the_same_resamples(rng):
    values, positive = rng.normal(size=80), rng.random(80) < 0.5
    same = Clusters.of(np.arange(80)).difference(values, 2 * values + 1, positive)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    none = Clusters.of(np.zeros(0, int)).ranked(np.zeros(0), np.zeros(0, bool))
    assert np.isnan([none.value, none.low, none.high]).all()


def test_weights_are_repetitions(rng):
    """The fast way against rows that are truly repeated, by scikit-learn, with ties."""
    values, positive = rng.integers(0, 5, 40).astype(float), rng.random(40) < 0.4
    weights = Clusters.of(rng.integers(0, 12, 40), count=25, seed=3).weights
    rows = [np.repeat(np.arange(40), often) for often in weights]
    theirs = [roc_auc_score(positive[each], values[each]) for each in rows]
    np.testing.assert_allclose(weighted_aurocs(values, positive, weights), theirs, atol=1e-12)
    assert np.isnan(weighted_aurocs(values, positive, np.zeros((2, 40), int))).all()


def test_each_resample_holds_as_many_clusters_as_there_are():
    weights = Clusters.of(np.array([7, 7, 2, 9]), count=50).weights
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 1:].sum(axis=1) == 3).all()
