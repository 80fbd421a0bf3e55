"""Entropy of the mean, against scipy's and by hand."""

import numpy as np
import pytest
from scipy.stats import entropy

from cytally.detection.entropy import heatmap_entropy


def test_it_is_the_entropy_of_the_mean_answer(rng):
    maps = rng.random((4, 2, 5, 6))
    mean = maps.mean(axis=0)
    expected = entropy(np.stack([mean, 1 - mean]), base=2, axis=0)
    assert heatmap_entropy(maps) == pytest.approx(expected, abs=1e-12)


def test_sure_members_that_contradict_each_other_know_as_little_as_unsure_ones():
    contradicting = np.array([0.0, 1.0]).reshape(2, 1, 1, 1)
    unsure = np.full((2, 1, 1, 1), 0.5)
    assert heatmap_entropy(contradicting).item() == heatmap_entropy(unsure).item() == 1.0


def test_certainty_and_half_precision_leave_nothing_below_zero_and_no_warning():
    maps = np.array([0.0, 1.0, 6e-8, 1.0004], np.float16).reshape(1, 1, 2, 2)
    found = heatmap_entropy(maps)
    assert (found >= 0).all() and found.max() < 1e-5
