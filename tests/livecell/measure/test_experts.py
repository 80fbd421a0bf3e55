"""Experts' pages and tables."""

import csv

import numpy as np
import pytest

from cytally.errors import LabelError
from cytally.evaluation.matching import Hits
from cytally.images.masks import write_mask
from cytally.images.read import read
from cytally.images.write import write
from cytally.livecell.measure.experts import (
    ToReview,
    as_words,
    choose,
    compare_experts,
    read_review,
    write_review,
)
from cytally.types import Image


@pytest.fixture
def images(tmp_path):
    made = []
    for number in range(4):
        mask = np.zeros((60, 80), np.int32)
        mask[10:20, 10:20], mask[30:40, 50:62] = 1, 2
        write(
            tmp_path / f"i{number}.tif",
            Image(np.full((60, 80), 100 + number, np.uint8) + (mask > 0).astype(np.uint8) * 40),
        )
        write_mask(tmp_path / f"m{number}.tif", mask)
        made.append(
            ToReview(
                f"i{number}.tif",
                tmp_path / f"i{number}.tif",
                tmp_path / f"m{number}.tif",
                tmp_path / f"i{number}.tif",
            )
        )
    return made


def fill(table, false, missed):
    """Write an expert's numbers into a table."""
    with table.open(newline="") as file:
        rows = list(csv.reader(file))
    for row, a, b in zip(rows[1:], false, missed, strict=True):
        row[2], row[3] = a, b
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def test_pages_are_written_and_a_filled_table_read_back(images, tmp_path):
    table = write_review(images, tmp_path / "anna")
    page = read(tmp_path / "anna" / "pages" / "i0.png")
    assert page.shape[1] == 3 * 80 * 15 and page.shape[0] == 60 * 15  # three panels, enlarged
    fill(table, ["0", "1", "", "0"], ["2", "0", "", "0"])
    found = read_review(table)
    assert found.rows == {"i0.tif": (2, 0, 2), "i1.tif": (2, 1, 0), "i3.tif": (2, 0, 0)}
    assert found.hits == Hits(5, 1, 2)  # TP* = objects - false positives
    with pytest.raises(LabelError, match="expert's work"):
        write_review(images, tmp_path / "anna")


def test_two_experts_are_compared(images, tmp_path):
    for name, false, missed in (("anna", "0100", "0010"), ("ben", "0200", "0011")):
        fill(write_review(images, tmp_path / name), list(false), list(missed))
    both = compare_experts(*(read_review(tmp_path / name / "review.csv") for name in ("anna", "ben")))
    assert both.images == 4
    assert both.false_positives.tolist() == [[3, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert both.false_negatives.tolist() == [[2, 1], [0, 1]]
    assert both.kappa["false_negatives"] == pytest.approx(0.5)
    assert "Cohen's kappa 0.50" in as_words(both)


@pytest.mark.parametrize(
    ("false", "missed", "says"),
    [
        (["x", "0", "", ""], ["0"] * 4, "expected a whole number such as 1000 in false_positives, got 'x'"),
        (["3", "0", "0", "0"], ["0"] * 4, "3 false positives among 2"),
        ([""] * 4, [""] * 4, "no line is filled"),
    ],
)
def test_tables_filled_in_wrongly_are_told(images, tmp_path, false, missed, says):
    table = write_review(images, tmp_path / "anna")
    fill(table, false, missed)
    with pytest.raises(LabelError, match=says):
        read_review(table)


def test_other_tables_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("image;objects\na.tif;3\n")
    with pytest.raises(LabelError, match="missing false_positives, false_negatives; found"):
        read_review(tmp_path / "a.csv")


def test_a_spreadsheets_semicolons_are_read(tmp_path):
    (tmp_path / "a.csv").write_text("\ufeffimage;objects;false_positives;false_negatives;remark\na.tif;3;1;0;blurred\n")
    assert read_review(tmp_path / "a.csv").rows == {"a.tif": (3, 1, 0)}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a.tif,3,²,0", "line 2: .* got '²'; write it with the digits 0 to 9"),
        ("a.tif,3,1,", "expected a whole number .* in false_negatives, got ''"),
        ("a.tif,3,1,0\na.tif,3,0,0", "line 3: image 'a.tif' is there twice"),
        ("a.tif,3,1", "line 2: expected 4 columns, got 3"),
    ],
)
def test_lines_that_make_no_sense_are_told(tmp_path, line, says):
    (tmp_path / "a.csv").write_text(f"image,objects,false_positives,false_negatives\n{line}\n")
    with pytest.raises(LabelError, match=says):
        read_review(tmp_path / "a.csv")


def test_a_table_saved_by_a_spreadsheet_in_a_code_page_is_read(tmp_path):
    (tmp_path / "a.csv").write_bytes("image;objects;false_positives;false_negatives\nBä.tif;3;1;0\n".encode("cp1252"))
    assert read_review(tmp_path / "a.csv").rows == {"Bä.tif": (3, 1, 0)}


def test_the_subset_is_the_same_for_every_expert(images):
    assert choose(images, 2, seed=3) == choose(images, 2, seed=3)
    assert len(choose(images, 30)) == 4
