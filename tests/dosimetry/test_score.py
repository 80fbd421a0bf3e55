"""The run folder: resumed, locked, never half, and one bad image never stops it."""

import csv
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from cytally.dosimetry import pipeline, workers
from cytally.dosimetry.pipeline import score_folder
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import ImageError, RunError, RunLockedError
from cytally.images.write import write
from cytally.inference.ensemble import load_ensemble
from cytally.runs.folder import locked
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
    from cytally.images.read import read

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
    (cells / "S1_00001.png").write_bytes((cells / "S1_00003.png").read_bytes())
    looked = []
    honest = workers.score_file
    monkeypatch.setattr(workers, "score_file", lambda p, n, e: looked.append(n) or honest(p, n, e))
    score_folder([cells], tmp_path / "run", ensemble)
    assert looked == ["S1_00001.png"]
    table = rows(tmp_path / "run" / "cells.csv")
    assert table[1]["sha256"] == table[3]["sha256"] and table[1]["dicentrics"] == table[3]["dicentrics"]


def test_other_thresholds_in_the_same_folder_are_refused(cells, ensemble, tmp_path):
    score_folder([cells], tmp_path / "run", ensemble)
    with pytest.raises(RunError, match="other agreement, detector"):
        score_folder([cells], tmp_path / "run", ensemble.with_thresholds(agreement=1))


def test_a_folder_with_something_else_is_not_touched(cells, ensemble, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty and not a run"):
        score_folder([cells], tmp_path / "thesis", ensemble)


def hold(folder, ready, done):
    with locked(folder):
        ready.set()
        done.wait(30)


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
    with pytest.raises(ImageError, match="No space left on device"):
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


def test_a_run_keeps_what_its_networks_ran_on_and_may_go_on_elsewhere(cells, random_ensemble, tmp_path):
    run = tmp_path / "run"
    counted = []
    for runtime in ("torch", "openvino"):
        score_folder([cells], run, load_ensemble(random_ensemble, runtime=runtime))
        stored = json.loads((run / "run.json").read_text())
        assert stored["runtime"].startswith(f"{runtime} ") and "float" in stored["runtime"]
        counted.append(((run / "cells.csv").read_bytes(), stored["settings"]))
    assert counted[0] == counted[1]
