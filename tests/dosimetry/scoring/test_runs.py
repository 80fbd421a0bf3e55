"""A run is what its tables say: nothing stale, nothing half, copies counted once.

An image here holds the number of its dicentrics as text, and the detector reads it: every
count below is known by hand.
"""

import csv
import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry import pipeline
from cytally.dosimetry.curves.calibrate import Curve, DosePoint, Origin, calibrate
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble
from cytally.dosimetry.laboratory.series import dose_of_run, points_of
from cytally.dosimetry.pipeline import score, score_folder
from cytally.dosimetry.reporting import run_page as report
from cytally.dosimetry.scoring import pictures as drawing
from cytally.dosimetry.scoring import resampling as sampled
from cytally.dosimetry.scoring import workers
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.run import images_of, read_run
from cytally.errors import CountsError, InputError, RunError
from cytally.files.hashes import hash_of
from cytally.inference.card import Card, Thresholds
from cytally.types import Detections, Image, Skipped

CLASSES = ("dicentric", "fragment")
POINTS = [DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (1, 1168, 109), (2, 333, 103), (4, 103, 103))]


class Killed(BaseException):
    pass


@pytest.fixture
def ensemble():
    thresholds = Thresholds(confidence=[[0.5, 0.5]] * 4, agreement=[2, 2])
    card = Card(
        name="fake",
        task="dosimetry",
        classes=list(CLASSES),
        arguments={},
        members=[],
        thresholds=thresholds,
        normalisation={"size": 26.0, "pixel_um": 0.146},
    )
    return MetaphaseEnsemble(card, (None,) * 4)


@pytest.fixture
def curve(ensemble):
    return calibrate(POINTS, origin=Origin("60Co", detector=ensemble.card.identity))


@pytest.fixture(autouse=True)
def seen(monkeypatch):
    """The detector; names of the images that it was shown."""
    looked = []

    def fake(path, name, which):
        looked.append(name)
        text = path.read_text() if path.is_file() else ""
        if not text.split()[:1] or not text.split()[0].isdigit():
            return ScoredCell(name, Detections.empty(4), sha256=hash_of(path), skipped=Skipped(name, "no number"))
        n = int(text.split()[0])
        row, far = np.arange(n) * 10.0 + 1 / 3, np.full(n, np.nan)
        found = Detections(row, row + 5, ("dicentric",) * n, np.full(n, 3), np.full(n, 0.9), np.full(n, 0.1), 4, far)
        return ScoredCell(name, found, 46, 1.0, hash_of(path))

    monkeypatch.setattr(workers, "score_file", fake)
    return looked


@pytest.fixture
def cells(tmp_path) -> Path:
    """Three images with 1, 2 and 3 dicentrics."""
    folder = tmp_path / "cells"
    folder.mkdir()
    for n in (1, 2, 3):
        (folder / f"{n}.png").write_text(str(n))
    return folder


def rows(run):
    with (run / "cells.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(run, curve):
    """(cells, dicentrics) by everything that reads a run."""
    found = dose_of_run(run, curve)
    curve.save(run.parent / "curve.json")
    page = run.parent / "page.html"
    done = CliRunner().invoke(
        cli, ["dosimetry", "report", str(run), "--curve", str(run.parent / "curve.json"), "--out", str(page)]
    )
    assert done.exit_code == 0, done.output
    assert f"{found.cells} cells, {found.dicentrics} dicentrics" in done.output
    return found.cells, found.dicentrics


# --- Fault 01: an image is replaced, deleted, added -----------------------------------------------------------


def test_an_image_replaced_and_one_deleted_leave_nothing_behind(cells, ensemble, curve, tmp_path):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble, curve=curve)
    assert told(run, curve) == (3, 6)
    (cells / "3.png").write_text("7")
    (cells / "2.png").unlink()
    outcome = score_folder([cells], run, ensemble, curve=curve)
    assert (outcome.counts.cells, outcome.counts.total("dicentric")) == (2, 8)
    assert told(run, curve) == (2, 8) == (outcome.dose.cells, outcome.dose.dicentrics)
    assert [(c.image, c.detections.count("dicentric")) for c in read_run(run)] == [("1.png", 1), ("3.png", 7)]
    (cells / "3.png").write_text("3")  # the old image is back: known, and not the replaced one
    score_folder([cells], run, ensemble)
    assert told(run, curve) == (2, 4)


