"""Stacks of times and channels come apart as they were put together."""

import struct

import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError, LabelError
from cytally.images.masks import LARGEST_NUMBER, read_mask, read_numbers
from cytally.images.read import read
from cytally.images.sequences.stacks import stack_parts, stack_planes
from cytally.images.sequences.tracks import read_masks, read_tracks

CUBE = np.arange(3 * 2 * 8 * 9, dtype=np.uint16).reshape(3, 2, 8, 9)


def shape_of(path):
    """Times, channels and focal planes of a stack of one part."""
    (part,) = stack_parts(path)
    return part.times, part.channels, part.planes


@pytest.mark.parametrize("kind", ["imagej", "ome", "plain"])
def test_times_come_in_order(tmp_path, kind):
    path = tmp_path / "s.tif"
    how = {
        "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
        "ome": {"ome": True, "metadata": {"axes": "TYX"}},
        "plain": {"photometric": "minisblack"},
    }[kind]
    tifffile.imwrite(path, CUBE[:, 0], **how)
    assert shape_of(path) == (3, 1, 1)
    for number, plane in enumerate(stack_planes(path)):
        assert (plane.time, plane.channel) == (number, 0) and np.array_equal(plane.pixels, CUBE[number, 0])


@pytest.mark.parametrize(("kind", "axes"), [("imagej", "TCYX"), ("ome", "TCYX"), ("ome", "CTYX")])
def test_channels_are_told_from_times(tmp_path, kind, axes):
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, CUBE if axes == "TCYX" else CUBE.swapaxes(0, 1), **{kind: True}, metadata={"axes": axes})
    found = {(plane.time, plane.channel): plane.pixels for plane in stack_planes(path)}
    assert set(found) == {(t, c) for t in range(3) for c in range(2)}
    assert all(np.array_equal(pixels, CUBE[where]) for where, pixels in found.items())


def test_a_single_image_is_a_stack_of_one(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", CUBE[0, 0])
    assert [plane.pixels.shape for plane in stack_planes(tmp_path / "s.tif")] == [(8, 9)]


def test_focus_and_time_are_told_apart(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", CUBE, imagej=True, metadata={"axes": "TZYX"})
    assert shape_of(tmp_path / "s.tif") == (3, 1, 2)
    assert all(np.array_equal(p.pixels, CUBE[p.time, p.z]) for p in stack_planes(tmp_path / "s.tif"))


def test_what_is_no_tiff_is_no_stack(tmp_path):
    (tmp_path / "x.tif").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="expected a TIFF stack"):
        stack_parts(tmp_path / "x.tif")


def test_a_real_stack_of_channels(data):
    path = data / "neubias" / "image_data_watershed_xyc_16bit__nuclei_tubulin.tif"
    assert shape_of(path) == (1, 2, 1)
    alone = tifffile.imread(data / "neubias" / "image_data_watershed_xy_16bit__tubulin.tif")
    assert any(np.array_equal(plane.pixels, alone) for plane in stack_planes(path))


def test_a_real_time_lapse(data):
    path = data / "flow_mesenterium" / "mesenterium.tif"
    assert shape_of(path) == (20, 1, 1) and len(list(stack_planes(path))) == 20


def test_single_images_written_one_after_the_other_are_all_given(tmp_path):
    """Each has a description of its own, so that a library sees as many series."""
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        for pixels in CUBE[:, 0]:
            file.write(pixels)
    assert shape_of(tmp_path / "s.tif") == (3, 1, 1)
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in stack_planes(tmp_path / "s.tif"))


@pytest.mark.parametrize("rows", [8, 7], ids=["of one size", "of another size"])
@pytest.mark.parametrize("ome", [True, False])
def test_a_second_series_is_not_dropped(tmp_path, ome, rows):
    path = tmp_path / ("s.ome.tif" if ome else "s.tif")
    with tifffile.TiffWriter(path, ome=ome) as file:
        file.write(CUBE[:, 0], metadata={"axes": "TYX"}, photometric="minisblack")
        file.write(CUBE[:2, 1, :rows], metadata={"axes": "TYX"}, photometric="minisblack")
    assert [part.times for part in stack_parts(path)] == [3, 2]
    found = [(p.part.number, p.time, p.pixels) for p in stack_planes(path)]
    assert [each[:2] for each in found] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert np.array_equal(found[4][2], CUBE[1, 1, :rows])


def test_pages_of_two_sizes_that_nothing_tells_apart_are_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        for rows in (8, 7):
            file.write(CUBE[0, 0, :rows], metadata=None)
    with pytest.raises(ImageError, match="pages of 8 x 9 and 7 x 9; save each as a file"):
        stack_parts(tmp_path / "s.tif")


