"""Masks against masks: worked by hand, and against slow independent twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, jaccard_score

from cytally.evaluation.matching import Hits
from cytally.evaluation.segmentation import (
    LEVELS,
    match_levels,
    matched,
    overlaps,
    pixel_hits,
    scores,
    touched,
)

masks = arrays(np.int32, (9, 11), elements=st.integers(0, 4))


def slow_pairs(predicted, truth, level):
    """Greedy by pixels counted one by one; above IoU 0.5 no object can match two."""
    hits, total = 0, 0.0
    for a in set(predicted.ravel()) - {0}:
        for b in set(truth.ravel()) - {0}:
            both = sum(p == a and t == b for p, t in zip(predicted.flat, truth.flat, strict=True))
            either = sum(p == a or t == b for p, t in zip(predicted.flat, truth.flat, strict=True))
            if both / either > level:
                hits, total = hits + 1, total + both / either
    return hits, total


@given(masks, masks)
def test_one_to_one_matches_as_a_slow_twin_does(predicted, truth):
    n, m = (len(set(x.ravel()) - {0}) for x in (predicted, truth))
    for level, found in zip(LEVELS, match_levels(predicted, truth), strict=True):
        hits, total = slow_pairs(predicted, truth, level)
        assert found.hits == Hits(hits, n - hits, m - hits)
        assert found.overlap == pytest.approx(total, rel=1e-12)


@given(masks, masks)
def test_average_precision_falls_with_the_level_and_swapping_swaps_errors(predicted, truth):
    found = match_levels(predicted, truth)
    hits = [one.hits.true for one in found]
    assert hits == sorted(hits, reverse=True)
    back = matched(truth, predicted).hits
    assert back == Hits(found[0].hits.true, found[0].hits.missed, found[0].hits.false)


@given(masks, masks)
def test_pixels_agree_with_scikit_learn(predicted, truth):
    found = pixel_hits(predicted > 0, truth > 0)
    a, b = (predicted > 0).ravel(), (truth > 0).ravel()
    assert found.accuracy == pytest.approx(accuracy_score(b, a), rel=1e-12)
    if a.any() or b.any():
        assert found.scores.iou == pytest.approx(jaccard_score(b, a), rel=1e-12)


def test_panoptic_quality_of_two_hits_and_one_error_of_each_kind():
    """IoU 1 and 2/3; one false, one missed: (1 + 2/3) / (2 + 1/2 + 1/2) = 5/9."""
    truth = np.zeros((4, 20), int)
    truth[:, 0:2], truth[:, 4:7], truth[:, 10:12] = 1, 2, 3
    predicted = np.zeros((4, 20), int)
    predicted[:, 0:2], predicted[:, 4:6], predicted[:, 15:17] = 7, 8, 9
    found = matched(predicted, truth)
    assert found.hits == Hits(2, 1, 1)
    assert found.panoptic_quality == pytest.approx(5 / 9)
    assert found.average_precision == pytest.approx(2 / 4)


def test_touching_counts_as_the_thesis_does():
    """One prediction over two nuclei is two hits; one beside all is false; one nucleus alone is missed.

    truth      1 1 . 2 2 . . 3 3
    predicted  . a a a . . b . .
    """
    truth = np.array([[1, 1, 0, 2, 2, 0, 0, 3, 3]])
    predicted = np.array([[0, 5, 5, 5, 0, 0, 6, 0, 0]])
    assert touched(predicted, truth) == Hits(true=2, false=1, missed=1)
    assert matched(predicted, truth).hits == Hits(true=0, false=2, missed=3)


def test_empty_masks_have_no_scores():
    empty = np.zeros((5, 5), int)
    assert matched(empty, empty).hits == Hits() and np.isnan(matched(empty, empty).panoptic_quality)
    assert np.isnan(scores(touched(empty, empty)).dice)
    assert overlaps(empty, empty).shape == (0, 0)
    full = np.ones((5, 5), int)
    assert matched(full, full).average_precision == 1 and overlaps(full, full).tolist() == [[1.0]]
