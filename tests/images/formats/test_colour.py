"""One picture stored in every colour space comes back as that picture, or is refused by name."""

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.masks import read_mask
from cytally.images.read import read

GREY = np.tile(np.arange(40, 220, 3, dtype=np.uint8), (40, 1))
RGB = np.stack([GREY, GREY[:, ::-1], np.full_like(GREY, 77)], axis=2)
EXTRA = {"extrasamples": ["unassalpha"]}


@pytest.mark.parametrize(
    ("stored", "bits", "expected"),
    [
        (255 - GREY, None, GREY),
        (65535 - GREY.astype(np.uint16) * 7, None, GREY.astype(np.uint16) * 7),
        (4095 - GREY.astype(np.uint16) * 7, 12, GREY.astype(np.uint16) * 7),
        (GREY < 100, None, np.where(GREY < 100, 0, 255)),
        ((-1 - GREY.astype(np.int16)), None, GREY.astype(np.int16)),
    ],
    ids=["8 bit", "16 bit", "12 bit", "1 bit", "signed"],
)
def test_white_is_zero_is_turned_about_the_full_range(tmp_path, stored, bits, expected):
    """Not about the largest value that happens to be there: black would move to 0 and change the density."""
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite", bitspersample=bits)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, expected)


def test_black_is_zero_of_one_bit_is_black_and_white(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY > 100, photometric="minisblack")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize("ending", ["tif", "png", "bmp"])
def test_a_palette_is_looked_up(tmp_path, rng, ending):
    numbers = rng.integers(0, 200, (30, 40)).astype(np.uint8)
    colours = rng.integers(0, 255, (256, 3)).astype(np.uint8)
    picture = PIL.Image.fromarray(numbers)
    picture.putpalette(colours.tobytes())
    picture.save(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(read(tmp_path / f"a.{ending}").pixels, colours[numbers])


@pytest.mark.parametrize("ending", ["tif", "png"])
def test_a_palette_on_a_mask_is_left_alone(tmp_path, rng, ending):
    """ImageJ and Pascal VOC colour their masks by a palette: the numbers are the objects."""
    numbers = np.repeat(np.arange(4, dtype=np.uint8), 20).reshape(4, 20)
    picture = PIL.Image.fromarray(numbers)
    picture.putpalette(rng.integers(0, 255, 768).astype(np.uint8).tobytes())
    picture.save(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"a.{ending}"), numbers)


def test_an_inverting_look_on_a_mask_is_left_alone(tmp_path):
    """ImageJ shows binary masks by an inverting table: 255 is the object."""
    mask = np.zeros((20, 20), np.uint8)
    mask[3:8, 3:8] = mask[12:18, 12:18] = 255
    tifffile.imwrite(tmp_path / "a.tif", mask, photometric="miniswhite")
    assert np.bincount(read_mask(tmp_path / "a.tif").ravel()).tolist() == [400 - 25 - 36, 25, 36]


def test_cmyk_becomes_light(tmp_path):
    """R = (1 - C)(1 - K): by hand."""
    inks = np.zeros((20, 20, 4), np.uint8)
    inks[:10] = (255, 0, 51, 0)
    inks[10:] = (0, 127, 0, 204)
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated")
    found = read(tmp_path / "a.tif")
    assert found.pixels[0, 0].tolist() == [0, 255, 204]
    assert found.pixels[19, 0].tolist() == [51, 26, 51]
    assert found.notes == ("colours converted from CMYK",)


@pytest.mark.parametrize("ending", ["tif", "jpg"])
def test_cmyk_keeps_what_is_dark_and_what_is_bright(tmp_path, ending):
    PIL.Image.fromarray(RGB).convert("CMYK").save(tmp_path / f"a.{ending}", quality=100)
    difference = np.abs(read(tmp_path / f"a.{ending}").pixels.astype(int) - RGB)
    assert difference.max() <= (0 if ending == "tif" else 30) and difference.mean() < 6


