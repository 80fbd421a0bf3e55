"""An overlay shows what was found where it was found, and how sure the detector is."""

import tracemalloc

import numpy as np
import pytest

from cytally.figures.overlays import COLOURS, crop_around, cut_out, overlay, sheet, shrunk, viewable
from cytally.types import Detections, Image


def found(probability):
    one = np.ones(1)
    return Detections(
        40 * one, 60 * one, ("dicentric",), one.astype(int), 0.5 * one, 0 * one, 4, np.array([probability])
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_any_depth_becomes_viewable(dtype):
    ramp = np.linspace(10, 250, 10_000).reshape(100, 100).astype(dtype)
    seen = viewable(Image(ramp))
    assert seen.dtype == np.uint8 and seen.shape == (100, 100, 3)
    assert seen[0, 0, 0] == 0 and seen[-1, -1, 0] == 255 and (np.diff(seen[:, 0, 0].astype(int)) >= 0).all()


def test_a_flat_image_does_not_divide_by_zero():
    assert np.isfinite(viewable(Image(np.full((8, 8), 7, np.uint8)))).all()


def test_a_circle_lies_around_each_detection_in_the_colour_of_its_class():
    pixels = np.full((100, 120), 200, np.uint8)
    pixels[::7] = 100
    picture = overlay(Image(pixels), found(0.93), radius=20).astype(int)
    assert np.abs(picture[40, 40] - COLOURS["dicentric"]).max() < 60  # anti-aliased
    assert np.array_equal(picture[95, 5], viewable(Image(pixels))[95, 5])
    assert (overlay(Image(pixels), found(0.93)) != overlay(Image(pixels), found(np.nan))).any()  # votes instead


def test_a_crop_at_the_border_is_white_beyond_it():
    picture = np.zeros((50, 50, 3), np.uint8)
    crop = cut_out(picture, 0, 0, 20)
    assert crop.shape == (20, 20, 3) and crop[:10].min() == 255 and crop[10:, 10:].max() == 0
    assert crop_around(Image(np.eye(30, dtype=np.uint8)), 15, 15, 10).shape == (10, 10, 3)


def test_shrinking_never_enlarges():
    assert shrunk(np.zeros((90, 90, 3), np.uint8), 30).shape == (30, 30, 3)
    assert shrunk(np.zeros((20, 20, 3), np.uint8), 30).shape == (20, 20, 3)


def test_a_sheet_lays_pictures_row_by_row():
    dark, bright = np.zeros((4, 5, 3), np.uint8), np.full((4, 5, 3), 99, np.uint8)
    page = sheet([dark, bright, dark], columns=2, gap=1)
    assert page.shape == (11, 13, 3)
    assert page[1, 1, 0] == 0 and page[1, 7, 0] == 99 and page[6, 1, 0] == 0 and page[6, 7, 0] == 255


@pytest.mark.parametrize("shape", [(600, 700), (600, 700, 3)])
@pytest.mark.parametrize("place", [(300.4, 350), (3, 5), (598.6, 699), (0, 350)])
def test_a_crop_is_cut_out_of_the_viewable_picture_with_white_around(rng, shape, place):
    image = Image(rng.integers(200, 4000, shape).astype(np.uint16))
    side, whole = 80, viewable(image)
    padded = np.full((680, 780, 3), 255, np.uint8)
    padded[40:640, 40:740] = whole
    top, left = (round(each) for each in place)
    expected = padded[top : top + side, left : left + side]
    np.testing.assert_array_equal(crop_around(image, *place, side), expected)
    np.testing.assert_array_equal(cut_out(whole, *place, side), expected)


def test_half_a_percent_at_each_end_is_beyond_the_grey_values():
    """Of a ramp of 1,000 steps 5 become black and 5 white; those between are linear."""
    ramp = np.repeat(np.arange(1000, dtype=np.uint16)[None], 800, axis=0)
    picture = viewable(Image(ramp))
    assert picture.shape == (800, 1000, 3)
    assert (picture[:, :5] == 0).all() and (picture[:, -4:] == 255).all()
    assert picture[700, 500, 0] == pytest.approx(127.5, abs=1.5)


def test_pictures_of_a_large_field_take_no_floats_of_all_of_it():
    field = Image(np.full((3000, 3000), 200, np.uint8))
    tracemalloc.start()
    crop_around(field, 1500, 1500, 100)
    cropped = tracemalloc.get_traced_memory()[1]
    viewable(field)
    viewed = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert cropped < 9e6 and viewed < 27e6 + 2e7  # 36e6 for floats of one channel alone
