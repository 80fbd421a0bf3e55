"""Stacks of times and channels come apart as they were put together."""

import numpy as np
import pytest
import tifffile

from cytally.errors import ImageError
from cytally.images.stacks import StackShape, planes, stack_shape

CUBE = np.arange(3 * 2 * 8 * 9, dtype=np.uint16).reshape(3, 2, 8, 9)


@pytest.mark.parametrize("kind", ["imagej", "ome", "plain"])
def test_times_come_in_order(tmp_path, kind):
    path = tmp_path / "s.tif"
    how = {"imagej": {"imagej": True, "metadata": {"axes": "TYX"}}, "ome": {"ome": True, "metadata": {"axes": "TYX"}},
           "plain": {"photometric": "minisblack"}}[kind]  # fmt: skip
    tifffile.imwrite(path, CUBE[:, 0], **how)
    assert stack_shape(path) == StackShape(3, 1)
    for number, plane in enumerate(planes(path)):
        assert (plane.time, plane.channel) == (number, 0) and np.array_equal(plane.pixels, CUBE[number, 0])


@pytest.mark.parametrize(("kind", "axes"), [("imagej", "TCYX"), ("ome", "TCYX"), ("ome", "CTYX")])
def test_channels_are_told_from_times(tmp_path, kind, axes):
    path = tmp_path / "s.tif"
    tifffile.imwrite(
        path, CUBE if axes == "TCYX" else CUBE.swapaxes(0, 1), **{kind: True}, metadata={"axes": axes}
    )
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
