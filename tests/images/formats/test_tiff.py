"""Which page of a TIFF is the image, and when there is none, or more than one."""

import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.read import read

FIELD = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (80, 1))
THUMB = FIELD[::8, ::8]
CHANNELS = np.stack([FIELD, FIELD[::-1], FIELD[:, ::-1]])


def written(path, *pages):
    with tifffile.TiffWriter(path) as file:
        for pixels, how in pages:
            file.write(pixels, **{"metadata": None} | how)
    return path


@pytest.mark.parametrize("flag", [0, 1], ids=["unmarked", "marked as reduced"])
@pytest.mark.parametrize("first", [True, False])
def test_a_thumbnail_is_not_the_image_wherever_it_lies(tmp_path, flag, first):
    pages = [(THUMB, {"subfiletype": flag}), (FIELD, {})]
    path = written(tmp_path / "a.tif", *(pages if first else pages[::-1]))
    np.testing.assert_array_equal(read(path).pixels, FIELD)


@pytest.mark.parametrize("first", [True, False])
def test_a_page_larger_than_all_others_is_no_reduced_copy(tmp_path, first):
    pages = [(FIELD, {"subfiletype": 1}), (THUMB, {})]
    path = written(tmp_path / "a.tif", *(pages if first else pages[::-1]))
    np.testing.assert_array_equal(read(path).pixels, FIELD)


def test_a_page_marked_as_reduced_that_could_as_well_be_the_image_is_refused(tmp_path):
    path = written(tmp_path / "a.tif", (FIELD[:60, :90], {}), (FIELD, {"subfiletype": 1}))
    with pytest.raises(ImageError, match="pages of 80 x 100 and 60 x 90"):
        read(path)


def test_levels_of_a_pyramid_are_one_image(tmp_path):
    levels = [
        (FIELD, {"subifds": 2}),
        (FIELD[::2, ::2], {"subfiletype": 1}),
        (FIELD[::4, ::4], {"subfiletype": 1}),
    ]
    np.testing.assert_array_equal(read(written(tmp_path / "a.tif", *levels)).pixels, FIELD)
    flat = [(FIELD, {}), (FIELD[::2, ::2], {}), (FIELD[::4, ::4], {})]
    np.testing.assert_array_equal(read(written(tmp_path / "b.tif", *flat)).pixels, FIELD)


def test_two_different_large_pages_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", (FIELD, {}), (FIELD[:60, :90], {}))
    with pytest.raises(ImageError, match="pages of 80 x 100 and 60 x 90; save each as a file of its own"):
        read(path)


def test_thumbnails_of_a_raw_file_are_not_the_image(tmp_path):
    path = written(tmp_path / "a.tif", (THUMB, {"subfiletype": 1, "subifds": 1}), (FIELD, {}))
    with pytest.raises(ImageError, match="thumbnails of one"):
        read(path)


def test_planes_of_one_size_are_a_stack_also_behind_a_thumbnail(tmp_path):
    path = written(tmp_path / "a.tif", (THUMB, {}), *[(FIELD, {})] * 4)
    with pytest.raises(ImageError, match="a stack of 4; save each plane"):
        read(path)


def test_one_plane_of_a_large_stack_of_imagej_is_not_the_image(tmp_path):
    """ImageJ writes stacks beyond 4 GB as one page with all planes behind it."""
    tifffile.imwrite(tmp_path / "a.tif", CHANNELS, imagej=True, metadata={"axes": "TYX"}, photometric="minisblack")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        page = tiff.pages[0]
        at = page.offset + 2 + 12 * len(page.tags)
    data[at : at + 4] = bytes(4)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match="a stack of 3"):
        read(tmp_path / "a.tif")
    (tmp_path / "a.tif").write_bytes(data[: len(data) - 8000])
    with pytest.raises(ImageError, match="declares 3 planes and holds 1"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("how", [{"imagej": True}, {"ome": True}], ids=["ImageJ", "OME"])
def test_three_channels_of_one_field_are_its_colours(tmp_path, how):
    tifffile.imwrite(tmp_path / "a.tif", CHANNELS, metadata={"axes": "CYX"}, photometric="minisblack", **how)
    found = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels, np.moveaxis(CHANNELS, 0, 2))
    assert found.notes == ("three channels of one field, taken as red, green and blue",)


@pytest.mark.parametrize("number", [2, 4])
def test_other_channels_are_refused_without_the_advice_to_unstack(tmp_path, number):
    pixels = np.stack([FIELD] * number)
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata={"axes": "CYX"}, photometric="minisblack", ome=True)
    with pytest.raises(ImageError, match=f"one field in {number} channels; save the one that shows the cells") as told:
        read(tmp_path / "a.tif")
    assert "unstack" not in str(told.value)


def test_times_and_channels_together_are_a_stack(tmp_path):
    pixels = np.stack([CHANNELS] * 2)
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata={"axes": "TCYX"}, photometric="minisblack", ome=True)
    with pytest.raises(ImageError, match="a stack of 6"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "how", [{"imagej": True}, {"ome": True, "compression": "zlib"}, {}], ids=["ImageJ", "OME", "shaped"]
)
def test_a_stack_that_lost_planes_is_not_read_as_what_is_left(tmp_path, how):
    """The chain of pages ends after the first, as some programs write what they could save."""
    how = how | ({"metadata": {"axes": "TYX"}} if how else {})
    tifffile.imwrite(tmp_path / "a.tif", CHANNELS, photometric="minisblack", **how)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        first = tiff.pages[0]
        ends = first.dataoffsets[0] + first.databytecounts[0]
        at = first.offset + 2 + 12 * len(first.tags)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data = data if "compression" in how else data[:ends]
    data[at : at + 4] = bytes(4)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match=r"declares 3 planes and holds 1\); is the file complete"):
        read(tmp_path / "a.tif")


def test_one_file_of_a_set_is_an_image_of_its_own(tmp_path):
    """Micro-Manager and others: the description names planes that lie in other files."""
    pixels = '<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="100" SizeY="80" SizeC="1" SizeZ="1" SizeT="2">'
    parts = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="t{t}.ome.tif">urn:uuid:{t}</UUID></TiffData>'
        for t in range(2)
    )
    text = f'<?xml version="1.0"?><OME UUID="urn:uuid:0"><Image ID="Image:0">{pixels}{parts}</Pixels></Image></OME>'
    tifffile.imwrite(tmp_path / "t0.ome.tif", FIELD, description=text, metadata=None)
    np.testing.assert_array_equal(read(tmp_path / "t0.ome.tif").pixels, FIELD)


def test_the_content_tells_the_format_and_the_ending_does_not(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FIELD)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.tif").read_bytes())
    np.testing.assert_array_equal(read(tmp_path / "a.png").pixels, FIELD)


def test_planes_of_metamorph_are_a_stack(tmp_path, handmade, grey_tags):
    """One page, and a private tag with as many values as planes lie behind it."""
    for planes in (1, 3):
        tags = grey_tags(16, 16, t33629=(5, [0, 1] * planes))
        (tmp_path / f"{planes}.tif").write_bytes(handmade([tags], bytes(range(256)) * planes))
    assert read(tmp_path / "1.tif").shape == (16, 16)
    with pytest.raises(ImageError, match="a stack of 3"):
        read(tmp_path / "3.tif")
