"""PNG, JPEG and BMP: what is declared is judged first; nothing else is tried on their bytes."""

import imagecodecs
import numpy as np
import PIL.Image
import pytest

from cytally.errors import ImageError
from cytally.images.read import read

GREY = np.tile(np.arange(100, dtype=np.uint8), (40, 1))


def test_sixteen_bit_colour_that_is_cut_never_loses_its_lower_bits(tmp_path, rng):
    pixels = (rng.random((40, 50, 3)) * 65535).astype(np.uint16)
    data = imagecodecs.png_encode(pixels)
    for length in range(len(data) - 40, len(data) + 1, 4):
        (tmp_path / "a.png").write_bytes(data[:length])
        try:
            np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, pixels)
        except ImageError as error:
            assert length < len(data) and "is the file complete?" in str(error)


def test_sixteen_bit_colour_with_transparency_keeps_all_bits(tmp_path, rng):
    pixels = (rng.random((40, 50, 4)) * 65535).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, pixels[..., :3])


def test_gigabytes_of_zeros_in_a_small_png_are_refused_unread(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(np.zeros((16, 16, 3), np.uint16)))
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = (9999).to_bytes(4) * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    (tmp_path / "a.png").write_bytes(data)
    monkeypatch.setattr(imagecodecs, "png_decode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match="at most 200 MB of pixels, got 9999 x 9999 of 6 bytes"):
        read(tmp_path / "a.png")


def test_an_animation_is_not_its_first_frame(tmp_path):
    frames = [PIL.Image.fromarray(GREY + k) for k in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="got an animation of 3"):
        read(tmp_path / "a.png")


def test_one_bit_is_black_and_white(tmp_path):
    PIL.Image.fromarray(GREY > 50).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, np.where(GREY > 50, 255, 0))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PPM"])
def test_another_format_under_a_wrong_ending_is_refused(tmp_path, kind):
    PIL.Image.fromarray(GREY).save(tmp_path / "a.bin", kind)
    (tmp_path / "a.bin").rename(tmp_path / "a.png")
    with pytest.raises(ImageError, match="not a readable image"):
        read(tmp_path / "a.png")


def test_damaged_exif_costs_nothing(tmp_path):
    PIL.Image.fromarray(GREY).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f", quality=100)
    assert np.abs(read(tmp_path / "a.jpg").pixels.astype(int) - GREY).max() <= 3


def test_memory_that_is_not_there_is_said(tmp_path, monkeypatch):
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")

    def none(*_):
        raise MemoryError

    monkeypatch.setattr(PIL.Image.Image, "load", none)
    with pytest.raises(ImageError, match="more memory is needed than there is"):
        read(tmp_path / "a.png")
