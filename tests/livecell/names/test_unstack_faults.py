"""`cytally livecell unstack`, as users run it, on stacks that are damaged, odd or hostile: right planes or one sentence."""

import io
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.images.read import read
from cytally.livecell.sequences import series_of

FIELD = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (96, 1))
FRAMES = np.stack([FIELD, FIELD[::-1, ::-1], FIELD // 2])
COLOUR = np.stack([FIELD, FIELD[:, ::-1], np.full_like(FIELD, 90)], axis=2)


def unstack(path, out, code=0):
    """Output of the command; an error is one line that names the stack, and no image is written."""
    done = CliRunner().invoke(cli, ["livecell", "unstack", str(path), "--out", str(out)])
    assert done.exit_code == code and (done.exception is None or isinstance(done.exception, SystemExit)), done.output
    if code:
        assert len(done.output.strip().splitlines()) == 1 and path.name in done.output
        assert not list(Path(out).rglob("*.tif"))
    return done.output


def planes_in(out):
    return np.array([read(path).pixels for path in sorted(Path(out).rglob("*.tif"))])


def bytes_of(pixels, **how):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **how)
    return buffer.getvalue()


def test_a_jpeg_strip_that_ends_early_is_refused(tmp_path):
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, np.stack([COLOUR] * 3), compression="jpeg", photometric="rgb")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        count = tiff.pages[2].tags["StripByteCounts"]
        count.overwrite((count.value[0] // 2,))
    assert "cut off (JPEG)" in unstack(path, tmp_path / "out", code=1)


@pytest.mark.parametrize("kind", [{"imagej": True}, {"ome": True}, {}], ids=["imagej", "ome", "plain"])
def test_a_stack_that_is_cut_off_anywhere_is_refused(tmp_path, kind):
    data = bytes_of(FRAMES, **kind, metadata={"axes": "TYX"}, photometric="minisblack")
    path = tmp_path / "cut.tif"
    for length in (0, 7, 60, len(data) // 3, len(data) // 2, len(data) - 40):
        path.write_bytes(data[:length])
        assert "is the file complete" in unstack(path, tmp_path / "out", code=1)


def test_white_is_zero_is_turned(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", 255 - FRAMES, photometric="miniswhite")
    unstack(tmp_path / "a.tif", tmp_path / "out")
    assert np.array_equal(planes_in(tmp_path / "out"), FRAMES)


def test_a_palette_is_looked_up(tmp_path):
    colours = np.random.default_rng(3).integers(0, 255, (3, 256), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", FRAMES, photometric="palette", colormap=colours.astype(np.uint16) * 257)
    unstack(tmp_path / "a.tif", tmp_path / "out")
    assert np.array_equal(planes_in(tmp_path / "out"), colours.T[FRAMES])


@pytest.mark.parametrize("links", [[0], [1, 0], [1, 2, 1]], ids=["itself", "back", "into the middle"])
def test_pages_that_point_back_are_refused(tmp_path, handmade, grey_tags, links):
    path = tmp_path / "loop.tif"
    path.write_bytes(handmade([grey_tags(16, 16)] * len(links), bytes(256), links))
    assert "points back to an earlier page" in unstack(path, tmp_path / "out", code=1)


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ({"t256": (4, [100000]), "t257": (4, [100000])}, "at most 100 megapixels, got 100000 x 100000"),
        ({"t256": (4, [9000]), "t257": (4, [9000]), "t258": (3, [64])}, "at most 200 MB of pixels"),
        ({"t322": (4, [65520]), "t323": (4, [65520])}, "got 65520 x 65520"),
        ({"t32997": (3, [5])}, "a volume of 5"),
    ],
    ids=["pixels", "bytes", "tiles", "volume"],
)
def test_a_memory_bomb_is_refused_before_it_is_decoded(tmp_path, handmade, grey_tags, monkeypatch, tags, says):
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda *_, **__: pytest.fail("it was decoded"))
    path = tmp_path / "bomb.tif"
    path.write_bytes(handmade([grey_tags(16, 16), grey_tags(16, 16, **tags)], bytes(256)))
    told = unstack(path, tmp_path / "out", code=1)
    assert says in told or "pages of 16 x 16 and" in told or "pages of different kinds" in told
    path.write_bytes(handmade([grey_tags(16, 16, **tags)] * 2, bytes(256)))
    assert says in unstack(path, tmp_path / "out", code=1)


def test_an_imagej_stack_that_declares_more_than_it_holds_is_refused_in_our_words(tmp_path, caplog):
    data = bytes_of(FRAMES, imagej=True, metadata={"axes": "TYX"})
    for was, now in ((b"images=3", b"images=9"), (b"frames=3", b"frames=9")):
        data = data.replace(was, now)
    (tmp_path / "a.tif").write_bytes(data)
    assert "declares 9 planes and holds 3" in unstack(tmp_path / "a.tif", tmp_path / "out", code=1)
    assert not caplog.records  # of the library, which would stand on the screen too


def test_a_resolution_that_is_no_number_costs_no_plane(tmp_path, handmade, grey_tags):
    """NaN as a float, nothing over nothing as a fraction, and NaN in the words of OME."""
    text = b"ImageJ=1.53\nimages=1\nunit=um\0"
    nan = struct.unpack("<I", struct.pack("<f", float("nan")))[0]
    for number, resolution in enumerate([(4, [nan]), (5, [0, 0]), (5, [1, 0]), (4, [3])]):
        page = grey_tags(16, 16, t270=(2, list(text)), t282=resolution)
        content = handmade([page], bytes(range(256)))
        content = content.replace(
            struct.pack("<HHI", 282, 4, 1) + struct.pack("<I", nan), struct.pack("<HHIf", 282, 11, 1, float("nan"))
        )
        (tmp_path / f"{number}.tif").write_bytes(content)
    ome = {"axes": "TYX", "PhysicalSizeX": float("nan"), "PhysicalSizeXUnit": "µm", "TimeIncrement": float("nan")}
    tifffile.imwrite(tmp_path / "4.tif", FRAMES, ome=True, metadata=ome, photometric="minisblack")
    for number in range(5):
        unstack(tmp_path / f"{number}.tif", tmp_path / f"out{number}")
        found = sorted((tmp_path / f"out{number}").glob("*.tif"))
        assert len(found) == (3 if number == 4 else 1) and all(read(path).pixel_size_um is None for path in found)


@pytest.mark.parametrize(
    "text", ["<?xml version='1.0'?><OME><Image>", "<?xml version='1.0'?><!DOCTYPE OME><OME></OME>"]
)
def test_ome_words_that_cannot_be_read_cost_no_plane(tmp_path, text):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for frame in FRAMES:
            writer.write(frame, description=text, metadata=None)
    unstack(tmp_path / "a.tif", tmp_path / "out")
    assert np.array_equal(planes_in(tmp_path / "out"), FRAMES)


def test_a_name_that_is_not_utf_8_is_told_safely_and_read_on(tmp_path):
    path = tmp_path / os.fsdecode(b"Pr\xfcfung.tif")
    path.write_bytes(bytes_of(FRAMES, imagej=True, metadata={"axes": "TYX"}))
    out = tmp_path / "out"
    assert r"Pr\xfcfung.tif: 3 times" in unstack(path, out)
    assert list(json.loads((out / "unstacked.json").read_bytes().decode())) == [r"Pr\xfcfung"]
    (one,) = series_of(sorted(out.glob("*.tif")))
    assert [frame.time for frame in one.frames] == [0, 1, 2]
    unstack(path, out)
    path.write_bytes(b"nothing")
    done = CliRunner().invoke(cli, ["livecell", "unstack", str(path), "--out", str(out)])
    assert done.exit_code == 1 and r"Pr\xfcfung.tif: expected a TIFF stack" in done.output
    done.output.encode()


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": ', b"\xff"])
def test_a_damaged_note_of_what_was_unstacked_is_told(tmp_path, content):
    path = tmp_path / "a.tif"
    path.write_bytes(bytes_of(FRAMES, imagej=True, metadata={"axes": "TYX"}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "unstacked.json").write_bytes(content)
    done = CliRunner().invoke(cli, ["livecell", "unstack", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1 and "unstacked.json: expected" in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_numbers_that_no_image_holds_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", FRAMES.astype(np.int64), photometric="minisblack")
    assert "whole numbers of up to 32 bits" in unstack(tmp_path / "a.tif", tmp_path / "out", code=1)


def test_single_images_written_one_after_the_other_are_a_time_lapse(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for frame in FRAMES:
            writer.write(frame)
    assert "a.tif: 3 times" in unstack(tmp_path / "a.tif", tmp_path / "out")
    assert np.array_equal(planes_in(tmp_path / "out"), FRAMES)
