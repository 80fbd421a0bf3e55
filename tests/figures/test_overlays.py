import tracemalloc

import numpy as np
import pytest

from cytally.figures.overlays import crop_around, cut_out, viewable
from cytally.types import Image


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
