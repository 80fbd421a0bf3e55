"""PNG, JPEG and BMP: what is declared is judged first; nothing else is tried on their bytes."""

import struct
import zlib

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
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    (tmp_path / "a.png").write_bytes(data)
    monkeypatch.setattr(imagecodecs, "png_decode", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match="at most 200 MB of pixels, got 9999 x 9999 of 6 bytes"):
        read(tmp_path / "a.png")


def test_an_animation_is_not_its_first_frame(tmp_path):
    frames = [PIL.Image.fromarray(GREY + k) for k in range(3)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(ImageError, match="got an animation; save each frame"):
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

    monkeypatch.setattr(imagecodecs, "png_decode", none)
    with pytest.raises(ImageError, match="more memory is needed than there is"):
        read(tmp_path / "a.png")


def with_rows(data, at, form, rows):
    """The same bytes that declare another height."""
    changed = bytearray(data)
    changed[at : at + struct.calcsize(form)] = struct.pack(form, rows)
    if data[1:4] == b"PNG":
        changed[29:33] = zlib.crc32(changed[12:29]).to_bytes(4)
    return bytes(changed)


@pytest.mark.parametrize(("ending", "at", "form"), [("png", 20, ">I"), ("bmp", 22, "<i")])
def test_rows_that_are_declared_and_not_there_are_not_filled_with_black(tmp_path, ending, at, form):
    path = tmp_path / f"a.{ending}"
    PIL.Image.fromarray(GREY).save(path)
    path.write_bytes(with_rows(path.read_bytes(), at, form, 90))
    with pytest.raises(ImageError, match="is the file complete"):
        read(path)


def test_a_jpeg_whose_data_end_early_carries_a_note(tmp_path, rng):
    """Its decoder goes on in the last colour: nothing in the file tells that from a picture."""
    path = tmp_path / "a.jpg"
    PIL.Image.fromarray(rng.integers(0, 255, (120, 140)).astype(np.uint8)).save(path)
    data = path.read_bytes()
    assert read(path).notes == ()
    path.write_bytes(with_rows(data, data.index(b"\xff\xc0") + 5, ">H", 300))
    assert read(path).notes == ("its lowest rows are all of one colour: is the file complete?",)


def test_texts_and_profiles_of_a_png_cost_nothing(tmp_path):
    """A chunk of text that is a bomb or damaged is not looked at."""
    PIL.Image.fromarray(GREY).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    text = b"zTXt" + b"key\0\0" + zlib.compress(bytes(80_000_000))
    profile = b"iCCPbad\0\0nothing"
    chunks = b"".join(struct.pack(">I", len(c) - 4) + c + b"\0\0\0\0" for c in (text, profile))
    (tmp_path / "a.png").write_bytes(data[:33] + chunks + data[33:])
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, GREY)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"not a readable image \(it is empty\); is the file complete\?"),
        (b"no picture at all", r"not a readable image \(its content is no PNG, JPEG, BMP or TIFF\)"),
    ],
)
def test_what_is_no_image_is_said_without_names_of_python(tmp_path, content, says):
    for name in ("a.png", "a.jpg", "a.tif"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ImageError, match=says) as told:
            read(tmp_path / name)
        assert "<" not in str(told.value)
