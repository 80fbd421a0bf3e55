"""Strips and tiles: all there, all whole, no larger than the image; or refused."""

import numpy as np
import PIL.Image
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.read import read
from cytally.images.sequences.stacks import stack_planes

FIELD = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (96, 1))
COLOUR = np.stack([FIELD, FIELD[:, ::-1], np.full_like(FIELD, 90)], axis=2)
KINDS = {
    "plain": (FIELD, {}),
    "strips": (FIELD, {"rowsperstrip": 16}),
    "lzw": (FIELD, {"compression": "lzw"}),
    "tiles": (FIELD, {"compression": "zlib", "tile": (32, 32)}),
    "bigtiff": (FIELD, {"bigtiff": True}),
    "jpeg": (COLOUR, {"compression": "jpeg", "photometric": "rgb", "rowsperstrip": 32}),
    "jpeg in YCbCr": (COLOUR, {"compression": "jpeg", "photometric": "ycbcr"}),
    "jpeg 2000": (COLOUR, {"compression": "jpeg2000", "photometric": "rgb"}),
    "planes apart": (np.moveaxis(COLOUR, 2, 0), {"photometric": "rgb", "planarconfig": "separate"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read_and_none_that_is_cut_gives_other_pixels(tmp_path, kind):
    pixels, how = KINDS[kind]
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, **how)
    whole, data = read(path).pixels, path.read_bytes()
    expected = np.moveaxis(pixels, 0, 2) if kind == "planes apart" else pixels
    if kind == "jpeg in YCbCr":  # what was written is YCbCr: libtiff says which RGB that is
        expected = np.asarray(PIL.Image.open(path).convert("RGB")).astype(int)
    assert np.abs(whole.astype(int) - expected).max() <= (40 if "jpeg" in kind else 0)
    for length in {1, 2, 9, 17, 200, len(data) // 2, len(data) - 600, *range(len(data) - 5, len(data))}:
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match="is the file complete"):
            read(path)


def test_a_jpeg_strip_that_ends_early_is_refused(tmp_path):
    """The strip's bytes are all in the file, but the picture in them is cut off."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, COLOUR, compression="jpeg", photometric="ycbcr")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        count = tiff.pages[0].tags["StripByteCounts"]
        count.overwrite((count.value[0] // 2,))
    with pytest.raises(ImageError, match=r"cut off \(JPEG\)"):
        read(path)


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({"t273": (4, [0])}, "part 1 of 1 of the image is missing"),
        ({"t279": (4, [0])}, "is missing"),
        ({"t279": (4, [200])}, "200 of 256 bytes"),
        ({"t273": (4, [100000])}, "beyond the end of the file"),
        ({"t278": (4, [4])}, "expected 4 strips or tiles, got 1"),
        ({"t278": (4, [0])}, "at least one row"),
        ({"t256": (4, [0])}, "got 16 x 0"),
        ({"t277": (3, [200])}, "got 200 of 8 bits"),
        ({"t258": (3, [99])}, "of 99 bits"),
        ({"t256": (4, [100000]), "t257": (4, [100000])}, "at most 100 megapixels, got 100000 x 100000"),
        ({"t256": (4, [9000]), "t257": (4, [9000]), "t258": (3, [64])}, "at most 200 MB of pixels"),
        ({"t32997": (3, [5])}, "a volume of 5"),
        ({"t259": (3, [6])}, "old-style JPEG is not read"),
        ({"t259": (3, [34925])}, "LZMA is not read"),
        ({"t259": (3, [999])}, "number 999 is not read"),
    ],
)
def test_what_is_declared_is_judged_before_it_is_decoded(tmp_path, handmade, grey_tags, monkeypatch, tags, says):
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda *_, **__: pytest.fail("it was decoded"))
    (tmp_path / "a.tif").write_bytes(handmade([grey_tags(16, 16, **tags)], bytes(256)))
    with pytest.raises(ImageError, match=says):
        read(tmp_path / "a.tif")


def test_byte_counts_may_lack_where_nothing_is_compressed(tmp_path, handmade, grey_tags):
    (tmp_path / "a.tif").write_bytes(handmade([grey_tags(16, 16, t279=(4, None))], bytes(range(256))))
    np.testing.assert_array_equal(read(tmp_path / "a.tif").pixels.ravel(), np.arange(256))


def test_tiles_of_gigabytes_in_a_small_image_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, COLOUR[:64, :64], tile=(16, 16), compression="jpeg", photometric="rgb")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name in ("TileWidth", "TileLength"):
            tiff.pages[0].tags[name].overwrite(65520)
    with pytest.raises(ImageError, match="tiles of the image's order of size, got 65520 x 65520"):
        read(path)


def test_a_jpeg_larger_than_its_strip_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, COLOUR, compression="jpeg", photometric="rgb")
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xdc\xff\xdc"
    path.write_bytes(data)
    with pytest.raises(ImageError, match="a JPEG of 65500 x 65500 pixels of 3 samples where 96 x 120 of 3"):
        read(path)


def test_a_cut_jpeg_is_refused_in_a_stack_too(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([COLOUR] * 3), compression="jpeg", photometric="rgb")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        count = tiff.pages[2].tags["StripByteCounts"]
        count.overwrite((count.value[0] - 9,))
    with pytest.raises(ImageError, match="is the file complete"):
        next(stack_planes(path))


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp"])
def test_other_formats_that_are_cut_are_refused(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    PIL.Image.fromarray(COLOUR).save(path)
    data = path.read_bytes()
    for length in (10, 40, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match="is the file complete"):
            read(path)
