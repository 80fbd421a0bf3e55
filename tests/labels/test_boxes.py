import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli import training  # noqa: F401  (joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.errors import LabelError
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


@pytest.mark.parametrize(("text", "words"), [
    ("1 0.5 0.5 0.1", "five numbers"), ("a b c d e", "five numbers"), ("2 0.5 0.5 0.1 0.1", "a class from 0 to 1"),
    ("0 1.5 0.5 0.1 0.1", "fractions of the image"), ("0.5 0.5 0.5 0.1 0.1", "a class from"),
])  # fmt: skip
def test_bad_boxes_get_one_clear_error(tmp_path, text, words):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(LabelError, match=words):
        read_yolo(tmp_path / "a.txt", ("normal", "dicentric"), (10, 10))
    with pytest.raises(LabelError, match="found no such file"):
        read_yolo(tmp_path / "b.txt", ("normal",), (10, 10))


def test_each_box_takes_one_detection():
    assert match_boxes(np.array([[True, False], [True, False], [False, False]])) == Hits(1, 2, 1)
    assert match_boxes(np.array([[True, True], [True, False]])) == Hits(2, 0, 0)  # not greedily
    assert match_boxes(np.zeros((0, 3), bool)) == Hits(0, 0, 3)
    assert match_boxes(np.zeros((2, 0), bool)) == Hits(0, 2, 0)


def test_evaluate_with_boxes(tmp_path, random_ensemble):
    write_folder(Order(2, Exposure(3.0), seed=3, shape=(512, 512)), tmp_path / "cells")
    (tmp_path / "cells" / "S1_00000.txt").write_text("1 0.5 0.5 1.0 1.0\n")
    arguments = ["dosimetry", "evaluate", tmp_path / "cells", "--boxes", "normal,dicentric", "--out", tmp_path / "out",
                 "--ensemble", random_ensemble, "--confidence", 0.1, "--agreement", 0]  # fmt: skip
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 3, result.output  # the second image has no boxes
    assert "1 images" in result.output and "1 of 1 boxes hit" in result.output
    assert "S1_00001.png: " in result.output
    arguments[4] = "cat,dog"
    assert "expected a class of the ensemble" in CliRunner().invoke(cli, [str(a) for a in arguments]).output
