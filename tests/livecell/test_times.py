"""Hours, missing frames, growth and limits: series whose doubling time is known, from their files to the tables."""

import csv
import json

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.images.sequences.tracks import read_masks, read_tracks
from cytally.images.write import write
from cytally.livecell.counting.plan import Reading, plan
from cytally.livecell.sequences import in_hours, series_of
from cytally.types import Image

pytest.importorskip("laptrack")


def call(*words, code=0):
    done = CliRunner().invoke(cli, ["livecell", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def stain(count, shape=(160, 160), seed=1, ground=100.0):
    """`count` nuclei of 12 pixels on a grid of 20, in order: the next frame holds the same and more."""
    rng, light = np.random.default_rng(seed), np.zeros(shape, np.float32)
    across = shape[1] // 20
    for k in range(count):
        cv2.circle(light, (10 + 20 * (k % across), 10 + 20 * (k // across)), 6, 1.0, -1)
    return rng.poisson(ground + 600 * cv2.GaussianBlur(light, (0, 0), 0.8)).astype(np.uint16)


def folder(where, counts, name="A1_1_00d{:02d}h00m.tif", times=None):
    where.mkdir(parents=True, exist_ok=True)
    for k, count in enumerate(counts):
        write(where / name.format(times[k] if times else k), Image(stain(count, seed=k)))
    return where


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


#: Doubling every 12 hours, four hours apart: 10 * 2^(4 k / 12).
DOUBLING = [round(10 * 2 ** (4 * k / 12)) for k in range(7)]
STAINED = ("--stained", "--movie", "none")


def test_hours_come_from_the_clock_in_the_names(tmp_path):
    where = folder(tmp_path / "i", DOUBLING, times=[4 * k for k in range(6)] + [24], name="VID1_B3_1_00d{:02d}h00m.tif")
    call("track", where, *STAINED, "--out", tmp_path / "o")
    found = rows(tmp_path / "o" / "growth.csv")[0]
    assert float(found["doubling_hours"]) == pytest.approx(12, rel=0.03)
    assert [float(row["hours"]) for row in rows(tmp_path / "o" / "counts.csv")] == [0, 4, 8, 12, 16, 20, 24]
    assert f"<td>{float(found['doubling_hours']):.1f}</td>" in (tmp_path / "o" / "report.html").read_text()


@pytest.mark.parametrize(
    ("name", "step", "options"),
    [
        ("VID1_B3_1_00d{:02d}h00m.tif", 4, ()),
        ("VID1_B3_1_00d{:02d}h00m.tif", 4, ("--hours", 4)),
        ("A1_t{:03d}.tif", 1, ("--hours", 4)),
        ("{:04d}.tif", 1, ("--hours", 4)),
    ],
)
def test_missing_frames_leave_holes(tmp_path, name, step, options):
    """Frames 3 and 4 of seven left out: still 12 hours, and the tracks count them."""
    stay = [0, 1, 2, 5, 6]
    where = folder(tmp_path / "i", [DOUBLING[k] for k in stay], name, [step * k for k in stay])
    call("track", where, *STAINED, "--out", tmp_path / "o", *options)
    assert float(rows(tmp_path / "o" / "growth.csv")[0]["doubling_hours"]) == pytest.approx(12, rel=0.03)
    assert [int(row["frame"]) for row in rows(tmp_path / "o" / "counts.csv")] == stay
    assert max(row.last for row in read_tracks(tmp_path / "o" / "tracks")) == 6
    assert len(list(read_masks(tmp_path / "o" / "tracks"))) == 7
    drawn = [row for row in rows(tmp_path / "o" / "tracks" / "tracks.csv") if int(row["frame"]) in (3, 4)]
    assert drawn and all(row["filled"] == "1" for row in drawn)


def test_an_unreadable_frame_leaves_a_hole_too(tmp_path):
    where = folder(tmp_path / "i", DOUBLING, "A1_t{:03d}.tif")
    (where / "A1_t003.tif").write_bytes(b"not an image")
    call("track", where, *STAINED, "--out", tmp_path / "o", "--hours", 4, code=3)
    assert float(rows(tmp_path / "o" / "growth.csv")[0]["doubling_hours"]) == pytest.approx(12, rel=0.03)
    assert [int(row["frame"]) for row in rows(tmp_path / "o" / "counts.csv")] == [0, 1, 2, 4, 5, 6]
    assert "1 time is missing" in (tmp_path / "o" / "report.html").read_text()


def test_hours_come_from_the_images_where_names_have_none(tmp_path):
    (tmp_path / "i").mkdir()
    for k, count in enumerate(DOUBLING):
        tifffile.imwrite(tmp_path / "i" / f"t{k:03d}.tif", stain(count), imagej=True, metadata={"finterval": 14400.0})
    call("count", tmp_path / "i", "--stained", "--out", tmp_path / "o")
    assert float(rows(tmp_path / "o" / "growth.csv")[0]["doubling_hours"]) == pytest.approx(12, rel=0.03)


def test_without_any_hours_growth_is_told_per_frame_and_said(tmp_path):
    where = folder(tmp_path / "i", DOUBLING, "t{:03d}.tif")
    said = call("count", where, "--stained", "--out", tmp_path / "o")
    found = rows(tmp_path / "o" / "growth.csv")[0]
    assert "time between frames is in no name" in said and "doubling_hours" not in found
    assert float(found["doubling_frames"]) == pytest.approx(3, rel=0.03) and found["unit"] == "frames"
    assert "frames: the time between them is not known" in (tmp_path / "o" / "report.html").read_text()


def test_hours_that_contradict_the_names_or_make_no_sense_are_refused(tmp_path):
    where = folder(tmp_path / "i", [9, 9, 9], times=[0, 4, 8])
    assert "its names say 4 hours between frames, --hours says 3" in call(
        "count", where, "--stained", "--out", tmp_path / "o", "--hours", 3, code=1
    )
    for wrong in (0, -1, "nan", "inf"):
        assert "'--hours'" in call("count", where, "--stained", "--out", tmp_path / "o", f"--hours={wrong}", code=2)
    assert not (tmp_path / "o").exists()


def test_times_without_a_step_and_with_a_wide_one(tmp_path):
    """Times 0, 1, 100: places in the list. Times 0, 59, 121, 180: every hour, nearly. Frames by fives: said."""
    said = [
        series_of([tmp_path / f"t{k}.tif" for k in times])[0] for times in ((0, 1, 100), (0, 59, 121, 180), (0, 5, 10))
    ]
    assert [(one.places, one.regular) for one in said] == [
        ((0, 1, 2), False),
        ((0, 1, 2, 3), True),
        ((0, 1, 2), True),
    ]
    assert in_hours(said, 2.0)[2].hours == (0, 10, 20)
    where = folder(tmp_path / "i", [9, 9, 9], "t{:03d}.tif", [0, 5, 10])
    assert any("numbers of frames go by 5" in each for each in plan([where], Reading(hours=1.0)).remarks)


def test_hours_count_from_the_first_image_of_all_positions(tmp_path):
    folder(tmp_path / "i", [9, 9, 9], "A1_t{:03d}.tif", [0, 1, 2])
    where = folder(tmp_path / "i", [9, 9, 9], "B1_t{:03d}.tif", [1, 2, 3])
    found = plan([where], Reading(hours=0.5)).series
    assert [one.hours for one in found] == [(0, 0.5, 1.0), (0.5, 1.0, 1.5)] and found[1].places == (0, 1, 2)


def test_a_blank_frame_has_no_nuclei_and_no_certainty(tmp_path):
    """Fifteen nuclei, noise alone in the middle: none there, limits that are some, no growth, no new tracks."""
    where = folder(tmp_path / "i", [15, 15, 0, 15, 15], "A01_1_t{:03d}.tif")
    said = call("track", where, *STAINED, "--out", tmp_path / "o", "--hours", 1)
    counts = rows(tmp_path / "o" / "counts.csv")
    assert [int(row["count"]) for row in counts] == [15, 15, 0, 15, 15]
    assert all(float(row["lower"]) < float(row["upper"]) for row in counts)
    assert len(read_tracks(tmp_path / "o" / "tracks")) == 15
    found = rows(tmp_path / "o" / "growth.csv")[0]
    assert found["doubling_hours"] == "" and float(found["lower"]) > 1 and found["upper"] == ""
    assert "no growth shown" in (tmp_path / "o" / "report.html").read_text()
    assert "no nuclei in 1 image" in said


def test_a_range_of_diameters_that_does_not_fit_is_said_and_leaves_no_limits(tmp_path):
    where = folder(tmp_path / "i", [15, 15, 15], "A01_1_t{:03d}.tif")
    for command in ("count", "track"):
        said = call(command, where, "--stained", "--diameter", 3, 9, "--out", tmp_path / command, "--hours", 1)
        assert "of the stained area was dropped because its objects are larger than 9 pixels" in said
        assert {row["lower"] for row in rows(tmp_path / command / "counts.csv")} == {""}
    assert "not known" in (tmp_path / "count" / "report.html").read_text()


def test_nothing_ends_silently_without_tracks(tmp_path):
    """Fields without times: refused by track before any work, said by count; numbered files: refused only if told so."""
    where = folder(tmp_path / "i", [9, 9, 9], "A01_f{:02d}.tif")
    assert "is a position of its own by its name, so nothing can be followed" in call(
        "track", where, *STAINED, "--out", tmp_path / "t", code=1
    )
    assert not (tmp_path / "t").exists()
    assert "nothing can be followed; for a time-lapse" in call("count", where, "--stained", "--out", tmp_path / "c")
    numbers = folder(tmp_path / "n", [9, 9, 9], "{:04d}.tif")
    assert "numbers such as 0000" in call("track", numbers, *STAINED, "--out", tmp_path / "n1", "--hours", 1)
    assert read_tracks(tmp_path / "n1" / "tracks")
    call("track", numbers, *STAINED, "--no-numbered", "--out", tmp_path / "n2", code=1)
    told = json.loads(
        call("count", numbers, "--stained", "--numbered", "--out", tmp_path / "n3", "--json").splitlines()[-1]
    )
    assert any("taken for times" in each for each in told["remarks"])


def test_a_frame_of_another_size_is_refused_before_all_work_or_left_out(tmp_path):
    where = folder(tmp_path / "i", [9, 9, 9, 9], "A01_1_t{:03d}.tif")
    write(where / "A01_1_t002.tif", Image(stain(4, (100, 120))))
    for command in ("count", "track"):
        said = call(command, where, "--stained", "--out", tmp_path / "o", code=1)
        assert "A01_1_t002.tif: expected every frame of position 'A01_1' in 160 x 160 pixels, got 100 x 120" in said
    assert not (tmp_path / "o").exists()
    said = call("track", where, *STAINED, "--skip-sizes", "--out", tmp_path / "o", "--hours", 1, code=3)
    assert "skipped A01_1_t002.tif" in said
    assert [int(row["frame"]) for row in rows(tmp_path / "o" / "counts.csv")] == [0, 1, 3]


def test_the_tracker_is_asked_for_before_any_work(tmp_path, monkeypatch):
    where = folder(tmp_path / "i", [9, 9, 9], "A01_1_t{:03d}.tif")
    monkeypatch.setitem(__import__("sys").modules, "laptrack", None)
    assert "tracking needs laptrack" in call("track", where, *STAINED, "--out", tmp_path / "o", code=1)
    assert not (tmp_path / "o").exists()
    call("count", where, "--stained", "--out", tmp_path / "c")


def test_tracks_of_an_earlier_call_are_no_part_of_a_count(tmp_path):
    where = folder(tmp_path / "i", [9, 9, 9], "A01_1_t{:03d}.tif")
    call("track", where, *STAINED, "--out", tmp_path / "o", "--hours", 1)
    said = call("count", where, "--stained", "--out", tmp_path / "o", "--hours", 1)
    assert "tracks is of an earlier call and no part of this report" in said


def test_a_sum_over_frames_is_not_the_headline(tmp_path):
    where = folder(tmp_path / "i", DOUBLING, "t{:03d}.tif")
    call("count", where, "--stained", "--out", tmp_path / "o", "--hours", 4)
    page = (tmp_path / "o" / "report.html").read_text()
    assert f"{DOUBLING[0]} nuclei at first, {DOUBLING[-1]} at last" in page and "Stained nuclei" in page


def test_images_that_differ_by_their_ending_keep_masks_of_their_own(tmp_path):
    (tmp_path / "i").mkdir()
    for name, count in (("a1_t0.png", 4), ("a1_t0.tif", 9)):
        write(tmp_path / "i" / name, Image(stain(count)))
    assert "two images of position" in call("count", tmp_path / "i", "--stained", "--out", tmp_path / "o", code=1)
    call(
        "count",
        tmp_path / "i",
        "--stained",
        "--out",
        tmp_path / "o",
        "--pattern",
        r"(?P<position>.*\.(png|tif))",
    )
    assert len(list((tmp_path / "o" / "masks").iterdir())) == 2
