import os
import pickle

import cv2
import numpy as np
import PIL.Image
import PIL.ImageFile
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.read import find_images, read
from cytally.images.write import write
from cytally.types import Image


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif", ".JPG"])
def test_eight_bit_grey_comes_back(tmp_path, rng, ending):
    pixels = cv2.GaussianBlur(rng.integers(0, 255, (40, 50)).astype(np.uint8), (0, 0), 3)
    write(tmp_path / f"a{ending}", Image(pixels))
    found = read(tmp_path / f"a{ending}")
    tolerance = 4 if ending == ".JPG" else 0  # JPEG loses a little
    assert found.shape == (40, 50)
    assert np.abs(found.pixels.astype(int) - pixels).max() <= tolerance


@pytest.mark.parametrize(
    ("ending", "dtype"), [(".png", np.uint16), (".tif", np.uint16), (".tif", np.float32), (".tif", np.uint32)]
)
def test_deep_images_keep_all_bits(tmp_path, rng, ending, dtype):
    pixels = (rng.random((30, 20)) * 60000).astype(dtype)
    write(tmp_path / f"a{ending}", Image(pixels))
    found = read(tmp_path / f"a{ending}").pixels
    np.testing.assert_array_equal(found, pixels)


def test_sixteen_bit_colour_png_keeps_all_bits_and_channel_order(tmp_path, rng):
    pixels = (rng.random((30, 20, 3)) * 65535).astype(np.uint16)
    write(tmp_path / "a.png", Image(pixels))
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, pixels)


def test_transparency_is_dropped(tmp_path, rng):
    pixels = rng.integers(0, 255, (20, 20, 4)).astype(np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, pixels[..., :3])


def test_ome_tiff_brings_its_pixel_size(tmp_path):
    write(tmp_path / "a.ome.tif", Image(np.zeros((20, 20), np.uint8), 0.102))
    assert read(tmp_path / "a.ome.tif").pixel_size_um == pytest.approx(0.102)


def test_lzw_tiff_as_microscopes_write_it(tmp_path, rng):
    pixels = rng.integers(0, 255, (64, 64)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="lzw")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels, pixels)


def test_dots_per_inch_are_not_taken_for_a_pixel_size(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 20), np.uint8), resolution=(72, 72), resolutionunit=2)
    assert read(tmp_path / "a.tif").pixel_size_um is None


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg"])
def test_a_truncated_file_is_refused_by_name(tmp_path, rng, ending):
    path = tmp_path / f"a{ending}"
    write(path, Image(rng.integers(0, 255, (200, 200)).astype(np.uint8)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageError, match="not a readable image"):
        read(path)


def test_text_that_calls_itself_an_image_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(ImageError, match="not a readable image"):
        read(tmp_path / "a.png")


def test_other_endings_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(ImageError, match="expected an image"):
        read(tmp_path / "a.txt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ImageError, match="no such file"):
        read(tmp_path / "a.png")


def test_a_scan_too_large_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    PIL.Image.new("1", (20_000, 20_000)).save(tmp_path / "a.png")
    monkeypatch.setattr(PIL.Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match="at most 100 megapixels, got 20000 x 20000"):
        read(tmp_path / "a.png")


def test_find_images_takes_a_folder_a_file_or_a_glob_and_leaves_the_rest(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "_truth").mkdir()
    for name in ("b.png", "a.TIF", "deep/er/c.jpg", "labels.csv", "_truth/mask.png", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    names = [p.relative_to(tmp_path).as_posix() for p in find_images(tmp_path)]
    assert names == ["a.TIF", "b.png", "deep/er/c.jpg"]
    assert find_images(tmp_path / "b.png") == [tmp_path / "b.png"]
    assert find_images(tmp_path / "*.png") == [tmp_path / "b.png"]


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ImageError, match="found none"):
        find_images(tmp_path)


def test_a_stack_is_not_taken_for_its_first_plane(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((5, 40, 50), np.uint8), photometric="minisblack")
    with pytest.raises(ImageError, match="a stack of 5; save each plane"):
        read(tmp_path / "s.tif")


def test_a_thumbnail_behind_the_image_is_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "t.tif") as file:
        file.write(np.full((40, 50), 7, np.uint8))
        file.write(np.zeros((10, 12), np.uint8))
    assert read(tmp_path / "t.tif").shape == (40, 50)


def test_an_error_knows_its_file_and_its_reason(tmp_path):
    """So that a line that begins with the file need not name it twice; also behind a worker process."""
    path = tmp_path / os.fsdecode(b"a\xff.png")
    path.write_bytes(b"junk")
    with pytest.raises(ImageError) as caught:
        read(path)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        place = f"{tmp_path}/a\\xff.png"
        assert error.place == place and error.reason.startswith("not a readable image")
        assert str(error) == f"{place}: {error.reason}" and error.beside(place) == error.reason
        assert error.beside("b.png") == str(error)


def test_a_png_is_decoded_once(tmp_path, rng, monkeypatch):
    """Pillow decodes a whole PNG to look for EXIF behind its pixels; where there is none it need not."""
    pixels = rng.integers(0, 256, (40, 50)).astype(np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")

    decoded = []
    monkeypatch.setattr(PIL.ImageFile.ImageFile, "load", lambda *_: decoded.append(1))
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, pixels)
    assert not decoded