def test_dose_and_calibrate_count_the_same_cells(cells, ensemble, curve, tmp_path):
    (cells / "cells.csv").write_text("image,sample,dose_gy\n1.png,A,2\n2.png,A,2\n3.png,B,4\n")
    run = tmp_path / "run"
    score_folder([cells], run, ensemble)
    (cells / "3.png").write_text("5")
    score_folder([cells], run, ensemble)
    points, detector = points_of([run])
    assert [(p.dose_gy, p.cells, p.dicentrics) for p in points] == [(2.0, 2, 3), (4.0, 1, 5)]
    assert detector == ensemble.card.identity and told(run, curve) == (3, 8)


def test_cells_as_read_are_cells_as_scored(cells, ensemble, tmp_path):
    (cells / "bad.png").write_text("x")
    score_folder([cells], tmp_path / "run", ensemble)
    found = {cell.image: cell for cell in read_run(tmp_path / "run")}
    assert found["bad.png"].status == "skipped: no number" and not found["bad.png"].scored
    three = found["3.png"].detections
    assert three.row == pytest.approx([0.3, 10.3, 20.3]) and three.votes.tolist() == [3, 3, 3]
    assert three.members == 4 and np.isnan(three.probability).all() and found["1.png"].objects == 46


# --- Interrupted runs -----------------------------------------------------------------------------------------


def interrupt(monkeypatch, after):
    honest, looked = workers.score_file, []

    def dying(path, name, which):
        looked.append(name)
        if len(looked) > after:
            raise Killed
        return honest(path, name, which)

    monkeypatch.setattr(workers, "score_file", dying)


@pytest.mark.parametrize("before", [False, True], ids=["the first call", "a later call"])
def test_an_interrupted_run_is_no_run_until_it_is_finished(cells, ensemble, curve, tmp_path, monkeypatch, before):
    run = tmp_path / "run"
    if before:
        score_folder([cells], run, ensemble)
    for n in (4, 5, 6):
        (cells / f"{n}.png").write_text(str(n))
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        with pytest.raises(Killed):
            score_folder([cells], run, ensemble)
    done = 4 if before else 1
    with pytest.raises(RunError, match=f"interrupted: {done} of 6 images; run score again to finish"):
        dose_of_run(run, curve)
    said = CliRunner().invoke(cli, ["dosimetry", "calibrate", str(run), "--out", str(tmp_path / "c.json")])
    assert said.exit_code == 1 and ("interrupted" in said.output or "finished run" in said.output)
    score_folder([cells], run, ensemble)
    assert told(run, curve) == (6, 21)


