"""Measures of motion, counted by hand on four cells."""

import numpy as np
import pytest

from cytally.evaluation.flow import frame_scores


@pytest.fixture
def truth():
    labels = np.zeros((20, 40), int)
    for number, col in enumerate((2, 12, 22, 32), start=7):
        labels[5:10, col : col + 5] = number
    moved = np.zeros((2, 20, 40))
    moved[1] = np.where(labels > 0, np.where(labels > 8, 4.0, 1.0), 0.0)
    return labels, moved


def test_what_is_right_is_right(truth):
    found = frame_scores(*truth, *truth)
    assert (found.iou_all, found.iou_boundary, found.count_error, found.missed) == (1, 1, 0, 0)
    assert (found.endpoint, found.fast, found.ground) == (0, 0, 0)


def test_a_missed_cell_counts_in_all_and_not_at_the_boundary(truth):
    labels, moved = truth
    mine = np.where(labels == 7, 0, labels)
    found = frame_scores(mine, moved * (mine > 0), labels, moved)
    assert found.iou_all == pytest.approx(0.75) and found.iou_boundary == 1
    assert (found.found, found.true, found.missed, found.count_error) == (3, 4, 1, -0.25)
    assert found.endpoint == pytest.approx(0.25)  # a quarter of the pixels is off by 1
    assert found.fast == 0


def test_motion_on_the_ground_and_errors_of_fast_cells(truth):
    labels, moved = truth
    found = frame_scores(labels, moved + 3.0, labels, moved)
    assert (found.endpoint, found.fast, found.ground) == pytest.approx([np.hypot(3, 3)] * 3)


def test_nothing_there_and_nothing_found_is_no_number():
    none = np.zeros((4, 4), int)
    found = frame_scores(none, np.zeros((2, 4, 4)), none, np.zeros((2, 4, 4)))
    assert np.isnan([found.iou_all, found.iou_boundary, found.count_error, found.endpoint, found.fast]).all()
    assert found.ground == 0