def test_reduced_copies_are_no_series(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        for plane in CUBE[:, 0]:
            file.write(plane, metadata=None)
            file.write(plane[::4, ::4], metadata=None, subfiletype=1)
    assert shape_of(tmp_path / "s.tif") == (3, 1, 1)
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in stack_planes(tmp_path / "s.tif"))


@pytest.mark.parametrize("kept", ["contig", "separate"])
@pytest.mark.parametrize("white", [False, True])
def test_channels_within_a_page_come_apart(tmp_path, kept, white):
    pixels = 65535 - CUBE if white else CUBE
    pixels, axes = (np.moveaxis(pixels, 1, 3), "TYXC") if kept == "contig" else (pixels, "TCYX")
    look = "miniswhite" if white else "minisblack"
    tifffile.imwrite(tmp_path / "s.tif", pixels, photometric=look, planarconfig=kept, metadata={"axes": axes})
    assert shape_of(tmp_path / "s.tif") == (3, 2, 1)
    assert all(np.array_equal(p.pixels, CUBE[p.time, p.channel]) for p in stack_planes(tmp_path / "s.tif"))


@pytest.mark.parametrize("kept", ["contig", "separate"])
def test_colours_stay_together(tmp_path, kept):
    """Of colours kept as three planes of a page only the first came out once."""
    colour = np.random.default_rng(1).integers(0, 255, (3, 8, 9, 3), dtype=np.uint8)
    pixels, axes = (colour, "TYXS") if kept == "contig" else (np.moveaxis(colour, 3, 1), "TSYX")
    tifffile.imwrite(
        tmp_path / "s.ome.tif", pixels, ome=True, photometric="rgb", planarconfig=kept, metadata={"axes": axes}
    )
    assert all(np.array_equal(p.pixels, colour[p.time]) for p in stack_planes(tmp_path / "s.ome.tif"))


