"""Stacks come apart without anything lost, written over or invented."""

import json

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.errors import ImageError
from cytally.images.read import read
from cytally.images.sequences.headers import hours_between
from cytally.livecell.names.unstacked import own_names, unstack


def cube(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 60000, (*shape, 16, 20), dtype=np.uint16)


def imagej(path, pixels, axes, **metadata):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": axes} | metadata)
    return path


def pixels_of(folder):
    return {path.relative_to(folder).as_posix(): read(path).pixels for path in sorted(folder.rglob("*.tif"))}


def test_stacks_of_one_name_get_their_folders_before_it(tmp_path):
    one, two = (imagej(tmp_path / f"w{k}" / "lapse.tif", cube(3, seed=k), "TYX") for k in (1, 2))
    other = imagej(tmp_path / "w1" / "other.tif", cube(2), "TYX")
    unstack([one, two, other], tmp_path / "out")
    found = pixels_of(tmp_path / "out")
    assert sorted(found) == [
        "other_t000.tif",
        "other_t001.tif",
        *(f"w{w}_lapse_t00{t}.tif" for w in (1, 2) for t in range(3)),
    ]
    assert np.array_equal(found["w2_lapse_t001.tif"], cube(3, seed=2)[1])
    with pytest.raises(ImageError, match="two stacks of one name"):
        own_names([tmp_path / "a.tif", tmp_path / "a.tiff"])


def test_what_is_there_of_another_stack_is_never_written_over(tmp_path):
    one, two = (imagej(tmp_path / f"w{k}" / "lapse.tif", cube(3, seed=k), "TYX") for k in (1, 2))
    unstack([one], tmp_path / "out")
    before = pixels_of(tmp_path / "out")
    with pytest.raises(
        ImageError, match=r"lapse_t000.tif: is there already, and not of .*w2.lapse.tif; give another --out"
    ):
        unstack([two], tmp_path / "out")
    assert all(np.array_equal(a, before[name]) for name, a in pixels_of(tmp_path / "out").items())
    unstack([one], tmp_path / "out")  # the same once more is no harm
    assert list(json.loads((tmp_path / "out" / "unstacked.json").read_text())) == ["lapse"]


def test_every_series_and_every_plane_comes_out(tmp_path):
    """Two positions of 3 and 2 times; then one of 2 times, 2 channels and 3 focal planes."""
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as writer:
        for times in (3, 2):
            writer.write(cube(times, seed=times), metadata={"axes": "TYX"}, photometric="minisblack")
    deep = cube(2, 3, 2, seed=9)
    imagej(tmp_path / "deep.tif", deep, "TZCYX")
    parts = unstack([tmp_path / "two.ome.tif", tmp_path / "deep.tif"], tmp_path / "out")
    found = pixels_of(tmp_path / "out")
    assert [part.times for part in parts[tmp_path / "two.ome.tif"]] == [3, 2]
    assert np.array_equal(found["two_s02_t001.tif"], cube(2, seed=2)[1]) and len(found) == 5 + 12
    assert np.array_equal(found["ch2/deep_t001_z002.tif"], deep[1, 2, 1])


def test_colour_and_single_pages_come_out(tmp_path):
    colour = np.random.default_rng(1).integers(0, 255, (3, 16, 20, 3), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "colour.tif", colour, photometric="rgb", metadata={"axes": "TYXS"})
    tifffile.imwrite(tmp_path / "pages.tif", cube(4), photometric="minisblack", metadata=None)
    unstack([tmp_path / "colour.tif", tmp_path / "pages.tif"], tmp_path / "out")
    found = pixels_of(tmp_path / "out")
    assert np.array_equal(found["colour_t002.tif"], colour[2]) and np.array_equal(found["pages_t003.tif"], cube(4)[3])


def test_pixel_size_and_interval_are_kept(tmp_path):
    """0.65 um and half an hour, from OME and from ImageJ (which count seconds and pixels a micron)."""
    ome = {
        "axes": "TYX",
        "PhysicalSizeX": 0.65,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.65,
        "PhysicalSizeYUnit": "µm",
        "TimeIncrement": 30,
        "TimeIncrementUnit": "min",
    }
    tifffile.imwrite(tmp_path / "ome.ome.tif", cube(2), ome=True, metadata=ome, photometric="minisblack")
    tifffile.imwrite(
        tmp_path / "ij.tif",
        cube(2),
        imagej=True,
        resolution=(1 / 0.65, 1 / 0.65),
        metadata={"axes": "TYX", "finterval": 1800.0, "unit": "um"},
    )
    unstack([tmp_path / "ome.ome.tif", tmp_path / "ij.tif"], tmp_path / "out")
    for name in ("ome_t000.tif", "ij_t001.tif"):
        assert read(tmp_path / "out" / name).pixel_size_um == pytest.approx(0.65, rel=1e-5)
        assert hours_between(tmp_path / "out" / name) == pytest.approx(0.5)


def test_a_stack_that_ends_too_early_is_one_clear_error(tmp_path):
    whole = tmp_path / "whole.tif"
    tifffile.imwrite(whole, cube(6), photometric="minisblack", metadata={"axes": "TYX"})
    content = whole.read_bytes()
    for share in (0.2, 0.5, 0.9):
        (tmp_path / "cut.tif").write_bytes(content[: int(share * len(content))])
        with pytest.raises(ImageError, match=r"cut.tif: .*(cut off|is the file complete)"):
            unstack([tmp_path / "cut.tif"], tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.tif"))


def test_other_axes_and_no_tiff_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "odd.tif", cube(2, 3), metadata={"axes": "HTYX"}, photometric="minisblack")
    tifffile.imwrite(tmp_path / "unnamed.tif", cube(2, 3), photometric="minisblack")
    (tmp_path / "no.tif").write_bytes(b"nothing of the kind")
    for name in ("odd.tif", "unnamed.tif"):
        with pytest.raises(ImageError, match=f"{name}: expected axes of time, channel and focal plane"):
            unstack([tmp_path / name], tmp_path / "out")
    with pytest.raises(ImageError, match="is the file complete"):
        unstack([tmp_path / "no.tif"], tmp_path / "out")


def test_the_command_says_what_each_series_holds(tmp_path):
    imagej(tmp_path / "a.tif", cube(2, 2), "TCYX")
    done = CliRunner().invoke(cli, ["livecell", "unstack", str(tmp_path / "a.tif"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0 and "a.tif: 2 times, 2 channels" in done.output
    imagej(tmp_path / "one.tif", cube(1, 5), "TCYX")
    done = CliRunner().invoke(cli, ["livecell", "unstack", str(tmp_path / "one.tif"), "--out", str(tmp_path / "o")])
    assert "one.tif: 1 time, 5 channels" in done.output


def test_the_command_tells_stacks_of_one_name_apart(tmp_path):
    stacks = [imagej(tmp_path / f"w{k}" / "lapse.tif", cube(3, seed=k), "TYX") for k in (1, 2)]
    done = CliRunner().invoke(cli, ["livecell", "unstack", *map(str, stacks), "--out", str(tmp_path / "out")])
    assert all(f"{path}: 3 times, 1 channel" in done.output for path in stacks)
