import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.detector import train as training  # noqa: F401  (joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import FileError, LabelError
from cytally.evaluation.matching import Hits, match_boxes
from cytally.labels.boxes import read_yolo


def test_fractions_become_pixels(tmp_path):
    """A box over the left half of a 100 x 200 image ends at its 100th column (pixel centres at integers)."""
    (tmp_path / "a.txt").write_text("1 0.25 0.5 0.5 1.0\n\n0 0.5 0.5 0.1 0.1\n")
    boxes = read_yolo(tmp_path / "a.txt", ("normal", "dicentric"), (100, 200))
    assert boxes.names == ("dicentric", "normal")
    np.testing.assert_allclose(boxes.of("dicentric").low, [[-0.5, -0.5]])
    np.testing.assert_allclose(boxes.of("dicentric").high, [[99.5, 99.5]])
    inside = boxes.holding(np.array([[50, 50], [50, 99], [50, 150]]))
    assert inside.tolist() == [[True, False], [True, True], [False, False]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 0.5 0.5 0.1", "line 1: expected five numbers"),
        ("a b c d e", "five numbers"),
        ("2 0.5 0.5 0.1 0.1", "a class from 0 to 1"),
        ("0 1.5 0.5 0.1 0.1", "fractions of the image"),
        ("0.5 0.5 0.5 0.1 0.1", "a class from"),
        ("nan 0.5 0.5 0.1 0.1", "five numbers"),
        ("inf 0.5 0.5 0.1 0.1", "five numbers"),
        ("0 0.5 0.5 nan 0.1", "five numbers"),
        ("0 0_5 0.5 0.1 0.1", "five numbers"),
        ("0 0,5 0,5 0,1 0,1", "five numbers"),
        ("1e99 0.5 0.5 0.1 0.1", "a class from"),
        ("0 0.5 0.5 0.1 0.1 0.93", "got six: with a confidence it is a detector's answer"),
        ("0 0.5 0.5 0.1 0.1 0.2 0.2 0.3", "a box .five numbers. or a polygon, got 8 numbers"),
        ("\n0 0.97 0.5 0.1 0.1", "line 2: .* reaches outside the image"),
        ("0 0.5 0.01 0.1 0.1", "reaches outside the image"),
        ("0 0.5 0.5 0 0.1", "without width or height"),
        ("0 0.2 0.2 0.3 0.2 0.4 0.2", "without width or height"),
    ],
)
def test_bad_boxes_get_one_clear_error(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(LabelError, match=words):
        read_yolo(tmp_path / "a.txt", ("normal", "dicentric"), (100, 100))
    with pytest.raises(FileError, match="expected boxes in YOLO format beside the image, found no such file"):
        read_yolo(tmp_path / "b.txt", ("normal",), (10, 10))


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf0 0.5 0.5 0.2 0.4\r\n",
        "0 0.5 0.5 0.2 0.4\n".encode("utf-16"),
        b"0\t.5 5e-1  0.2 0.4\r",
        b"0 0.4 0.3 0.6 0.3 0.6 0.7 0.4 0.7\n",
        b"0.0 0.6 0.7 0.5 0.3 0.4 0.5",
    ],
)
def test_the_same_box_in_all_its_forms(tmp_path, content):
    """Byte-order mark, UTF-16, tabs, an exponent; a rectangle and a triangle as polygons."""
    (tmp_path / "a.txt").write_bytes(content)
    boxes = read_yolo(tmp_path / "a.txt", ("normal",), (10, 20))
    np.testing.assert_allclose(boxes.low, [[2.5, 7.5]])
    np.testing.assert_allclose(boxes.high, [[6.5, 11.5]])


def test_a_box_may_end_a_pixel_outside_by_rounding(tmp_path):
    (tmp_path / "a.txt").write_text("0 0.5 0.5 1.0 1.0\n0 0.501 0.5 1.0 1.0\n")
    assert read_yolo(tmp_path / "a.txt", ("normal",), (100, 100)).names == ("normal", "normal")


def test_boxes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"0 0.5 0.5 0.1 0.1\0\n")
    with pytest.raises(FileError, match="NUL bytes"):
        read_yolo(tmp_path / "a.txt", ("normal",), (10, 10))
    (tmp_path / "a.txt").write_bytes(b"0 0.5 0.5 0.1 0.1 \xe4\n")
    with pytest.raises(LabelError, match="expected five numbers"):
        read_yolo(tmp_path / "a.txt", ("normal",), (10, 10))


def test_each_box_takes_one_detection():
    assert match_boxes(np.array([[True, False], [True, False], [False, False]])) == Hits(1, 2, 1)
    assert match_boxes(np.array([[True, True], [True, False]])) == Hits(2, 0, 0)  # not greedily
    assert match_boxes(np.zeros((0, 3), bool)) == Hits(0, 0, 3)
    assert match_boxes(np.zeros((2, 0), bool)) == Hits(0, 2, 0)


def test_evaluate_with_boxes(tmp_path, random_ensemble):
    write_folder(Order(2, Exposure(3.0), seed=3, shape=(512, 512)), tmp_path / "cells")
    (tmp_path / "cells" / "S1_00000.txt").write_text("1 0.5 0.5 1.0 1.0\n")
    arguments = [
        "dosimetry",
        "evaluate",
        tmp_path / "cells",
        "--boxes",
        "normal,dicentric",
        "--out",
        tmp_path / "out",
        "--ensemble",
        random_ensemble,
        "--confidence",
        0.1,
        "--agreement",
        0,
    ]
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 3, result.output  # the second image has no boxes
    assert "1 image" in result.output and "1 of 1 boxes hit" in result.output
    assert "S1_00001.png: " in result.output
    arguments[4] = "cat,dog"
    assert "expected a class of the detector" in CliRunner().invoke(cli, [str(a) for a in arguments]).output
