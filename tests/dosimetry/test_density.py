import cv2
import numpy as np
import PIL.Image
import pytest

from cytally.dosimetry import density as module
from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE, bright_on_dark, normalise
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.errors import ImageError
from cytally.images.background import background, without_corner_text
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
    assert np.abs(found / light - 1).max() < 0.03  # the bright end of a block lies up to half a block from its middle


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
    found = normalise(Image(cell.image.pixels, 0.1))
    assert found.scale == pytest.approx(0.1 / NOMINAL_PIXEL_UM, rel=1e-6)


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


@pytest.fixture(scope="module")
def measured(cell):
    return normalise(bare(cell.image.pixels))


@pytest.mark.parametrize("factor", [0.35, 0.45, 0.7, 1.4, 2.2, 6.0])
def test_a_size_that_does_not_fit_gives_way_to_the_chromosomes_and_it_is_said(cell, measured, factor):
    size = NOMINAL_PIXEL_UM * measured.scale * factor
    found = normalise(Image(cell.image.pixels, size))
    assert found.scale == measured.scale
    assert len(found.notes) == 1
    assert f"pixel size {size:g} um does not fit the chromosomes" in found.notes[0]


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
def test_a_size_that_fits_is_believed_without_a_word(cell, measured, factor):
    found = normalise(Image(cell.image.pixels, NOMINAL_PIXEL_UM * measured.scale * factor))
    assert found.scale == pytest.approx(measured.scale * factor) and found.notes == ()


def drawn(number, edge, shape=(400, 500), ground=220, ink=60):
    """Bars on empty slide, `edge` wide and twice as long, on a lattice."""
    pixels = np.full(shape, ground, np.uint8)
    places = [(r, c) for r in range(20, shape[0] - 3 * edge, 4 * edge) for c in range(20, shape[1] - edge, 3 * edge)]
    for row, col in places[:number]:
        pixels[row : row + 2 * edge, col : col + edge] = ink
    return pixels


@pytest.mark.parametrize("size", [0.3, 0.45, 0.55, 0.9])
def test_few_objects_are_believed_against_a_wrong_size_as_many_are(size):
    found = normalise(Image(drawn(8, 20), size))
    assert found.objects == 8
    assert found.scale == pytest.approx(NOMINAL_SIZE / (20 * 2**0.5), rel=0.1)
    assert "8 objects measured: about 0.1" in found.notes[0] and "they are believed" in found.notes[0]


def test_fewer_objects_than_can_be_measured_leave_a_size_as_it_is():
    found = normalise(Image(drawn(3, 20), 0.3))
    assert found.scale == pytest.approx(0.3 / NOMINAL_PIXEL_UM) and found.notes == ()


@pytest.mark.parametrize("size", [None, 0.146])
def test_objects_far_smaller_than_chromosomes_are_refused_not_clipped(size):
    """Bars of 3 x 6 pixels: smoothing makes them about 5 across, a fifth of a chromosome."""
    pixels = drawn(400, 3)
    with pytest.raises(ImageError, match=r"got objects \d\.\d times smaller than those; is it one metaphase"):
        normalise(Image(pixels, size))


def test_objects_far_larger_than_chromosomes_are_refused_not_clipped():
    with pytest.raises(ImageError, match=r"got objects \d\.\d times larger than those"):
        normalise(bare(drawn(20, 110, (2000, 2200))))


def test_notes_of_the_image_go_on():
    image = Image(drawn(30, 20), None, "a.png", ("colours converted from CMYK",))
    assert normalise(image).notes == ("colours converted from CMYK",)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_bright_chromosomes_on_dark_are_refused_with_the_remedy(cell, dtype):
    inverted = (255 - cell.image.pixels.astype(int)).astype(dtype)
    with pytest.raises(ImageError, match=r"got bright objects on a dark ground; .* Edit > Invert"):
        normalise(bare(inverted))


def test_no_style_of_giemsa_is_taken_for_inverted():
    for number, name in enumerate(sorted(STYLES)):
        made = simulate_cell(STYLES[name], Damage(1), np.random.default_rng([5, number]))
        grey = made.image.pixels.astype(np.float32)
        assert not bright_on_dark(grey), name
        assert bright_on_dark(grey.max() - grey), name


def test_real_giemsa_is_not_taken_for_inverted_and_real_fluorescence_is_refused(data):
    for path in sorted((data / "metaphase_scc").glob("*.png")):
        assert normalise(read(path)).objects > 30
    for path in sorted((data / "mfish_dapi").glob("*D.tif"))[:4]:
        with pytest.raises(ImageError, match="fluorescence is not scored"):
            normalise(read(path))


def test_a_black_image_with_one_hot_pixel_is_refused(tmp_path):
    pixels = np.zeros((200, 200), np.uint8)
    pixels[50, 60] = 255
    with pytest.raises(ImageError, match="expected a bright ground, got black"):
        normalise(bare(pixels))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_beyond_measure_are_refused(dtype):
    with pytest.raises(ImageError, match=r"expected intensities below 1e\+30, got 2\.2e\+38"):
        normalise(bare(drawn(30, 20).astype(dtype) * 1e36))


def test_fields_too_large_for_one_metaphase_are_refused_before_they_cost_memory(monkeypatch):
    scan = np.broadcast_to(np.uint8(200), (9000, 9000))
    with pytest.raises(ImageError, match="at most 46 megapixels, got 9000 x 9000"):
        normalise(bare(scan))
    monkeypatch.setattr(module, "LARGEST_DENSITY", 300_000)
    with pytest.raises(ImageError, match=r"got \d megapixels at the size of its objects"):
        normalise(bare(drawn(60, 7)))


@pytest.mark.parametrize(("dtype", "offset"), [(np.int8, 128), (np.int16, 32768)])
def test_unsigned_numbers_stored_as_signed_ones_give_the_same_with_a_word(cell, measured, dtype, offset):
    factor = 1 if dtype is np.int8 else 200
    grey = cell.image.pixels.astype(int) * factor
    found = normalise(bare((grey - offset).astype(dtype)))
    np.testing.assert_allclose(found.values, measured.values, atol=0.02)
    assert found.notes == (f"grey values below 0: {-offset} is taken for black; save it as unsigned",)


def test_numbers_a_little_below_0_are_shifted_with_a_word(cell):
    found = normalise(bare(cell.image.pixels.astype(np.int16) * 20 - 1500))
    assert "grey values below 0" in found.notes[0] and "is taken for black" in found.notes[0]


@pytest.mark.parametrize("kind", ["black behind", "all in the transparency"])
def test_a_picture_in_its_transparency_is_refused_with_the_right_remedy(cell, tmp_path, kind):
    grey = cell.image.pixels
    ink = np.where(grey < 0.8 * np.median(grey), 255, 0).astype(np.uint8)
    colours = np.zeros_like(grey) if kind != "black behind" else np.where(ink > 0, grey, 0).astype(np.uint8)
    PIL.Image.fromarray(np.dstack([colours] * 3 + [ink])).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="its picture is in the transparency, .* flatten it on white"):
        normalise(read(tmp_path / "a.png"))
