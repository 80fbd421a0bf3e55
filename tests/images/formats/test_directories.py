"""The chain of pages of a TIFF: loops, endless ones, pages beyond the end, bombs in tags."""

import struct

import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.formats import directories
from cytally.images.formats.directories import pages_of
from cytally.images.read import read
from cytally.images.sequences.stacks import stack_parts, stack_planes
from cytally.images.sequences.tracks import read_masks

PIXELS = bytes(range(16)) * 16


@pytest.mark.parametrize("links", [[0], [1, 0], [1, 2, 1]], ids=["itself", "back", "into the middle"])
def test_pages_that_point_back_are_an_error_at_every_door(tmp_path, handmade, grey_tags, links):
    path = tmp_path / "mask000.tif"
    path.write_bytes(handmade([grey_tags(16, 16)] * len(links), PIXELS, links))
    with pytest.raises(ImageError, match=r"mask000\.tif: page \d points back to an earlier page"):
        read(path)
    with pytest.raises(ImageError, match="points back"):
        stack_parts(path)
    with pytest.raises(ImageError, match="points back"):
        list(stack_planes(path))
    with pytest.raises(ImageError, match="points back"):
        list(read_masks(tmp_path))


def test_more_pages_than_any_stack_has_are_an_error(tmp_path, handmade, grey_tags, monkeypatch):
    monkeypatch.setattr(directories, "MOST_PAGES", 3)
    path = tmp_path / "a.tif"
    path.write_bytes(handmade([grey_tags(16, 16)] * 4, PIXELS))
    with pytest.raises(ImageError, match="at most 3 pages, got more"):
        read(path)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_are_read_as_another_program_wrote_them(tmp_path, big, order):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((3, 20, 30), np.uint16), bigtiff=big, byteorder=order, photometric="minisblack"
    )
    with (tmp_path / "a.tif").open("rb") as file:
        pages = pages_of(file, (tmp_path / "a.tif").stat().st_size)
    assert [(page.height, page.width, page.bits, page.number) for page in pages] == [
        (20, 30, 16, 0),
        (20, 30, 16, 1),
        (20, 30, 16, 2),
    ]
    assert pages[0].description == '{"shape": [3, 20, 30]}'


def test_a_tag_that_declares_gigabytes_is_refused(tmp_path, handmade, grey_tags):
    data = bytearray(handmade([grey_tags(16, 16, t273=(4, [8, 8]))], PIXELS))
    at = data.index(struct.pack("<HHI", 273, 4, 2))
    data[at + 4 : at + 8] = struct.pack("<I", 0x7FFFFFFF)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ImageError, match="tag 273 declares 2147483647 values"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"II*\0", "got other bytes"),
        (b"II*\0" + bytes(4), "a page, got none"),
        (b"II+\0" + bytes(20), "got version 43"),
        (b"II*\0" + struct.pack("<I", 999), "the file ends at 8"),
        (b"II*\0" + struct.pack("<I", 8) + bytes(2), "tags, got 0"),
    ],
)
def test_headers_without_an_image_are_refused(tmp_path, content, says):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ImageError, match=says):
        read(tmp_path / "a.tif")


def test_pages_that_share_one_long_list_are_refused(tmp_path, handmade, grey_tags, monkeypatch):
    """A small file whose thousand pages all point to the same numbers would fill the memory."""
    monkeypatch.setattr(directories, "_MOST", (400, 1000))
    path = tmp_path / "a.tif"
    path.write_bytes(
        handmade(
            [grey_tags(16, 16, t273=(4, list(range(8, 264, 16))), t279=(4, [16] * 16), t278=(4, [1]))] * 4,
            PIXELS,
        )
    )
    with pytest.raises(ImageError, match="values, more than a page may hold"):
        read(path)
