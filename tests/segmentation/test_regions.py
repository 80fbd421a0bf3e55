"""Border pixels and centroids of small label images, worked out by hand or by a slow twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cytally.segmentation.regions import centres, inner_boundaries

#: Two touching squares: 1 is 3 x 3, 2 is 3 x 2.
TOUCHING = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 2, 2, 0],
        [0, 1, 1, 1, 2, 2, 0],
        [0, 1, 1, 1, 2, 2, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
)


def slow(labels):
    """A pixel of an object with a neighbour above, below, left or right that is something else."""
    edge = np.zeros(labels.shape, bool)
    for row, col in np.argwhere(labels > 0):
        for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            r, c = row + down, col + right
            inside = 0 <= r < labels.shape[0] and 0 <= c < labels.shape[1]
            edge[row, col] |= inside and labels[r, c] != labels[row, col]
    return edge


def test_touching_objects_have_a_border_each():
    edge = inner_boundaries(TOUCHING)
    assert edge[2].tolist() == [False, True, False, True, True, True, False]
    assert edge.sum() == 8 + 6 and not edge[TOUCHING == 0].any()


@given(arrays(np.int32, (6, 7), elements=st.integers(0, 3)))
def test_borders_are_those_of_the_slow_twin(labels):
    assert np.array_equal(inner_boundaries(labels), slow(labels))


def test_centroids_by_number():
    assert centres(TOUCHING).tolist() == [[2.0, 2.0], [2.0, 4.5]]
    assert centres(np.zeros((3, 3), int)).shape == (0, 2)


def test_a_number_that_is_missing_keeps_its_place():
    labels = np.zeros((4, 4), int)
    labels[1, 3] = 2
    assert centres(labels)[1].tolist() == [1.0, 3.0] and len(centres(labels)) == 2