def test_a_kill_between_tables_and_page_costs_nothing(cells, ensemble, curve, tmp_path, monkeypatch, seen):
    score_folder([cells], tmp_path / "whole", ensemble)
    with monkeypatch.context() as patch:
        patch.setattr(report, "write_report", lambda *_, **__: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            score_folder([cells], tmp_path / "run", ensemble)
    assert told(tmp_path / "run", curve) == (3, 6)
    seen.clear()
    score_folder([cells], tmp_path / "run", ensemble)
    assert seen == []
    for name in ("cells.csv", "detections.csv", "journal.jsonl"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


# --- Tables changed by hand, damaged files (fault 16) -----------------------------------------------------------


def test_tables_changed_by_hand_are_refused_and_written_again(cells, ensemble, curve, tmp_path):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble)
    honest = (run / "cells.csv").read_text()
    (run / "cells.csv").write_text(honest.replace("3.png,scored,3", "3.png,scored,0"))
    for probability in (lambda: dose_of_run(run, curve), lambda: points_of([run]), lambda: read_run(run)):
        with pytest.raises(RunError, match=r"cells\.csv was changed after the run was finished"):
            probability()
    score_folder([cells], run, ensemble)
    assert (run / "cells.csv").read_text() == honest and told(run, curve) == (3, 6)
    (run / "detections.csv").unlink()
    with pytest.raises(RunError, match=r"detections\.csv is gone; run score again"):
        read_run(run)


DAMAGE = {
    "cut in two lines": lambda line: line[:40] + b"\n    " + line[40:],
    "a flipped bit": lambda line: line.replace(b'"objects": 46', b'"objects": 47'),
    "not UTF-8": lambda line: line.replace(b"scored", b"sc\xf6red"),
    "no hash": lambda line: json.dumps(
        {k: v for k, v in json.loads(line).items() if k not in ("sha256", "crc32")}
    ).encode(),
    "a wrong type": lambda line: json.dumps(
        {k: v for k, v in json.loads(line).items() if k != "crc32"} | {"detections": 1}
    ).encode(),
    "text for a number": lambda line: json.dumps(
        {k: v for k, v in json.loads(line).items() if k != "crc32"} | {"objects": "1"}
    ).encode(),
    "another class": lambda line: json.dumps(
        {k: v for k, v in json.loads(line).items() if k != "crc32"}
        | {"detections": [["ring", 1.0, 1.0, 1, 0.5, 0.5, None]]}
    ).encode(),
    "too deep": lambda line: b"[" * 100_000,
    "empty": lambda line: b"",
    "zeros, as after a power cut": lambda line: b"\x00" * len(line),
}


@pytest.mark.parametrize("kind", sorted(DAMAGE))
def test_a_damaged_journal_line_is_scored_again_with_a_word(cells, ensemble, curve, tmp_path, seen, kind):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble)
    lines = (run / "journal.jsonl").read_bytes().split(b"\n")
    lines[1] = DAMAGE[kind](lines[1])
    (run / "journal.jsonl").write_bytes(b"\n".join(lines))
    assert told(run, curve) == (3, 6)  # the tables are whole
    seen.clear()
    outcome = score_folder([cells], run, ensemble)
    assert seen == ["2.png"] and outcome.counts.total("dicentric") == 6
    assert outcome.notes[0].startswith("journal.jsonl: damaged in line 2")
    assert score_folder([cells], run, ensemble).notes == ()


def test_the_word_is_on_the_screen(cells, ensemble, tmp_path, monkeypatch):
    from cytally.dosimetry.detectors import ensemble as room

    monkeypatch.setattr(room, "load_ensemble", lambda _, **__: SimpleNamespace(with_thresholds=lambda **_: ensemble))
    words = ["dosimetry", "score", str(cells), "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(cli, words).exit_code == 0
    (tmp_path / "run" / "journal.jsonl").write_bytes(b"{}\n")
    shutil.copy(cells / "1.png", cells / "1 - Copy.png")
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 3 and "damaged in line 1" in done.output
    assert "skipped 1 - Copy.png: identical to 1.png" in done.output and "3 cells scored" in done.output


def test_a_journal_of_the_time_before_checksums_is_used(cells, ensemble, tmp_path, seen):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble)
    old = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
    (run / "journal.jsonl").write_text(
        "".join(json.dumps({k: v for k, v in line.items() if k != "crc32"}) + "\n" for line in old)
    )
    seen.clear()
    assert score_folder([cells], run, ensemble).notes == () and seen == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"settings": {}}', b'{"settings": {"inputs": 5}}', b"\xff"])
def test_a_damaged_run_json_is_one_clear_error_everywhere(cells, ensemble, curve, tmp_path, content):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble)
    (run / "run.json").write_bytes(content)
    for attempt in (
        lambda: score_folder([cells], run, ensemble),
        lambda: dose_of_run(run, curve),
        lambda: points_of([run]),
        lambda: read_run(run),
    ):
        with pytest.raises(RunError, match=r"run\.json.*(put a copy of this file back|give another --out)"):
            attempt()


def test_settings_of_another_number_of_classes_are_one_clear_error(cells, ensemble, curve, tmp_path):
    score_folder([cells], tmp_path / "run", ensemble)
    content = json.loads((tmp_path / "run" / "run.json").read_text())
    content["settings"]["confidence"][0].pop()
    (tmp_path / "run" / "run.json").write_text(json.dumps(content))
    with pytest.raises(RunError, match="expected thresholds for 2 classes each"):
        dose_of_run(tmp_path / "run", curve)


