"""evaluation.csv -> a detector's errors."""

import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.laboratory.validation import read_validation
from cytally.errors import CountsError

TABLE = """dose_gy,cells,class,true,false,missed,precision,recall,false_per_cell
0,3000,dicentric,3,20,1,0.1,0.7,0.007
0,3000,fragment,5,90,4,0.05,0.5,0.03
2,200,dicentric,49,1,10,0.98,0.83,0.005
4,200,dicentric,192,8,26,0.96,0.88,0.04
4,200,fragment,300,20,60,0.9,0.8,0.1
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "evaluation.csv"
    path.write_text(TABLE)
    return path


def test_silent_and_exposed_cells_are_told_apart(table):
    assert read_validation(table) == DetectorErrors(241, 36, 20, 3000, 9, 400)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("\n0,3000,dicentric", "\nunknown,3000,dicentric"), "expected a dose"),
        (("\n0,3000,dicentric", "\n1,3000,dicentric"), "got 0 silent and 3400 exposed cells"),
        (
            ("3000,dicentric,3,20", "3000,dicentric,3,1e3"),
            "line 2: expected a whole number .* in false, got '1e3'",
        ),
        (("dicentric", "ring"), "got 0 silent and 0 exposed cells"),
        (("true,false", "hits,false"), "missing true; found"),
        (("\n0,3000,dicentric", "\nnone,3000,dicentric"), "line 2: expected a number in dose_gy, got 'none'"),
    ],
)
def test_other_tables_are_refused(table, change, words):
    table.write_text(TABLE.replace(*change))
    with pytest.raises(CountsError, match=words):
        read_validation(table)


def test_the_command_takes_the_table_or_typed_numbers(table, tmp_path):
    curve = tmp_path / "curve.json"
    runner = CliRunner()
    made = runner.invoke(
        cli, ["dosimetry", "curve", "0.001,0.02,0.06", "--errors", "0.0005,0.005,0.004", "--out", str(curve)]
    )
    assert made.exit_code == 0, made.output
    count = ["dosimetry", "dose", "--curve", str(curve), "--dicentrics", "60", "--cells", "300"]
    read = runner.invoke(cli, [*count, "--validation", str(table)])
    typed = runner.invoke(cli, [*count, "--recall", "241,36", "--false", "20,3000", "--beside", "9,400"])
    assert read.exit_code == 0 and read.output == typed.output
    plain = runner.invoke(cli, [*count, "--recall", "241,36", "--false", "20,3000"])
    assert plain.exit_code == 0 and plain.output != typed.output
    both = runner.invoke(cli, [*count, "--validation", str(table), "--recall", "1,1"])
    assert both.exit_code == 2 and "not both" in both.output
