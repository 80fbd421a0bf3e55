import cv2
import numpy as np
import pytest

from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.errors import ImageError
from cytally.images.background import background, without_corner_text
from cytally.images.normalise import NOMINAL_SIZE, normalise
from cytally.images.read import read
from cytally.types import Image


@pytest.fixture(scope="module")
def cell():
    return simulate_cell(STYLES["dark"], Damage(1), np.random.default_rng(3))


def bare(pixels):
    return Image(pixels)


def test_background_recovers_a_quadratic_surface_under_dark_objects():
    rows, cols = np.mgrid[-1:1:400j, -1:1:500j]
    light = 200 + 15 * rows - 20 * cols - 12 * rows**2 + 6 * rows * cols
    grey = light.copy()
    grey[50:150, 60:180] *= 0.4  # a nucleus
    grey[200:380:12, 100:400] *= 0.3  # chromosomes
    found = background(grey.astype(np.float32))
    assert (
        np.abs(found / light - 1).max() < 0.03
    )  # the bright end of a block lies up to half a block from its middle


def test_light_gradient_and_exposure_stop_mattering(cell):
    grey = cell.image.pixels.astype(np.float32)
    rows, cols = np.mgrid[-1 : 1 : grey.shape[0] * 1j, -1 : 1 : grey.shape[1] * 1j]
    uneven = (grey * (1 + 0.15 * rows - 0.1 * cols) * 150).astype(np.uint16)
    plain, other = normalise(bare(grey.astype(np.uint8))), normalise(bare(uneven))
    assert other.scale == pytest.approx(plain.scale, rel=0.03)
    same = cv2.resize(other.values, plain.values.shape[::-1])
    assert np.abs(same - plain.values).mean() < 0.03


def test_dim_eight_bit_and_fourteen_bits_in_sixteen_give_the_same(cell):
    grey = cell.image.pixels
    full, dim = normalise(bare(grey)), normalise(bare((grey // 2).astype(np.uint8)))
    deep = normalise(bare(grey.astype(np.uint16) * 64))
    assert dim.scale == pytest.approx(full.scale, rel=0.03)
    np.testing.assert_allclose(deep.values, full.values, atol=1e-3)


def test_colour_is_read_through_its_green_channel(cell):
    grey = cell.image.pixels
    colour = np.stack([np.full_like(grey, 200), grey, np.full_like(grey, 220)], axis=2)
    np.testing.assert_array_equal(normalise(bare(colour)).values, normalise(bare(grey)).values)


def test_chromosomes_come_to_one_and_to_nominal_size_whatever_the_magnification(cell):
    grey = cell.image.pixels
    for zoom in (0.5, 1.0, 1.6):
        density = normalise(bare(cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)))
        masks = cell.masks
        area = np.median(np.bincount(masks.ravel())[1:]) * zoom**2
        assert np.sqrt(area) * density.scale == pytest.approx(NOMINAL_SIZE, rel=0.12)
        inside = cv2.erode((masks > 0).astype(np.uint8), np.ones((9, 9)))
        inside = cv2.resize(inside, density.values.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
        assert np.median(density.values[inside]) == pytest.approx(1.0, abs=0.25)


def test_a_known_pixel_size_is_believed(cell):
    found = normalise(Image(cell.image.pixels, 0.073))
    assert found.scale == pytest.approx(0.5, rel=1e-6)


def test_places_go_there_and_back(cell, rng):
    density = normalise(bare(cell.image.pixels))
    places = rng.uniform(0, 800, (20, 2))
    np.testing.assert_allclose(density.to_image(density.from_image(places)), places, atol=1e-9)


def test_a_burnt_number_is_masked_and_a_chromosome_in_the_corner_is_not():
    empty = np.full((400, 500), 220, np.uint8)
    marked = cv2.putText(empty.copy(), "0123", (2, 15), cv2.FONT_HERSHEY_PLAIN, 1.0, 20, 1).astype(np.float32)
    grey = empty.astype(np.float32)
    assert without_corner_text(marked)[:24, :60].min() == 220
    blob = grey.copy()
    cv2.line(blob, (10, 5), (40, 15), 40.0, 10)
    blob = cv2.GaussianBlur(blob, (0, 0), 2.0)
    np.testing.assert_array_equal(without_corner_text(blob), blob)


@pytest.mark.parametrize("value", [0, 255])
def test_an_empty_image_says_so(value):
    with pytest.raises(ImageError, match="no contrast"):
        normalise(bare(np.full((100, 100), value, np.uint8)))


def test_one_pixel_is_too_small():
    with pytest.raises(ImageError, match="at least 16 x 16 pixels, got 1 x 1"):
        normalise(bare(np.zeros((1, 1), np.uint8)))


def test_nan_is_refused_with_its_count():
    pixels = np.ones((50, 50), np.float32)
    pixels[3, 4] = np.nan
    with pytest.raises(ImageError, match="got 1 NaN"):
        normalise(bare(pixels))


def test_noise_alone_has_no_chromosomes_of_one_size_or_says_little(rng):
    pixels = np.clip(rng.normal(128, 3, (300, 300)), 0, 255).astype(np.uint8)
    assert np.isfinite(normalise(bare(pixels)).values).all()


def test_real_fields_are_measured(data):
    counted = {
        "metaphase_scc/field_3.png": (40, 60),
        "metaphase_scc/field_5.png": (35, 60),
        "metaphase_gband/field_0.png": (30, 60),
    }
    for name, (low, high) in counted.items():
        density = normalise(read(data / name))
        assert low <= density.objects <= high, name
        assert 0.5 < density.scale < 2.5, name