def test_runs_of_older_versions_are_what_their_tables_say(cells, ensemble, curve, tmp_path):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble)
    stored = json.loads((run / "run.json").read_text())
    del stored["tables"]
    (run / "run.json").write_text(json.dumps(stored))
    assert told(run, curve) == (3, 6)
    table = (run / "cells.csv").read_text()
    for wrong in (
        table.replace(",sha256", ",hash"),
        table.replace("scored,3", "scored,x"),
        table[:-80] + "\n",
        table + table.split("\n")[1] + "\n",
    ):
        (run / "cells.csv").write_text(wrong)
        with pytest.raises(RunError, match=r"expected cells\.csv and detections\.csv as score writes them"):
            read_run(run)
    (run / "cells.csv").unlink()
    with pytest.raises(RunError, match=r"was interrupted: it has no cells\.csv"):
        read_run(run)


# --- Copies (fault 20) ---------------------------------------------------------------------------------------


def test_copies_count_once_and_are_named_everywhere(cells, ensemble, curve, tmp_path, seen):
    for name in ("2 - Copy.png", "2 (1).png", "0 copy of 2.png"):
        shutil.copy(cells / "2.png", cells / name)
    outcome = score_folder([cells], tmp_path / "run", ensemble, curve=curve)
    assert (outcome.counts.cells, outcome.counts.total("dicentric")) == (3, 6)
    status = {row["image"]: row["status"] for row in rows(tmp_path / "run")}
    assert status == {
        "0 copy of 2.png": "skipped: identical to 2.png",
        "1.png": "scored",
        "2 (1).png": "skipped: identical to 2.png",
        "2 - Copy.png": "skipped: identical to 2.png",
        "2.png": "scored",
        "3.png": "scored",
    }
    assert seen == ["1.png", "2.png", "3.png"] and told(tmp_path / "run", curve) == (3, 6)
    page = (tmp_path / "run" / "report.html").read_text()
    assert page.count("identical to 2.png") == 3
    assert score(cells, ensemble).cells == 3


def test_a_copy_is_scored_when_its_original_goes(cells, ensemble, tmp_path):
    shutil.copy(cells / "2.png", cells / "2 (1).png")
    score_folder([cells], tmp_path / "run", ensemble)
    (cells / "2.png").unlink()
    outcome = score_folder([cells], tmp_path / "run", ensemble)
    assert outcome.counts.images == ("1.png", "2 (1).png", "3.png")


def test_images_that_leave_a_run_are_named_once(cells, ensemble, tmp_path, monkeypatch):
    run = tmp_path / "run"
    assert score_folder([cells], run, ensemble).notes == ()
    with monkeypatch.context() as patch:
        interrupt(patch, 0)
        (cells / "3.png").write_text("5")
        with pytest.raises(Killed):
            score_folder([cells / "3.png"], run, ensemble)
    outcome = score_folder([cells / "3.png"], run, ensemble)
    assert outcome.counts.images == ("3.png",)
    assert outcome.notes == ("2 images that the run had are not among those given and left it: 1.png, 2.png",)
    assert score_folder([cells / "3.png"], run, ensemble).notes == ()


def test_an_image_in_two_runs_of_one_series_is_refused(cells, ensemble, tmp_path):
    (cells / "cells.csv").write_text("image,sample,dose_gy\n1.png,A,2\n2.png,A,2\n3.png,B,4\n")
    other = shutil.copytree(cells, tmp_path / "other")
    (other / "1.png").write_text("10")
    score_folder([cells], tmp_path / "a", ensemble)
    score_folder([other], tmp_path / "b", ensemble)
    with pytest.raises(CountsError, match=r"2\.png of .*b is the same image as 2\.png of .*a; a cell counts once"):
        points_of([tmp_path / "a", tmp_path / "b"])


# --- Names (faults 14, 19) -------------------------------------------------------------------------------------


