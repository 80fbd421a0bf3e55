"""Commands that walk folders, on names that are not UTF-8: everything is done, everything that is said is text."""

import csv
import json
import os

import cv2
import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from tests.fuzz.inputs import field_of_view

from cytally.cli.main import cli

BYTE, OTHER, LITERAL = os.fsdecode(b"a\xff"), os.fsdecode(b"b\xfe"), r"a\xff"


def run(*words, code=0):
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == code, done.output
    assert "\\udc" not in done.output
    return done


def texts_in(folder):
    """Every table, page and record is UTF-8 and holds no half of a character; run.json finds the folder again by it."""
    kinds = (".csv", ".json", ".jsonl", ".html", ".svg")
    found = [p for p in folder.rglob("*") if p.suffix in kinds and p.name != "run.json"]
    for path in found:
        assert "\\udc" not in path.read_bytes().decode(), path
    return found


@pytest.fixture
def cells(tmp_path):
    folder = tmp_path / os.fsdecode(b"cells\xe9")
    folder.mkdir()
    first = field_of_view()
    for name, pixels in ((BYTE, first), (OTHER, first[::-1].copy()), (LITERAL, first[:, ::-1].copy())):
        (folder / f"{name}.png").write_bytes(bytes(cv2.imencode(".png", pixels)[1]))
    (folder / os.fsdecode(b"junk\xfd.png")).write_bytes(b"junk")
    (folder / os.fsdecode(b"old\xfc.czi")).write_bytes(b"")
    return folder


def test_score_reads_them_all(cells, tmp_path):
    (cells / "cells.csv").write_text("image,sample,dose_gy\na\\xff.png,S1,2\na\\\\xff.png,S2,3\n")
    out = tmp_path / "run"
    said = run("dosimetry", "score", cells, "--out", out, "--pictures", code=3)
    assert r"skipped junk\xfd.png: not a readable image" in said.output
    run("dosimetry", "score", cells, "--out", out, "--pictures", "--json", code=3)
    with (out / "cells.csv").open(encoding="utf-8") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    assert set(rows) == {r"a\xff.png", r"a\\xff.png", r"b\xfe.png", r"junk\xfd.png"}
    assert rows[r"a\xff.png"]["sample"] == "S1" and rows[r"a\\xff.png"]["sample"] == "S2"
    assert sum(row["status"].startswith("skipped") for row in rows.values()) == 1
    assert len(texts_in(out)) >= 4


def test_evaluate_and_compose_read_them(cells, tmp_path):
    (cells / "labels.csv").write_text("image,class,row,col\na\\xff.png,dicentric,60,60\nb\\xfe.png,fragment,60,60\n")
    said = run("dosimetry", "evaluate", cells, "--out", tmp_path / "e", "--no-sweep", code=3)
    assert r"junk\xfd.png" in said.output or texts_in(tmp_path / "e")
    run("dosimetry", "evaluate", cells, "--normal", "--out", tmp_path / "n", code=3)
    run("dosimetry", "compose", cells, "--out", tmp_path / "c", "--cells", "1", code=1)  # too few objects to take apart
    texts_in(tmp_path)


@pytest.mark.parametrize("door", ["count", "track"])
def test_livecell_reads_them(tmp_path, door):
    folder = tmp_path / "stain"
    folder.mkdir()
    for k, name in enumerate((BYTE, OTHER, LITERAL)):
        for time in range(2):
            tifffile.imwrite(folder / f"{name}_t{time:03d}.tif", np.roll(255 - field_of_view((160, 168)), 7 * k + time))
        (folder / f"{name}_t002.tif").write_bytes(name.encode("utf-8", "surrogateescape"))
    said = run("livecell", door, folder, "--stained", "--out", tmp_path / "run", code=3)
    assert r"skipped a\xff_t002.tif: not a readable image" in said.output
    assert len(texts_in(tmp_path / "run")) >= 3
    with (tmp_path / "run" / "counts.csv").open(encoding="utf-8") as file:
        assert len({row["position"] for row in csv.DictReader(file)}) == 3


def test_livecell_names_shows_them(tmp_path):
    for name in (BYTE, LITERAL, OTHER):
        for time in range(2):
            tifffile.imwrite(tmp_path / f"{name}_t{time:03d}.tif", np.zeros((8, 8), np.uint8))
    said = run("livecell", "names", tmp_path, "--json").stdout
    names = {image["image"] for image in json.loads(said.splitlines()[0])["images"]}
    assert {r"a\xff_t000.tif", r"a\\xff_t000.tif", r"b\xfe_t001.tif"} < names and len(names) == 6
    positions = {image["position"] for image in json.loads(said.splitlines()[0])["images"]}
    assert positions == {r"a\xff", r"a\\xff", r"b\xfe"}


def test_livecell_labels_and_reads_them_back(tmp_path):
    for side, turned in (("phase", False), ("stain", True)):
        (tmp_path / side).mkdir()
        for name in (BYTE, OTHER):
            pixels = field_of_view((160, 168))[:: -1 if name == BYTE else 1]
            tifffile.imwrite(tmp_path / side / f"{name}.tif", 255 - pixels if turned else pixels)
    run("livecell", "label", tmp_path / "phase", "--fluorescence", tmp_path / "stain", "--out", tmp_path / "labels")
    texts_in(tmp_path / "labels")
    from cytally.livecell.labelled import read_labelled

    assert len(read_labelled(tmp_path / "labels").fields) == 2
