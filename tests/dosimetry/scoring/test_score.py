"""The run folder: resumed, locked, never half, and one bad image never stops it."""

import csv
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from tests.cases.commands import dosimetry, hold

from cytally.dosimetry import pipeline
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.laboratory.series import points_of
from cytally.dosimetry.pipeline import score, score_folder
from cytally.dosimetry.scoring import workers
from cytally.dosimetry.scoring.score import no_metaphase
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import (
    CountsError,
    FileError,
    ImageError,
    LabelError,
    OutputError,
    RunError,
    RunLockedError,
)
from cytally.files.hashes import hash_of
from cytally.images.read import read
from cytally.images.write import write
from cytally.types import Image


@pytest.fixture
def cells(tmp_path) -> Path:
    folder = tmp_path / "cells"
    write_folder(Order(4, Exposure(3.0), "dark", seed=2, shape=(640, 640)), folder)
    return folder


@pytest.fixture
def ensemble(random_ensemble):
    return load_ensemble(random_ensemble)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_its_tables_and_report(cells, ensemble, tmp_path):
    outcome = score_folder([cells], tmp_path / "run", ensemble, pictures=True)
    table = rows(tmp_path / "run" / "cells.csv")
    assert [row["image"] for row in table] == [f"S1_{k:05d}.png" for k in range(4)]
    assert {row["status"] for row in table} == {"scored"} and {row["dose_gy"] for row in table} == {"3"}
    detections = rows(tmp_path / "run" / "detections.csv")
    for name in ("dicentric", "fragment"):
        listed = sum(row["class"] == name for row in detections)
        assert listed == outcome.counts.total(name) == sum(int(row[f"{name}s"]) for row in table)
    assert all(0 <= float(row["row"]) <= 640 and 0 <= float(row["col"]) <= 640 for row in detections)
    assert len(list((tmp_path / "run" / "pictures").glob("*.png"))) == 4
    stored = json.loads((tmp_path / "run" / "run.json").read_text())
    assert stored["settings"]["detector"] == ensemble.card.identity
    assert "<html" in (tmp_path / "run" / "report.html").read_text()


def test_what_was_not_believed_goes_with_the_cell(cells, ensemble):
    """A camera's pixel size in the metadata: scored at the measured size, and it is said."""
    pixels = read(cells / "S1_00000.png").pixels
    write(cells / "camera.ome.tif", Image(pixels, 6.45))
    write(cells / "wrong.ome.tif", Image(pixels, 0.9))
    plain, camera, wrong = (
        workers.score_file(cells / name, name, ensemble) for name in ("S1_00000.png", "camera.ome.tif", "wrong.ome.tif")
    )
    assert plain.scored and camera.scored and wrong.scored
    assert plain.notes == () and plain.scale == camera.scale == wrong.scale
    assert camera.notes == ("pixel size 6.45 um in the metadata is the camera's and not the specimen's, not used",)
    assert len(wrong.notes) == 1 and "pixel size 0.9 um does not fit the chromosomes" in wrong.notes[0]
    assert np.array_equal(plain.detections.row, camera.detections.row)


def test_notes_and_what_was_left_out_reach_tables_and_page(cells, ensemble, tmp_path):
    write(cells / "camera.ome.tif", Image(read(cells / "S1_00000.png").pixels, 6.45))
    (cells / "scan.czi").write_bytes(b"ZISRAWFILE")
    for _ in range(2):  # and again out of the journal
        score_folder([cells], tmp_path / "run", ensemble)
        notes = {row["image"]: row["notes"] for row in rows(tmp_path / "run" / "cells.csv")}
        assert "is the camera's" in notes["camera.ome.tif"] and notes["S1_00000.png"] == ""
        page = (tmp_path / "run" / "report.html").read_text()
        assert "Notes on images" in page and "6.45 um in the metadata" in page
        assert "Left out" in page and "scan.czi" in page and "1 file among the inputs" in page