def test_a_name_that_is_not_utf8_goes_all_the_way(cells, ensemble, curve, tmp_path, seen):
    os.rename(os.fsencode(cells / "1.png"), os.fsencode(cells) + b"/Pr\xfcfung_1.png")
    for _ in range(2):
        outcome = score_folder([cells], tmp_path / "run", ensemble, curve=curve)
        assert outcome.counts.images == ("2.png", "3.png", r"Pr\xfcfung_1.png")
    assert len(seen) == 3 and r"Pr\xfcfung_1.png" in (tmp_path / "run" / "report.html").read_text()
    assert told(tmp_path / "run", curve) == (3, 6)
    assert set(images_of(tmp_path / "run", read_run(tmp_path / "run"))) == {
        "2.png",
        "3.png",
        r"Pr\xfcfung_1.png",
    }


def test_folders_that_are_not_utf8(cells, ensemble, curve, tmp_path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/Bl\xe4tter")
    shutil.copytree(cells, odd)
    run = Path(os.fsdecode(os.fsencode(tmp_path) + b"/L\xe4ufe"))
    score_folder([odd], run, ensemble, curve=curve)
    score_folder([odd], run, ensemble, curve=curve)
    assert told(run, curve) == (3, 6) and len(images_of(run, read_run(run))) == 3


@pytest.mark.parametrize(
    "name",
    [
        "a\nb.png",
        "a\rb.png",
        'the "best", of 5;.png',
        " .png",
        "=1+1.png",
        "x" * 251 + ".png",
        "é" * 120 + ".png",
    ],
)
def test_odd_names_come_back_out_of_the_tables(cells, ensemble, tmp_path, name, monkeypatch):
    picture(monkeypatch)
    (cells / name).write_text("9")
    score_folder([cells], tmp_path / "run", ensemble, pictures=True)
    found = {cell.image: cell.detections.count("dicentric") for cell in read_run(tmp_path / "run")}
    assert found == {"1.png": 1, "2.png": 2, "3.png": 3, name: 9}
    assert len(list((tmp_path / "run" / "pictures").iterdir())) == 4


# --- Pictures and sampled ensembles follow their images (fault G) ------------------------------------------------


def picture(monkeypatch):
    """Pictures as bright as the image's number."""
    fake = lambda path: Image(np.full((32, 32, 3), 10 * int(path.read_text()), np.uint8))  # noqa: E731
    monkeypatch.setattr(drawing, "read", fake)
    monkeypatch.setattr(drawing, "overlay", lambda image, *_, **__: image.pixels)


def test_the_picture_of_a_changed_image_is_drawn_anew(cells, ensemble, tmp_path, monkeypatch):
    picture(monkeypatch)
    run = tmp_path / "run"
    score_folder([cells], run, ensemble, pictures=True)
    before = (run / "pictures" / "1.png.png").stat().st_mtime_ns
    (cells / "3.png").write_text("8")
    (cells / "2.png").unlink()
    score_folder([cells], run, ensemble, pictures=True)
    shown = {p.name: int(cv2.imread(str(p))[0, 0, 0]) for p in (run / "pictures").iterdir()}
    assert shown == {"1.png.png": 10, "3.png.png": 80}
    assert (run / "pictures" / "1.png.png").stat().st_mtime_ns == before
    (cells / "1.png").write_text("4")
    outcome = score_folder([cells], run, ensemble)  # without --pictures: better none than an old one
    assert outcome.notes == ("pictures of images that changed were removed (1.png); --pictures draws them anew",)
    assert score_folder([cells], run, ensemble).notes == ()
    assert [p.name for p in (run / "pictures").iterdir()] == ["3.png.png"]


@pytest.fixture
def counting(monkeypatch):
    """Each sampled ensemble k counts the number in the image, and k more of them."""
    looked = []

    def fake(path, cell, ensemble, draws):
        looked.append(cell.image)
        return [int(path.read_text()) + k for k in range(draws)]

    monkeypatch.setattr(sampled, "_counts", fake)
    return looked


def test_sampled_counts_of_a_changed_image_are_made_again(cells, ensemble, curve, tmp_path, counting):
    run = tmp_path / "run"
    assert score_folder([cells], run, ensemble, sampled=3).sampled.totals.tolist() == [6, 9, 12]
    (cells / "3.png").write_text("5")
    counting.clear()
    outcome = score_folder([cells], run, ensemble, sampled=3)
    assert outcome.sampled.totals.tolist() == [8, 11, 14] and counting == ["3.png"]


def test_the_limits_carry_the_disagreement_whoever_reads_the_run(cells, ensemble, curve, tmp_path, counting):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble, sampled=3)
    again = score_folder([cells], run, ensemble, curve=curve)  # not asked for, but there
    assert (again.dose.lower, again.dose.upper) == (
        dose_of_run(run, curve).lower,
        dose_of_run(run, curve).upper,
    )
    assert again.sampled.totals.tolist() == [6, 9, 12]
    (cells / "3.png").write_text("5")
    outcome = score_folder([cells], run, ensemble)
    assert outcome.sampled is None  # of other images: gone with them
    assert outcome.notes == ("sampled.csv counted other images and was removed; --sampled counts anew",)
    assert not (run / "sampled.csv").exists()


