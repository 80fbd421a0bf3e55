"""What a training leaves on disk, read back."""

import pytest

from cytally.errors import FileError
from cytally.training.checkpoints import read_curves


def test_curves_are_numbers_and_a_loss_may_be_nan(tmp_path):
    (tmp_path / "curves.csv").write_text("epoch,loss,validation\n1,0.5,nan\n2,1e-3,0.25\n")
    assert read_curves(tmp_path / "curves.csv") == [
        {"epoch": "1", "loss": "0.5", "validation": "nan"}, {"epoch": "2", "loss": "1e-3", "validation": "0.25"},
    ]  # fmt: skip
    (tmp_path / "curves.csv").write_text("epoch,loss\n")
    assert read_curves(tmp_path / "curves.csv") == []


@pytest.mark.parametrize(("text", "words"), [
    ("epoch,loss\n1,low\n", "line 2: expected numbers only"), ("epoch,loss\n1.5,0.1\n", "expected a whole number .* in epoch"),
    ("epoch,loss\n1\n", "line 2: expected 2 columns, got 1"), ("step,loss\n1,0.1\n", "missing epoch|expected a line of headings"),
    ("", "got an empty table"),
])  # fmt: skip
def test_damaged_curves_are_refused(tmp_path, text, words):
    (tmp_path / "curves.csv").write_text(text)
    with pytest.raises(FileError, match=words):
        read_curves(tmp_path / "curves.csv")