@pytest.mark.parametrize("name", ["inverted.png", "specks.png"])
def test_what_is_no_giemsa_metaphase_is_skipped_with_the_reason(cells, ensemble, name):
    pixels = 255 - read(cells / "S1_00000.png").pixels
    if name == "specks.png":
        pixels = np.full((600, 600), 220, np.uint8)
        pixels[5::20, 5::20] = pixels[6::20, 5::20] = pixels[5::20, 6::20] = pixels[6::20, 6::20] = 40
        pixels[7::20, 5::20] = pixels[7::20, 6::20] = 40
    write(cells / name, Image(pixels))
    cell = workers.score_file(cells / name, name, ensemble)
    says = {"inverted.png": "bright objects on a dark ground", "specks.png": "times smaller than those"}[name]
    assert not cell.scored and says in cell.status and str(cells) not in cell.status


def bars(number, ink, ground=220):
    """Bars of 8 x 32 pixels on empty slide."""
    pixels = np.full((1000, 1000), ground, np.uint8)
    places = [(r, c) for r in range(20, 940, 50) for c in range(20, 960, 40)]
    for row, col in places[:number]:
        pixels[row : row + 32, col : col + 8] = ink
    return Image(pixels)


@pytest.mark.parametrize(
    ("number", "ink", "says"),
    [
        (151, 60, "skipped: 151 objects: more than one metaphase, or none; cut the picture into cells"),
        (400, 60, "skipped: 400 objects: more than one metaphase"),
        (46, 195, "skipped: no metaphase stained with Giemsa (optical density 0.05, expected 0.08 or more)"),
    ],
)
def test_what_is_not_one_stained_metaphase_is_skipped(ensemble, tmp_path, number, ink, says):
    write(tmp_path / "a.png", bars(number, ink))
    cell = workers.score_file(tmp_path / "a.png", "a.png", ensemble)
    assert cell.status.startswith(says) and len(cell.detections) == 0


@pytest.mark.parametrize(
    ("number", "ink", "says"),
    [
        (8, 60, ("only 8 objects: is it a metaphase, whole and spread?",)),
        (120, 60, ("120 objects: is it a single metaphase?",)),
        (46, 0, ("objects are black without grey levels: is it a photograph?",)),
        (20, 60, ()),
        (46, 60, ()),
        (105, 60, ()),
        (46, 170, ()),
    ],
)
def test_what_may_be_no_metaphase_is_scored_with_a_word(ensemble, tmp_path, number, ink, says):
    write(tmp_path / "a.png", bars(number, ink))
    cell = workers.score_file(tmp_path / "a.png", "a.png", ensemble)
    assert cell.scored and cell.notes == says