def test_bits_come_out_as_black_and_white(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", CUBE[:, 0] % 3 == 0, photometric="minisblack")
    assert all(np.array_equal(p.pixels, 255 * (CUBE[p.time, 0] % 3 == 0)) for p in stack_planes(tmp_path / "s.tif"))


def test_a_palette_is_looked_up_in_stacks_too(tmp_path):
    colours = np.random.default_rng(2).integers(0, 255, (3, 256), dtype=np.uint8)
    grey = CUBE[:, 0].astype(np.uint8)
    tifffile.imwrite(tmp_path / "s.tif", grey, photometric="palette", colormap=colours.astype(np.uint16) * 257)
    assert all(np.array_equal(p.pixels, colours.T[grey[p.time]]) for p in stack_planes(tmp_path / "s.tif"))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_planes_stand_upright_as_a_single_image_does(tmp_path, orientation):
    turned = [(274, "H", 1, orientation, False)]
    tifffile.imwrite(tmp_path / "one.tif", CUBE[0, 0], extratags=turned)
    tifffile.imwrite(tmp_path / "s.tif", CUBE[:, 0], extratags=turned, photometric="minisblack")
    (first, *_) = stack_planes(tmp_path / "s.tif")
    assert np.array_equal(first.pixels, read(tmp_path / "one.tif").pixels)


def test_a_metamorph_stack_comes_out(tmp_path, handmade, grey_tags):
    """One page, as many values of tag 33629 as planes, and these one behind the other."""
    pixels = np.arange(3 * 256, dtype=np.uint32).astype(np.uint8)
    page = grey_tags(16, 16, t33629=(5, [1, 1] * 9), t33628=(4, [4, 1] * 4))
    (tmp_path / "s.tif").write_bytes(_three_planes(handmade([page], pixels.tobytes())))
    assert shape_of(tmp_path / "s.tif") in {(3, 1, 1), (1, 1, 3)}
    found = np.array([p.pixels for p in stack_planes(tmp_path / "s.tif")])
    assert np.array_equal(found.ravel(), pixels)


def _three_planes(content):
    """The tag declares planes, each of three fractions (MetaMorph Stack File Format, UIC2Tag)."""
    at = content.index(struct.pack("<HHI", 33629, 5, 9))
    return content[: at + 4] + struct.pack("<I", 3) + content[at + 8 :]


def test_planes_behind_the_first_page_of_a_large_stack_are_given(tmp_path):
    """ImageJ writes stacks beyond 4 GB as one page with all planes behind it."""
    tifffile.imwrite(tmp_path / "s.tif", CUBE[:, 0], imagej=True, metadata={"axes": "TYX"}, byteorder=">")
    data = bytearray((tmp_path / "s.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "s.tif") as tiff:
        at = tiff.pages[0].offset + 2 + 12 * len(tiff.pages[0].tags)
    data[at : at + 4] = bytes(4)
    (tmp_path / "s.tif").write_bytes(data)
    assert shape_of(tmp_path / "s.tif") == (3, 1, 1)
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in stack_planes(tmp_path / "s.tif"))


def test_white_is_zero_is_turned_in_stacks_too(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", 65535 - CUBE[:, 0], photometric="miniswhite")
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in stack_planes(tmp_path / "s.tif"))


@pytest.mark.parametrize("kind", ["imagej", "ome", "plain"])
def test_a_cut_stack_is_refused_before_its_first_plane(tmp_path, kind):
    path = tmp_path / "s.tif"
    big = np.repeat(np.repeat(CUBE[:, 0], 8, 1), 8, 2)
    tifffile.imwrite(
        path,
        big,
        photometric="minisblack",
        **({} if kind == "plain" else {kind: True, "metadata": {"axes": "TYX"}}),
    )
    data = path.read_bytes()
    for length in (len(data) // 3, len(data) // 2, len(data) - 40):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match="is the file complete"):
            next(stack_planes(path))


def test_pages_of_different_kinds_are_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        file.write(CUBE[0, 0], metadata=None)
        file.write(CUBE[0, 0].astype(np.uint8), metadata=None)
    with pytest.raises(ImageError, match="pages of different kinds"):
        stack_parts(tmp_path / "s.tif")


def test_a_part_of_a_set_of_files_is_refused(tmp_path):
    parts = "".join(
        f'<TiffData FirstT="{t}" PlaneCount="1"><UUID FileName="t{t}.ome.tif">urn:uuid:{t}</UUID></TiffData>'
        for t in range(2)
    )
    text = (
        '<?xml version="1.0"?><OME UUID="urn:uuid:0"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" '
        f'Type="uint16" SizeX="9" SizeY="8" SizeC="1" SizeZ="1" SizeT="2">{parts}</Pixels></Image></OME>'
    )
    tifffile.imwrite(tmp_path / "t0.ome.tif", CUBE[0, 0], description=text, metadata=None)
    with pytest.raises(ImageError, match="a part of several; save them as one stack"):
        stack_parts(tmp_path / "t0.ome.tif")


@pytest.mark.parametrize("content", [b"", b"II*\0", b"II*\0\x08\0\0\0\xff\xff", b"nothing at all"])
def test_bytes_that_are_no_stack_are_an_error_of_ours(tmp_path, content):
    (tmp_path / "s.tif").write_bytes(content)
    with pytest.raises(ImageError, match=r"s\.tif"):
        list(stack_planes(tmp_path / "s.tif"))


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.full((8, 9), -1, np.int16), "got -1; is it a mask"),
        (np.full((8, 9), LARGEST_NUMBER + 1, np.uint32), "got 16777216"),
        (np.full((8, 9), 0.5, np.float32), "whole numbers, got float32"),
        (np.zeros((8, 9, 3), np.uint8), r"got uint8 of shape \(8, 9, 3\)"),
    ],
)
def test_masks_that_are_none_are_refused(tmp_path, mask, says):
    tifffile.imwrite(tmp_path / "mask000.tif", mask, photometric="rgb" if mask.ndim == 3 else "minisblack")
    for door in (read_mask, read_numbers, lambda path: list(read_masks(path.parent))):
        with pytest.raises(LabelError, match=says):
            door(tmp_path / "mask000.tif")


def test_masks_of_a_sequence_keep_their_numbers(tmp_path):
    tifffile.imwrite(tmp_path / "mask000.tif", np.eye(8, dtype=np.uint8) * 255)
    (found,) = read_masks(tmp_path)
    assert set(np.unique(found)) == {0, 255}


def test_two_masks_of_one_frame_and_frames_in_the_billions_are_told(tmp_path):
    for name in ("mask1.tif", "mask001.tif"):
        tifffile.imwrite(tmp_path / name, np.zeros((8, 8), np.uint8))
    with pytest.raises(ImageError, match="a second mask of frame 1"):
        list(read_masks(tmp_path))
    (tmp_path / "mask1.tif").rename(tmp_path / "mask900000000.tif")
    with pytest.raises(ImageError, match="the mask of frame 2 is missing"):
        list(read_masks(tmp_path))


@pytest.mark.parametrize("content", [b"1 0 1 \xe9", b"\xff\xfe1\0"])
def test_a_table_of_tracks_that_is_no_text_is_refused(tmp_path, content):
    (tmp_path / "res_track.txt").write_bytes(content)
    with pytest.raises(LabelError, match="expected .label first last parent."):
        read_tracks(tmp_path)
