"""Several runs -> counts at known doses."""

import json

import pytest

from cytally.dosimetry.calibrate import DosePoint
from cytally.dosimetry.laboratory.series import points_of
from cytally.errors import CountsError, FileError

HEAD = "image,status,dicentrics,fragments,objects,scale,sample,dose_gy,sha256\n"
LINES = "'=a.png,scored,1,0,46,1.0,S,2,ab\nb.png,scored,0,0,46,1.0,S,2,ab\nc.png,skipped: no,,,0,1.0,S,,ab\nd.png,scored,0,0,46,1.0,S,0,ab\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"detector": "abc"}}))
    (tmp_path / "cells.csv").write_text(HEAD + LINES)
    return tmp_path


def test_cells_and_dicentrics_by_dose(run):
    assert points_of([run]) == ([DosePoint(0, 1, 0), DosePoint(2, 2, 1)], "abc")


@pytest.mark.parametrize(("content", "error", "words"), [
    ((HEAD + LINES).replace("status", "state"), CountsError, "missing status"),
    ((HEAD + LINES).replace(",2,ab", ",,ab"), CountsError, "dose of =a.png is not known"),
    ((HEAD + LINES).replace("scored,1", "scored,one"), CountsError, "line 2: expected a whole number .* in dicentrics, got 'one'"),
    ((HEAD + LINES).replace("scored,1", "scorxd,1"), CountsError, "expected a status 'scored' or 'skipped: ...', got 'scorxd'"),
    ((HEAD + LINES).replace(",2,ab", ",2000,ab"), CountsError, "looks like mGy or cGy"),
    ((HEAD + LINES).replace(",0,ab", ""), CountsError, "line 5: expected 9 columns, got 7"),
    ((HEAD + LINES).replace("b.png", '"b.png'), FileError, "line 3: .*is a quote not closed"),
])  # fmt: skip
def test_a_damaged_table_of_a_run_is_refused(run, content, error, words):
    (run / "cells.csv").write_text(content)
    with pytest.raises(error, match=words):
        points_of([run])


def test_runs_know_their_unit(run):
    with pytest.raises(CountsError, match="doses of runs are in Gy"):
        points_of([run], "mgy")