@pytest.mark.parametrize(("overlap", "style"), [(0, "mixed"), (200, "hard"), (0, "beaded")])
def test_two_metaphases_in_one_picture_are_said_to_be_two(ensemble, tmp_path, overlap, style):
    """They count as one cell, which may double a yield; one that is well spread gets no such word."""
    order = Order(2, Exposure(0.0), style, seed=7, shape=(900, 1000))
    left, right = (order.cell(k).image.pixels.astype(float) for k in (0, 1))
    right = np.clip(right - np.median(right) + np.median(left), 0, 255)
    both = np.concatenate([left[:, : 1000 - overlap // 2], right[:, overlap // 2 :]], axis=1)
    for name, pixels in (("one.png", left), ("two.png", both)):
        write(tmp_path / name, Image(pixels.astype(np.uint8)))
    one, two = (workers.score_file(tmp_path / name, name, ensemble) for name in ("one.png", "two.png"))
    assert one.scored and not any("two" in note for note in one.notes)
    assert two.scored and sum("are they two metaphases? They count as one cell" in note for note in two.notes) == 1


def test_no_real_field_is_refused(data):
    for path in [
        *sorted((data / "metaphase_scc").glob("*.png")),
        *sorted((data / "metaphase_gband").glob("*[0-9].png")),
    ]:
        assert no_metaphase(normalise(read(path))) == "", path.name


def test_the_same_picture_in_another_format_counts_once(cells, ensemble, tmp_path):
    grey = read(cells / "S1_00000.png").pixels
    write(cells / "S1_00000_b.tif", Image(grey))
    write(cells / "S1_00000_c.bmp", Image(np.stack([grey] * 3, axis=2)))
    write(cells / "S1_00000_d.png", Image(grey.astype(np.uint16)))
    for _ in range(2):  # and again out of the journal
        outcome = score_folder([cells], tmp_path / "run", ensemble)
        assert outcome.counts.images == tuple(f"S1_{k:05d}.png" for k in range(4))
        said = {one.image: one.reason for one in outcome.counts.skipped}
        assert said == {f"S1_00000_{end}": "the same picture as S1_00000.png" for end in ("b.tif", "c.bmp", "d.png")}
    (cells / "S1_00000.png").unlink()
    assert score_folder([cells], tmp_path / "run", ensemble).counts.cells == 4
    assert score(cells, ensemble).cells == 4


def test_the_same_picture_in_two_runs_of_one_series_is_refused(cells, ensemble, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write(other / "again.tif", read(cells / "S1_00002.png"))
    (other / "cells.csv").write_text("image,dose_gy\nagain.tif,4\n")
    for folder in (cells, other):
        score_folder([folder], tmp_path / f"run_{folder.name}", ensemble)
    with pytest.raises(CountsError, match=r"again\.tif of .* is the same image as S1_00002\.png of .*run_cells"):
        points_of([tmp_path / "run_cells", tmp_path / "run_other"])


def test_notes_on_images_are_on_the_screen_and_in_json_once_for_all_of_them(cells, random_ensemble, tmp_path):
    (cells / "cells.csv").unlink()
    for number in range(4):
        image = read(cells / f"S1_{number:05d}.png")
        (cells / f"S1_{number:05d}.png").unlink()
        write(cells / f"{number}.ome.tif", Image(image.pixels, 6.45))
    words = [
        "score",
        str(cells),
        "--out",
        str(tmp_path / "run"),
        "--ensemble",
        str(random_ensemble),
    ]
    said = "0.ome.tif, 1.ome.tif, 2.ome.tif and 1 more: pixel size 6.45 um in the metadata is the camera's"
    done = dosimetry(*words)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("6.45") == 1 and f"  note: {said}" in done.stderr
    notes = json.loads(dosimetry(*words, "--json").stdout)["notes"]
    assert [note.startswith(said) for note in notes] == [True]


BAD = {
    "empty.png": lambda p: p.write_bytes(b""),
    "text.png": lambda p: p.write_text("no image"),
    "black.png": lambda p: write(p, Image(np.zeros((300, 300), np.uint8))),
    "white.png": lambda p: write(p, Image(np.full((300, 300), 255, np.uint8))),
    "dot.png": lambda p: write(p, Image(np.zeros((1, 1), np.uint8))),
    "nan.tif": lambda p: write(p, Image(np.full((300, 300), np.nan, np.float32))),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_image_is_reported_and_skipped(cells, ensemble, tmp_path, name):
    BAD[name](cells / name)
    outcome = score_folder([cells], tmp_path / "run", ensemble)
    assert outcome.counts.cells == 4
    (skipped,) = outcome.counts.skipped
    assert skipped.image == name and len(skipped.reason) > 10
    row = next(row for row in rows(tmp_path / "run" / "cells.csv") if row["image"] == name)
    assert row["status"].startswith("skipped: ") and row["dicentrics"] == ""


def test_sixteen_bit_full_range_is_scored(cells, ensemble, tmp_path):
    grey = read(cells / "S1_00000.png").pixels.astype(float)
    deep = np.rint((grey - grey.min()) / np.ptp(grey) * 65535).astype(np.uint16)
    write(tmp_path / "deep.tif", Image(deep))
    outcome = score_folder([tmp_path / "deep.tif"], tmp_path / "run", ensemble)
    assert outcome.counts.cells == 1 and not outcome.counts.skipped


def test_an_empty_folder_is_an_error_and_leaves_no_run(tmp_path, ensemble):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ImageError, match="found none"):
        score_folder([tmp_path / "nothing"], tmp_path / "run", ensemble)
    assert not (tmp_path / "run").exists()


class Killed(BaseException):
    pass


def test_a_killed_run_continues_and_gives_the_same_tables(cells, ensemble, tmp_path, monkeypatch):
    score_folder([cells], tmp_path / "whole", ensemble)
    looked = []
    honest = workers.score_file

    def dying(path, name, which):
        looked.append(name)
        if len(looked) == 3:
            raise Killed
        return honest(path, name, which)

    monkeypatch.setattr(workers, "score_file", dying)
    with pytest.raises(Killed):
        score_folder([cells], tmp_path / "run", ensemble)
    with (tmp_path / "run" / "journal.jsonl").open("a") as journal:
        journal.write('{"image": "S1_00002.png", "sta')  # a line cut short
    score_folder([cells], tmp_path / "run", ensemble)
    assert looked == [f"S1_{k:05d}.png" for k in (0, 1, 2, 2, 3)]
    for name in ("cells.csv", "detections.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_an_image_that_changed_is_looked_at_again(cells, ensemble, tmp_path, monkeypatch):
    score_folder([cells], tmp_path / "run", ensemble)
    write(cells / "S1_00001.png", Image(read(cells / "S1_00003.png").pixels[::-1]))
    looked = []
    honest = workers.score_file
    monkeypatch.setattr(workers, "score_file", lambda p, n, e: looked.append(n) or honest(p, n, e))
    score_folder([cells], tmp_path / "run", ensemble)
    assert looked == ["S1_00001.png"]
    table = rows(tmp_path / "run" / "cells.csv")
    assert table[1]["sha256"] == hash_of(cells / "S1_00001.png") and table[1]["status"] == "scored"


def test_other_thresholds_in_the_same_folder_are_refused(cells, ensemble, tmp_path):
    score_folder([cells], tmp_path / "run", ensemble)
    with pytest.raises(RunError, match="other agreement, detector"):
        score_folder([cells], tmp_path / "run", ensemble.with_thresholds(agreement=1))


def test_a_folder_with_something_else_is_not_touched(cells, ensemble, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty and not a run"):
        score_folder([cells], tmp_path / "thesis", ensemble)


def test_two_runs_into_the_same_folder(cells, ensemble, tmp_path):
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path / "run", ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(RunLockedError, match="another run is writing here"):
            score_folder([cells], tmp_path / "run", ensemble)
    finally:
        done.set()
        other.join()
    score_folder([cells], tmp_path / "run", ensemble)


def test_a_full_disk_is_one_clear_error_and_nothing_is_half(cells, ensemble, tmp_path, monkeypatch):
    score_folder([cells], tmp_path / "run", ensemble)
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        score_folder([cells], tmp_path / "run", ensemble)
    monkeypatch.undo()
    after = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir() if p.is_file()}
    assert after == before


def test_names_are_relative_and_do_not_collide(cells, ensemble, tmp_path):
    other = tmp_path / "more" / "cells2"
    write_folder(Order(1, Exposure(0.0), seed=4, shape=(512, 512)), other)
    names = list(pipeline.name_images([cells, other]))
    assert "cells/S1_00000.png" in names and "cells2/S1_00000.png" in names


def test_an_image_without_chromosomes_is_no_cell(ensemble, tmp_path, rng):
    grey = np.full((500, 500), 220.0)
    rows_, cols = np.mgrid[:500, :500]
    grey[np.hypot(rows_ - 250, cols - 250) < 80] = 90  # one nucleus
    write(tmp_path / "a.png", Image(np.clip(grey + rng.normal(0, 2, grey.shape), 0, 255).astype(np.uint8)))
    outcome = score_folder([tmp_path / "a.png"], tmp_path / "run", ensemble)
    assert outcome.counts.cells == 0 and "no metaphase" in outcome.counts.skipped[0].reason


def test_memory_of_counts_does_not_hold_images(cells, shipped):
    counts = pipeline.score(cells, shipped)
    assert counts.cells == 4 and counts.detector == shipped.card.identity


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfimage,sample,dose_gy\r\nS17/1.png,M\xc3\xbcller,2.5\r\n",
        b"image;sample;dose_gy\nS17\\1.png;M\xfcller;2,5\n",
        b"Image,Sample,Dose (Gy)\ns17/1.PNG,M\xfcller,2.5\n",
    ],
)
def test_sample_and_dose_of_the_inputs_reach_the_run(cells, ensemble, tmp_path, content):
    folder = tmp_path / "slides"
    (folder / "S17").mkdir(parents=True)
    (folder / "S17" / "1.png").write_bytes((cells / "S1_00000.png").read_bytes())
    (folder / "cells.csv").write_bytes(content)
    score_folder([folder], tmp_path / "run", ensemble)
    (row,) = rows(tmp_path / "run" / "cells.csv")
    assert (row["sample"], row["dose_gy"]) == ("Müller", "2.5")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"image,dose_gy\nS1_00000.png,2 Gy\n", LabelError),
        (b"image\0", FileError),
        (b"image,dose_gy\nelsewhere.png,2\n", LabelError),
    ],
)
def test_a_wrong_cells_csv_is_told_before_anything_is_scored(cells, ensemble, tmp_path, monkeypatch, content, error):
    (cells / "cells.csv").write_bytes(content)
    monkeypatch.setattr(workers, "score_file", lambda *_: pytest.fail("scored"))
    with pytest.raises(error, match=r"cells\.csv"):
        score_folder([cells], tmp_path / "run", ensemble)
    assert not (tmp_path / "run").exists()