def test_sampled_counts_of_other_images_are_refused(cells, ensemble, curve, tmp_path, counting):
    run = tmp_path / "run"
    score_folder([cells], run, ensemble, sampled=3)
    text = (run / "sampled.csv").read_text().splitlines()
    (run / "sampled.csv").write_text("\n".join(text[:-1]) + "\n")
    with pytest.raises(CountsError, match="counts other images than the run; run score with --sampled again"):
        dose_of_run(run, curve)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b'{"image": "1.png", "detector": "x", "dicentrics": [1, 1, 1]}',
        b"\xff\xff",
        b'{"image": "1.png", "sha256": 1, "detector": "x", "dicentrics": "many"}',
    ],
)
def test_damaged_lines_of_the_sampled_journal_are_counted_again(cells, ensemble, tmp_path, counting, line):
    """One without the image's hash, as older versions wrote them, says nothing of the image that is there now."""
    run = tmp_path / "run"
    score_folder([cells], run, ensemble, sampled=3)
    lines = (run / "sampled.jsonl").read_bytes().split(b"\n")
    (run / "sampled.jsonl").write_bytes(b"\n".join([line, *lines[1:]]))
    counting.clear()
    assert score_folder([cells], run, ensemble, sampled=3).sampled.totals.tolist() == [6, 9, 12]
    assert counting == ["1.png"]


# --- Resuming: the same images, however they are given (fault 22) -------------------------------------------------


def test_the_spelling_of_the_inputs_does_not_matter(cells, ensemble, tmp_path, monkeypatch, seen):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    score_folder(["cells"], run, ensemble)
    (tmp_path / "link").symlink_to(cells)
    for given in (
        [cells],
        ["./cells/"],
        ["cells/../cells"],
        [tmp_path / "link"],
        ["cells/*.png"],
        sorted(cells.iterdir()),
    ):
        outcome = score_folder(given, run, ensemble)
        assert outcome.counts.images == ("1.png", "2.png", "3.png")
    assert seen == ["1.png", "2.png", "3.png"]
    monkeypatch.chdir(cells)
    assert set(images_of(run, read_run(run))) == {"1.png", "2.png", "3.png"}  # from anywhere


def test_a_file_added_to_a_glob_is_scored(cells, ensemble, tmp_path, seen):
    score_folder(sorted(cells.glob("*.png")), tmp_path / "run", ensemble)
    (cells / "4.png").write_text("4")
    seen.clear()
    outcome = score_folder(sorted(cells.glob("*.png")), tmp_path / "run", ensemble)
    assert seen == ["4.png"] and outcome.counts.total("dicentric") == 10


def test_a_folder_that_moved_with_its_run_goes_on(cells, ensemble, tmp_path, seen):
    score_folder([cells], tmp_path / "run", ensemble)
    moved = shutil.move(cells, tmp_path / "archive")
    seen.clear()
    score_folder([moved], tmp_path / "run", ensemble)
    assert seen == []


