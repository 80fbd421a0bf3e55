"""Stacks of times and channels come apart as they were put together."""

import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError, LabelError
from cytally.images.masks import LARGEST_NUMBER, read_mask, read_numbers
from cytally.images.sequences.stacks import StackShape, planes, stack_shape
from cytally.images.sequences.tracks import read_masks, read_tracks

CUBE = np.arange(3 * 2 * 8 * 9, dtype=np.uint16).reshape(3, 2, 8, 9)


@pytest.mark.parametrize("kind", ["imagej", "ome", "plain"])
def test_times_come_in_order(tmp_path, kind):
    path = tmp_path / "s.tif"
    how = {
        "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
        "ome": {"ome": True, "metadata": {"axes": "TYX"}},
        "plain": {"photometric": "minisblack"},
    }[kind]
    tifffile.imwrite(path, CUBE[:, 0], **how)
    assert stack_shape(path) == StackShape(3, 1)
    for number, plane in enumerate(planes(path)):
        assert (plane.time, plane.channel) == (number, 0) and np.array_equal(plane.pixels, CUBE[number, 0])


@pytest.mark.parametrize(("kind", "axes"), [("imagej", "TCYX"), ("ome", "TCYX"), ("ome", "CTYX")])
def test_channels_are_told_from_times(tmp_path, kind, axes):
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, CUBE if axes == "TCYX" else CUBE.swapaxes(0, 1), **{kind: True}, metadata={"axes": axes})
    found = {(plane.time, plane.channel): plane.pixels for plane in planes(path)}
    assert set(found) == {(t, c) for t in range(3) for c in range(2)}
    assert all(np.array_equal(pixels, CUBE[where]) for where, pixels in found.items())


def test_a_single_image_is_a_stack_of_one(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", CUBE[0, 0])
    assert [plane.pixels.shape for plane in planes(tmp_path / "s.tif")] == [(8, 9)]


def test_focus_and_time_together_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", CUBE, imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(ImageError, match="choose a focus plane"):
        stack_shape(tmp_path / "s.tif")
    (tmp_path / "x.tif").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="expected a TIFF stack"):
        stack_shape(tmp_path / "x.tif")


def test_a_real_stack_of_channels(data):
    path = data / "neubias" / "image_data_watershed_xyc_16bit__nuclei_tubulin.tif"
    assert stack_shape(path) == StackShape(1, 2)
    alone = tifffile.imread(data / "neubias" / "image_data_watershed_xy_16bit__tubulin.tif")
    assert any(np.array_equal(plane.pixels, alone) for plane in planes(path))


def test_a_real_time_lapse(data):
    path = data / "flow_mesenterium" / "mesenterium.tif"
    assert stack_shape(path).times == 20 and len(list(planes(path))) == 20


def test_single_images_written_one_after_the_other_are_all_given(tmp_path):
    """Each has a description of its own, so that a library sees as many series."""
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        for pixels in CUBE[:, 0]:
            file.write(pixels)
    assert stack_shape(tmp_path / "s.tif") == StackShape(3, 1)
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in planes(tmp_path / "s.tif"))


def test_a_second_series_is_not_dropped(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=True) as file:
        for _ in range(2):
            file.write(CUBE[:, 0], metadata={"axes": "TYX"}, photometric="minisblack")
    with pytest.raises(ImageError, match=r"one series of images, got 2 \(positions\?\); save each"):
        stack_shape(tmp_path / "s.ome.tif")
    with pytest.raises(ImageError, match="got 2"):
        list(planes(tmp_path / "s.ome.tif"))


def test_a_series_of_another_size_is_not_dropped(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.ome.tif", ome=True) as file:
        file.write(CUBE[:, 0], metadata={"axes": "TYX"}, photometric="minisblack")
        file.write(CUBE[:, 0, :7], metadata={"axes": "TYX"}, photometric="minisblack")
    with pytest.raises(ImageError, match="pages of 8 x 9 and 7 x 9; save each as a file"):
        stack_shape(tmp_path / "s.ome.tif")


def test_planes_behind_the_first_page_of_a_large_stack_are_given(tmp_path):
    """ImageJ writes stacks beyond 4 GB as one page with all planes behind it."""
    tifffile.imwrite(tmp_path / "s.tif", CUBE[:, 0], imagej=True, metadata={"axes": "TYX"}, byteorder=">")
    data = bytearray((tmp_path / "s.tif").read_bytes())
    with tifffile.TiffFile(tmp_path / "s.tif") as tiff:
        at = tiff.pages[0].offset + 2 + 12 * len(tiff.pages[0].tags)
    data[at : at + 4] = bytes(4)
    (tmp_path / "s.tif").write_bytes(data)
    assert stack_shape(tmp_path / "s.tif") == StackShape(3, 1)
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in planes(tmp_path / "s.tif"))


def test_white_is_zero_is_turned_in_stacks_too(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", 65535 - CUBE[:, 0], photometric="miniswhite")
    assert all(np.array_equal(p.pixels, CUBE[p.time, 0]) for p in planes(tmp_path / "s.tif"))


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
            next(planes(path))


def test_pages_of_different_kinds_are_no_stack(tmp_path):
    with tifffile.TiffWriter(tmp_path / "s.tif") as file:
        file.write(CUBE[0, 0], metadata=None)
        file.write(CUBE[0, 0].astype(np.uint8), metadata=None)
    with pytest.raises(ImageError, match="pages of different kinds"):
        stack_shape(tmp_path / "s.tif")


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
        stack_shape(tmp_path / "t0.ome.tif")


@pytest.mark.parametrize("content", [b"", b"II*\0", b"II*\0\x08\0\0\0\xff\xff", b"nothing at all"])
def test_bytes_that_are_no_stack_are_an_error_of_ours(tmp_path, content):
    (tmp_path / "s.tif").write_bytes(content)
    with pytest.raises(ImageError, match=r"s\.tif"):
        list(planes(tmp_path / "s.tif"))


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
