"""The commands, as a biologist calls them, on small simulated time-lapses."""

import csv
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from tests.cases.commands import needs_chromium, photograph

from cytally.cli.main import cli
from cytally.images.read import read
from cytally.images.sequences.tracks import read_masks, read_tracks
from cytally.images.write import write
from cytally.livecell import learn as learning
from cytally.livecell.learn import Preset
from cytally.nets.unet import Architecture
from cytally.training.tasks.masks import MaskSettings
from cytally.types import Image

pytest.importorskip("laptrack")
QUICK = Preset(
    Architecture(classes=2, filters=8, depth=3, stride=2, sharp=True, widest=48),
    MaskSettings(epochs=8, patience=8, steps=20, side=128, rate=4e-3, members=2),
)


def call(*words, code=0):
    done = CliRunner().invoke(cli, ["livecell", *map(str, words)])
    assert done.exit_code == code, done.output
    return done.output


def test_the_help_of_the_group_names_every_command():
    lines = call("--help").partition("Commands:")[0].splitlines()
    told = {line.split()[0] for line in lines if line.startswith("    ")}
    listed = {line.split()[0] for line in call("--help").partition("Commands:")[2].splitlines() if line.strip()}
    assert told == listed


@pytest.fixture(scope="module")
def lapse(tmp_path_factory):
    out = tmp_path_factory.mktemp("lapse") / "sim"
    call(
        "simulate",
        out,
        "--frames",
        5,
        "--nuclei",
        10,
        "--positions",
        4,
        "--size",
        192,
        192,
        "--shift",
        8,
        "--seed",
        3,
    )
    return out


@pytest.fixture(scope="module")
def run(lapse):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(learning.PRESETS, "fast", QUICK)
        out = lapse.parent / "run"
        said = call("run", lapse / "phase", "--fluorescence", lapse / "fluorescence", "--out", out, "--hours", 0.5)
    return out, said


def test_simulate_writes_the_three_folders(lapse):
    assert sorted(p.name for p in lapse.iterdir()) == ["fluorescence", "phase", "truth"]
    assert len(list((lapse / "phase").iterdir())) == 20
    assert read_tracks(lapse / "truth" / "A02_1")