def test_another_sample_is_refused(cells, ensemble, curve, tmp_path):
    score_folder([cells], tmp_path / "run", ensemble)
    other = tmp_path / "other"
    other.mkdir()
    for n in (1, 2, 3):
        (other / f"{n}.png").write_text(f"{n} of another")
    with pytest.raises(RunError, match="holds a run with other inputs .*none of these 3 images; give another --out"):
        score_folder([other], tmp_path / "run", ensemble)
    assert told(tmp_path / "run", curve) == (3, 6)  # the refused call changed nothing


# --- Refused before anything is scored ---------------------------------------------------------------------------


def test_a_curve_that_does_not_belong_is_refused_before_scoring(cells, ensemble, tmp_path, seen):
    for wrong, words in (
        (Curve(np.array([0.001, 0.02, 0.06]), np.zeros((3, 3)), detector="ffff"), "the curve is for ffff"),
        (Curve(np.array([0.001, 0.02, 0.06]), np.zeros((3, 3))), "the curve is for manual scoring"),
        (
            Curve(
                np.array([0.001, 0.02, 0.06]),
                np.zeros((3, 3)),
                detector=ensemble.card.identity,
                aberration="micronuclei",
            ),
            "the curve is for micronuclei",
        ),
    ):
        with pytest.raises(CountsError, match=words):
            score_folder([cells], tmp_path / "run", ensemble, curve=wrong)
    assert seen == [] and not (tmp_path / "run").exists()


def test_a_table_beside_the_images_that_cannot_be_read_stops_before_scoring(
    cells, ensemble, tmp_path, seen, monkeypatch
):
    def refuse(*_):
        raise InputError("cells.csv: line 3 is not a table")

    monkeypatch.setattr(pipeline, "known_cells", refuse)
    with pytest.raises(InputError, match="line 3"):
        score_folder([cells], tmp_path / "run", ensemble)
    assert seen == [] and not (tmp_path / "run").exists()


# --- Any damage ----------------------------------------------------------------------------------------------


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Cut short, bits flipped, bytes taken out or put in, lines shuffled, a number replaced."""
    place, kind = int(rng.integers(len(content))), int(rng.integers(6))
    if kind == 0:
        return content[:place]
    if kind == 1:
        return content[:place] + bytes([content[place] ^ 1 << int(rng.integers(8))]) + content[place + 1 :]
    if kind == 2:
        return content[:place] + content[place + int(rng.integers(1, 40)) :]
    if kind == 3:
        return content[:place] + rng.bytes(int(rng.integers(1, 20))) + content[place:]
    if kind == 4:
        return b"\n".join(rng.permutation(np.array(content.split(b"\n"), object)))
    numbers = list(re.finditer(rb"\d+(\.\d+)?", content))
    found = numbers[int(rng.integers(len(numbers)))]
    other = [b"NaN", b"-1", b"1e400", b"null", b'"x"', b"9" * 20, b"[]", b"true"][int(rng.integers(8))]
    return content[: found.start()] + other + content[found.end() :]


@pytest.mark.parametrize("name", ["run.json", "journal.jsonl", "cells.csv", "detections.csv", "sampled.jsonl"])
def test_no_damage_to_any_file_changes_a_count_or_ends_in_a_foreign_error(
    cells, ensemble, tmp_path, counting, monkeypatch, name
):
    monkeypatch.setattr(report, "write_report", lambda *_, **__: None)
    run, rng = tmp_path / "run", np.random.default_rng(5)
    score_folder([cells], run, ensemble, sampled=2)
    whole = {p: p.read_bytes() for p in run.iterdir() if p.is_file()}
    for _ in range(25):
        for path, content in whole.items():
            path.write_bytes(content)
        (run / name).write_bytes(damaged(whole[run / name], rng))
        try:
            assert [cell.detections.count("dicentric") for cell in read_run(run)] == [1, 2, 3]
        except RunError:
            pass
        try:
            assert score_folder([cells], run, ensemble, sampled=2).sampled.totals.tolist() == [6, 9]
            assert (run / "cells.csv").read_bytes() == whole[run / "cells.csv"]
        except RunError:
            assert name == "run.json"
