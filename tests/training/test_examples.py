import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.training.augment import Augmentation, draw, move_image, move_points, restain
from cytally.training.examples import ZERO, Targets, TrainingCell, choose_corner, unpack

SIDE = 96


@given(st.floats(0, 6.28), st.floats(0.8, 1.25), st.booleans(), st.integers(-30, 60), st.integers(-30, 60))
def test_image_and_points_move_together(angle, size, mirror, top, left):
    """A bright dot and its label land on the same pixel, whatever the turn."""
    how = Augmentation(angle=angle, size=size, mirror=mirror)
    image = np.zeros((120, 130), np.float32)
    image[59:62, 69:72] = 1.0
    crop = move_image(image, how, (top, left), SIDE)
    ((row, col),) = move_points(np.array([[60.0, 70.0]]), how, (top, left), SIDE)
    if 3 < row < SIDE - 4 and 3 < col < SIDE - 4:
        rows, cols = np.nonzero(crop > 0.3)
        weight = crop[rows, cols]
        assert np.average(rows, weights=weight) == pytest.approx(row, abs=0.35)
        assert np.average(cols, weights=weight) == pytest.approx(col, abs=0.35)


def test_drawing_labels_then_mirroring_equals_mirroring_then_drawing():
    how = Augmentation(mirror=True)
    places, classes = np.array([[20.0, 30.0], [70.0, 52.0]]), np.array([0, 1])
    moved = move_points(places, how, (0, 0), SIDE)
    direct = Targets(2, 4).draw(moved, classes, SIDE)
    flipped = Targets(2, 4).draw(places, classes, SIDE)[:, :, ::-1]
    np.testing.assert_allclose(direct, flipped, atol=4e-4)  # spots are cut off at 4 sigma


def test_no_augmentation_is_a_plain_crop(rng):
    image = rng.random((100, 110)).astype(np.float32)
    crop = move_image(image, Augmentation(), (5, 7), 64)
    np.testing.assert_allclose(crop, image[5:69, 7:71], atol=1e-6)


def test_the_same_draw_gives_the_same_crop_twice(rng):
    how = draw(np.random.default_rng(4))
    assert how == draw(np.random.default_rng(4))
    crop = rng.random((40, 40)).astype(np.float32)
    one, two = (restain(crop, how, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_packing_keeps_density_to_half_a_step(rng):
    density = rng.uniform(-0.45, 2.95, (30, 30)).astype(np.float32)
    cell = TrainingCell.pack(density, np.zeros((0, 2)), [], [True])
    assert np.abs(unpack(cell.packed) - density).max() <= 0.5 / 73 + 1e-6
    assert unpack(np.array([ZERO], np.uint8))[0] == 0


def test_crops_stay_inside_large_cells_and_around_small_ones(rng):
    for shape in ((300, 280), (50, 60)):
        cell = TrainingCell(
            np.full(shape, ZERO, np.uint8),
            np.zeros((0, 2), np.float32),
            np.zeros(0, np.int64),
            np.ones(2, bool),
        )
        for _ in range(20):
            corner = choose_corner(cell, 96, rng)
            for start, size in zip(corner, shape, strict=True):
                low, high = min(0, size - 96), max(0, size - 96)
                assert low <= start <= high