def test_one_command_does_all(run, lapse):
    out, said = run
    assert "nuclei in 20 images" in said and "report" in said
    with (out / "counts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:6] == ["image", "frame", "count", "lower", "upper", "area_count"]
    assert len(rows) == 20 and all(int(r["lower"]) <= int(r["count"]) <= int(r["upper"]) for r in rows)
    for position in ("A01_1", "A04_1"):
        masks = list(read_masks(out / "tracks" / position))
        present = {int(n) for mask in masks for n in np.unique(mask)} - {0}
        assert present == {row.number for row in read_tracks(out / "tracks" / position)}
    page = (out / "report.html").read_text()
    for words in (
        "Labels from fluorescence",
        "Learning",
        "kept apart by well",
        "doubling time",
        "Tracks",
        "data:image/gif",
    ):
        assert words in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://matplotlib.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")


def test_calling_again_changes_nothing_and_other_settings_are_refused(run, lapse, monkeypatch):
    out, _ = run
    monkeypatch.setitem(learning.PRESETS, "fast", QUICK)
    before = {name: (out / name).read_bytes() for name in ("counts.csv", "journal.jsonl")}
    call("run", lapse / "phase", "--fluorescence", lapse / "fluorescence", "--out", out, "--hours", 0.5)
    assert before == {name: (out / name).read_bytes() for name in before}
    said = call("run", lapse / "phase", "--fluorescence", lapse / "fluorescence", "--out", out, "--seed", 2, code=1)
    assert "other settings" in said


def test_step_by_step_is_the_same_road(run, lapse, tmp_path):
    out, _ = run
    ensemble = out / "learning" / "ensemble"
    said = call("count", lapse / "phase" / "A01_1_t00*.tif", "--ensemble", ensemble, "--out", tmp_path / "c", "--json")
    told = json.loads(said.splitlines()[-1])
    with (out / "counts.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["position"] == "A01_1"]
    assert told["images"] == 5 and told["nuclei"] == sum(int(row["count"]) for row in rows)
    call(
        "track",
        lapse / "phase" / "A01_1_t00*.tif",
        "--ensemble",
        ensemble,
        "--out",
        tmp_path / "t",
        "--movie",
        "none",
    )
    assert (tmp_path / "t" / "tracks" / "res_track.txt").read_text() == (
        out / "tracks" / "A01_1" / "res_track.txt"
    ).read_text()
    figures = json.loads(call("evaluate", lapse, "--ensemble", ensemble, "--part", "test", "--json").splitlines()[-1])
    assert figures["fields"] >= 3 and figures["object"]["dice"] > 0.4
    call(
        "experts",
        "pages",
        out,
        "--out",
        tmp_path / "anna",
        "--images",
        3,
        "--fluorescence",
        lapse / "fluorescence",
    )
    assert len(list((tmp_path / "anna" / "pages").iterdir())) == 3


def test_one_bad_image_is_skipped_and_a_missing_frame_told(run, lapse, tmp_path):
    out, _ = run
    folder = tmp_path / "phase"
    folder.mkdir()
    for number in (0, 1, 3, 4):
        shutil.copy(lapse / "phase" / f"A02_1_t00{number}.tif", folder)
    (folder / "A02_1_t001.tif").write_bytes(b"not an image")
    nan = np.full((192, 192), np.nan, np.float32)
    write(folder / "B05_1_t000.tif", Image(nan))
    write(folder / "B06_1_t000.tif", Image(np.full((192, 192), 255, np.uint8)))
    said = call("track", folder, "--ensemble", out / "learning" / "ensemble", "--out", tmp_path / "r", code=3)
    assert said.count("  skipped ") == 3 and "NaN" in said and "one brightness" in said
    page = (tmp_path / "r" / "report.html").read_text()
    assert "times are missing" in page or "time is missing" in page


def test_a_stained_sequence_is_followed_without_any_network(lapse, tmp_path):
    call(
        "track",
        lapse / "fluorescence" / "A03_1_t00*.tif",
        "--stained",
        "--out",
        tmp_path / "s",
        "--movie",
        "none",
    )
    with (tmp_path / "s" / "counts.csv").open() as file:
        found = [int(row["count"]) for row in csv.DictReader(file)]
    true = [len(np.unique(mask)) - 1 for mask in read_masks(lapse / "truth" / "A03_1")]
    assert np.abs(np.subtract(found, true)).mean() <= 3  # debris counts as nuclei here: nothing tells it apart
    assert "either --ensemble or --stained" in call("count", lapse / "phase", "--out", tmp_path / "n", code=1)


def test_wrong_use_is_told(lapse, run, tmp_path):
    out, _ = run
    assert "either" in call("run", lapse / "phase", "--out", tmp_path / "x", code=1)
    (tmp_path / "other").mkdir()
    write(tmp_path / "other" / "q.tif", Image(np.zeros((9, 9), np.uint8)))
    assert "--pattern" in call(
        "label", lapse / "phase", "--fluorescence", tmp_path / "other", "--out", tmp_path / "y", code=1
    )
    assert "pull" not in call("count", lapse / "phase", "--ensemble", tmp_path, "--out", tmp_path / "z", code=1)
    mixed = call("count", lapse / "phase", "--ensemble", out, "--out", tmp_path / "z", code=1)
    assert "expected an ensemble" in mixed


def test_empty_stain_everywhere_is_one_clear_error(lapse, tmp_path):
    (tmp_path / "dark").mkdir()
    for path in (lapse / "fluorescence").iterdir():
        write(tmp_path / "dark" / path.name, Image(np.zeros(read(path).shape, np.uint16)))
    said = call("label", lapse / "phase", "--fluorescence", tmp_path / "dark", "--out", tmp_path / "z", code=1)
    assert "none of 20 pairs could be labelled" in said and "one brightness" in said


@needs_chromium
def test_the_report_renders_in_a_browser(run, tmp_path):
    out, _ = run
    picture = read(photograph(out / "report.html", tmp_path, (1100, 3000))).pixels
    assert picture.shape[0] >= 3000 and picture.std() > 20


def test_stacks_come_apart(tmp_path):
    import tifffile

    cube = np.arange(4 * 2 * 20 * 30, dtype=np.uint16).reshape(4, 2, 20, 30)
    tifffile.imwrite(tmp_path / "A01_1.tif", cube, imagej=True, metadata={"axes": "TCYX"})
    assert "4 times, 2 channels" in call("unstack", tmp_path / "A01_1.tif", "--out", tmp_path / "o")
    assert np.array_equal(read(tmp_path / "o" / "ch2" / "A01_1_t003.tif").pixels, cube[3, 1])


def test_help_teaches(tmp_path):
    for command in ("simulate", "label", "train", "evaluate", "count", "track", "run", "unstack"):
        assert "Example" in call(command, "--help")
    assert "review-anna" in call("experts", "--help")