def test_ycbcr_outside_jpeg_agrees_with_another_program(tmp_path):
    stored = np.asarray(PIL.Image.fromarray(RGB).convert("YCbCr"))
    tifffile.imwrite(
        tmp_path / "a.tif",
        stored,
        photometric="ycbcr",
        extratags=[(530, 3, 2, (1, 1), True)],
        compression="lzw",
    )
    expected = np.asarray(PIL.Image.fromarray(stored, "YCbCr").convert("RGB")).astype(int)
    assert np.abs(read(tmp_path / "a.tif").pixels - expected).max() <= 1


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [
        ((100, 0, 0), (255, 255, 255)),
        ((0, 0, 0), (0, 0, 0)),
        ((53.24, 80.09, 67.20), (255, 0, 0)),
        ((87.74, -86.18, 83.18), (0, 255, 0)),
        ((32.30, 79.19, -107.86), (0, 0, 255)),
    ],
)
@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
def test_lab_of_the_primaries_is_the_published_one(tmp_path, photometric, lab, rgb):
    """L*a*b* of the sRGB primaries under D65 (CIE 15)."""
    shift = 128 if photometric == "icclab" else 256
    stored = np.empty((16, 16, 3), np.uint8)
    stored[:] = (round(lab[0] * 2.55), (round(lab[1]) + shift) % 256, (round(lab[2]) + shift) % 256)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=photometric)
    assert np.abs(read(tmp_path / "a.tif").pixels[0, 0].astype(int) - rgb).max() <= 8  # stored in whole numbers


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("ending", ["tif", "png"])
def test_grey_with_transparency_is_grey(tmp_path, ending, depth):
    import imagecodecs

    pixels = np.stack([GREY, np.where(GREY > 90, 255, 10).astype(np.uint8)], axis=2).astype(depth)
    if ending == "tif":
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", planarconfig="contig", **EXTRA)
    else:
        (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    found = read(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(found.pixels, GREY)
    assert found.pixels.dtype == depth and found.notes == ("transparency was left aside",)


def test_an_opaque_fourth_sample_is_dropped_without_a_word(tmp_path):
    pixels = np.dstack([RGB, np.full_like(GREY, 255)])
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", **EXTRA)
    found = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels, RGB)
    assert found.notes == ()


def test_two_channels_in_a_pixel_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RGB[..., :2], photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match="got 2 channels in each pixel; save one of them"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("pixels", "how", "says"),
    [
        (GREY.astype(np.complex64), {}, "complex numbers have no brightness"),
        (
            np.where(GREY > 200, np.nan, 1).astype(np.float32),
            {},
            "finite grey values, got 240 NaN or infinite",
        ),
        (np.where(GREY > 200, np.inf, 1).astype(np.float64), {}, "got 240 NaN or infinite"),
        (GREY, {"photometric": "cfa"}, "raw colour filter array is not read"),
        (
            GREY.astype(np.float32),
            {"photometric": "miniswhite"},
            "floating-point samples have no colour space",
        ),
        (
            np.dstack([RGB, GREY]),
            {"photometric": "separated", "extratags": [(332, 3, 1, 2, True)]},
            "got ink set 2",
        ),
        (RGB.astype(np.uint16), {"photometric": "cielab"}, "read at 8 bits, got 16"),
        (
            np.dstack([RGB, GREY]),
            {"photometric": "separated", "compression": "jpeg"},
            "inside JPEG are not read",
        ),
        (GREY, {"photometric": 4}, "transparency mask is not read"),
    ],
)
def test_what_has_no_picture_is_refused_by_name(tmp_path, pixels, how, says):
    tifffile.imwrite(tmp_path / "a.tif", pixels, **{"metadata": None} | how)
    with pytest.raises(ImageError, match=says):
        read(tmp_path / "a.tif")


def test_reduced_colour_outside_jpeg_is_refused(tmp_path, handmade, grey_tags):
    tags = grey_tags(16, 16, t262=(3, [6]), t277=(3, [3]), t258=(3, [8, 8, 8]), t530=(3, [2, 2]), t279=(4, [384]))
    (tmp_path / "a.tif").write_bytes(handmade([tags], bytes(800)))
    with pytest.raises(ImageError, match="YCbCr of reduced colour outside JPEG is not read"):
        read(tmp_path / "a.tif")


def test_a_palette_that_lacks_colours_is_refused(tmp_path, handmade, grey_tags):
    tags = grey_tags(16, 16, t262=(3, [3]), t320=(3, [0] * 30))
    (tmp_path / "a.tif").write_bytes(handmade([tags], bytes(256)))
    with pytest.raises(ImageError, match="a palette of 256 colours, got 10"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["tif", "png", "jpg"])
def test_pictures_stand_upright_as_in_other_programs(tmp_path, ending, orientation):
    path = tmp_path / f"a.{ending}"
    flat = np.full_like(RGB, 200)
    flat[:16, :24] = 40
    if ending == "tif":
        tifffile.imwrite(path, flat, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    else:
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        PIL.Image.fromarray(flat).save(path, exif=exif)
    with PIL.Image.open(path) as picture:
        expected = np.asarray(PIL.ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read(path).pixels, expected)


def test_an_orientation_that_is_none_is_left_aside(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", extratags=[(274, 3, 1, 99, True)])
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, RGB)