def test_tables_beside_images_further_inside_and_lines_without_image(cells, tmp_path):
    """Names are relative to the folder of their table; what names no image is said."""
    given = tmp_path / "given"
    given.mkdir()
    cells.rename(given / "a")
    (given / "cells.csv").write_text("image,dose_gy\na/S1_00001.png,3\ngone.png,1\n")
    paths = pipeline.name_images([given])
    found = pipeline.known_cells([given], paths)
    assert {name: row["dose_gy"] for name, row in found.rows.items()} == {f"a/S1_{k:05d}.png": "3" for k in range(4)}
    assert [words.rpartition("/")[2] for words in found.notes] == ["cells.csv, line 3: there is no image 'gone.png'"]
    (given / "cells.csv").write_text("image,dose_gy\na/S1_00001.png,1\n")
    with pytest.raises(LabelError, match="says something else of 'a/S1_00001.png' than another cells.csv"):
        pipeline.known_cells([given], paths)


def test_a_table_beside_a_file_that_is_given_alone(cells, tmp_path):
    """Its other lines name images that were not asked for."""
    paths = pipeline.name_images([cells / "S1_00001.png"])
    found = pipeline.known_cells([cells / "S1_00001.png"], paths)
    assert {name: row["dose_gy"] for name, row in found.rows.items()} == {"S1_00001.png": "3"} and found.notes == ()
    (cells / "cells.csv").write_bytes("image,sample\nS1_00001.png,Müller\nother.png,B\n".encode("cp1252"))
    found = pipeline.known_cells([cells / "S1_00001.png"], paths)
    assert found.rows["S1_00001.png"]["sample"] == "Müller"
    assert len(found.notes) == 1 and "read as Windows-1252; check the letters of the names" in found.notes[0]


