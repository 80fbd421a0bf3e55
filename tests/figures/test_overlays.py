"""An overlay shows what was found where it was found, and how sure the detector is."""

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
    assert (
        overlay(Image(pixels), found(0.93)) != overlay(Image(pixels), found(np.nan))
    ).any()  # votes instead


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