def test_a_run_keeps_all_that_its_networks_ran_on_and_may_go_on_elsewhere(cells, random_ensemble, tmp_path):
    run, last = tmp_path / "run", cells / "S1_00003.png"
    aside = last.rename(tmp_path / last.name)
    for runtime in ("torch", "openvino", "torch"):
        score_folder([cells], run, load_ensemble(random_ensemble, runtime=runtime))
        if aside.exists():
            aside.rename(last)
    stored = json.loads((run / "run.json").read_text())["runtime"]
    assert [each.split()[0] for each in stored] == ["torch", "openvino"]
    assert all("float" in each for each in stored)
    lines = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    assert [line["runtime"].split()[0] for line in lines] == ["torch"] * 3 + ["openvino"]


def test_the_runtime_that_an_older_version_noted_is_kept(cells, random_ensemble, tmp_path):
    run = tmp_path / "run"
    score_folder([cells], run, load_ensemble(random_ensemble, runtime="torch"))
    stored = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(stored | {"runtime": "openvino 2024, float32"}))
    write(cells / "more.png", bars(46, 60))
    score_folder([cells], run, load_ensemble(random_ensemble, runtime="torch"))
    assert json.loads((run / "run.json").read_text())["runtime"] == [
        "openvino 2024, float32",
        *stored["runtime"],
    ]
