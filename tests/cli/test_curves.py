"""`calibrate`, `curve`, and the doses read from them, as people type them."""

import json

import pytest
from click.testing import CliRunner

from cytally.cli.main import cli

ZERO = """dose_gy,cells,dicentrics
0,1000,0
0.1,1000,0
0.25,1000,5
0.5,800,14
1,500,37
2,200,57
3,120,70
4,80,81
"""
OVER = """D,C0,C1,C2,C3,C4
0,4990,10,0,0,0
1,900,40,20,10,5
2,300,50,30,20,10
3,150,40,30,20,20
"""
IAEA = (
    "curve",
    "0.00128,0.02103,0.06307",
    "--errors",
    "0.00047,0.00516,0.00401",
    "--covariances=-9.95e-7,4.38e-7,-1.512e-5",
)


def call(*arguments, code=0):
    result = CliRunner().invoke(cli, ["dosimetry", *(str(a) for a in arguments)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def zero(tmp_path):
    (tmp_path / "zero.csv").write_text(ZERO)
    call("calibrate", tmp_path / "zero.csv", "--out", tmp_path / "zero.json")
    return tmp_path / "zero.json"


@pytest.fixture
def iaea(tmp_path):
    call(*IAEA, "--highest-dose", 5, "--out", tmp_path / "iaea.json")
    return tmp_path / "iaea.json"


def test_a_background_at_its_bound_is_printed_as_one_and_carried(zero):
    said = call("calibrate", zero.with_suffix(".csv"), "--out", zero)
    assert "C 0.00000 held at 0 by the fit" in said and "held at 0: C" in said and "6 degrees of freedom" in said
    assert "no aberration in 1000 unexposed cells" in said
    found = json.loads(call("dose", "--curve", zero, "--dicentrics", 1, "--cells", 1000, "--json"))
    assert found["lower_gy"] == 0 and found["merkle"][0] == 0
    assert "not distinguishable" in call("dose", "--curve", zero, "--dicentrics", 1, "--cells", 1000)


def test_a_plan_carries_the_controls(zero, iaea):
    thresholds = [int(line.split()[-1]) for line in call("plan", "--curve", zero).splitlines()[2:]]
    assert thresholds[-1] >= 3  # of 3,000 cells: with a background of exactly 0 it would be 0
    assert call("plan", "--curve", iaea).splitlines()[-1].split()[-1] != "0"


def test_a_control_is_a_sample_too():
    """1 and 0 in 1,000 each: p = 1. 6 and 0: 2 / 2^6 = .031."""
    said = call("compare", "--dicentrics", 1, "--cells", 1000, "--control", "0,1000")
    assert "do not differ significantly (exact test, p = 1)" in said and "more than 5 dicentrics" in said
    assert "p = 0.0312" in call("compare", "--dicentrics", 6, "--cells", 1000, "--control", "0,1000")


def test_odds_beyond_floating_point_are_printed(iaea):
    given = ("--curve", iaea, "--against", 5)
    assert "10^5507 : 1 for 5 Gy" in call("compare", "--dicentrics", 2000, "--cells", 1000, *given)
    assert " : 1 for 0 Gy" in call("compare", "--dicentrics", 0, "--cells", 100_000, *given)


def test_dispersion_and_fit_per_dose_are_printed_and_kept(tmp_path):
    (tmp_path / "over.csv").write_text(OVER)
    said = call("calibrate", tmp_path / "over.csv", "--out", tmp_path / "o.json")
    assert "1     975   130   0.13333   0.27995    2.10   24.36    135.92     -0.51" in said
    assert "AIC 34.37" in said and "correlations: C, alpha -0.041; C, beta 0.020; alpha, beta -0.905" in said
    assert "overdispersed over the cells: 1 Gy (u = 24.36)" in said and "1 degree of freedom" in said
    kept = json.loads(call("calibrate", tmp_path / "over.csv", "--out", tmp_path / "o.json", "--json"))
    assert kept["statistics"]["per_dose"][1]["u"] == pytest.approx(24.36, abs=0.01)
    assert kept["statistics"]["aic"] == pytest.approx(34.37, abs=0.01)
    assert kept["data"][1]["distribution"] == [900, 40, 20, 10, 5]
    assert "errors Poisson's" in call("dose", "--curve", tmp_path / "o.json", "--dicentrics", 10, "--cells", 500)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            "dose_gy,cells,dicentrics\n0,1000,50\n1,1000,30\n2,500,10\n",
            "expected a yield that grows with dose, got 0.05 at 0 Gy",
        ),
        ("dose_gy,dicentrics,cells\n0,5000,8\n1,2000,38\n2,900,91\n", "are the two swapped"),
    ],
)
def test_a_table_that_is_no_calibration_leaves_no_file(tmp_path, table, words):
    (tmp_path / "c.csv").write_text(table)
    assert words in call("calibrate", tmp_path / "c.csv", "--out", tmp_path / "c.json", code=1)
    assert not (tmp_path / "c.json").exists()


def test_a_published_line_takes_two_numbers(tmp_path):
    out = tmp_path / "n.json"
    said = call("curve", "0.0005,0.83", "--errors", "0.0003,0.02", "--highest-dose", 2, "--out", out)
    assert "beta" not in said and "linear, as published" in said
    assert "beyond the calibrated range (up to 2 Gy)" in call(
        "dose", "--curve", out, "--dicentrics", 250, "--cells", 100
    )


def test_a_range_is_kept_and_its_absence_said(tmp_path, iaea):
    given = ("--dicentrics", 900, "--cells", 50)
    assert "note: beyond the calibrated range (up to 5 Gy)" in call("dose", "--curve", iaea, *given)
    call(*IAEA, "--out", tmp_path / "no.json")
    assert "nothing can be said about extrapolation" in call("dose", "--curve", tmp_path / "no.json", *given)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nan,0.02,0.06", "--errors", "0,0,0"), 2, "COEFFICIENTS: expected three numbers such as"),
        (("0.001", "--errors", "0"), 2, "or two such as 0.001,0.8 for a linear curve, got '0.001'"),
        (("0.001,0.02,0.06", "--errors", "0,0"), 1, "got 3 and 2 numbers"),
        (("0.001,0.02,0.06", "--errors", "0,0,0", "--covariances", "1,2"), 2, "--covariances: expected three numbers"),
        (("0.001,0.02,0.06", "--errors", "0,0,0", "--highest-dose", "nan"), 2, "expected a finite number, got nan"),
        (("0.001,-0.02,0.06", "--errors", "0,0,0"), 1, "expected coefficients and errors >= 0"),
    ],
)
def test_a_curve_typed_wrongly_leaves_no_file(tmp_path, arguments, code, words):
    assert words in " ".join(call("curve", *arguments, "--out", tmp_path / "c.json", code=code).split())
    assert not (tmp_path / "c.json").exists()


def test_a_partial_dose_on_demand(tmp_path, iaea):
    said = call("dose", "--curve", iaea, "--distribution", "475,25", "--partial")
    assert "as partial-body exposure (profile likelihood): 0.73 Gy" in said and "the whole body is not excluded" in said
    both = call("dose", "--curve", iaea, "--distribution", "400,70,24,5,1", "--partial")
    assert "as partial-body exposure (Dolphin): 3.0" in both and "(profile likelihood): 3.0" in both
    assert "not estimable (it takes the distribution" in call(
        "dose", "--curve", iaea, "--dicentrics", 25, "--cells", 500, "--partial"
    )
    (tmp_path / "s.csv").write_text("sample,C0,C1,C2,C3,C4\nS22,400,70,24,5,1\n")
    table = call("triage", tmp_path / "s.csv", "--curve", iaea, "--partial", "--out", tmp_path / "t.csv")
    assert "(Dolphin)" in table and "(profile likelihood)" in table
    assert "partial_dose_gy" in (tmp_path / "t.csv").read_text()


def test_repair_time_and_prior_are_asked_for(iaea):
    given = ("dose", "--curve", iaea, "--dicentrics", 157, "--cells", 688, "--hours", 7)
    two, four = (json.loads(call(*given, "--repair-hours", hours, "--json")) for hours in (2, 4))
    assert two["protraction"] == pytest.approx(0.413, abs=5e-4) and four["protraction"] > two["protraction"]
    flat = ("dose", "--curve", iaea, "--dicentrics", 3, "--cells", 50, "--method", "bayes")
    assert "gamma prior of shape 2 and mean 1 Gy on the dose" in call(*flat, "--prior", "gamma:2,1")
    assert "flat prior up to 1 Gy" in call(*flat, "--prior", "uniform:1")
    assert call(*flat, "--prior", "uniform") == call(*flat)


@pytest.mark.parametrize("prior", ["normal", "gamma:2", "uniform:x", "uniform:", "gamma:1,2,3"])
def test_a_prior_of_another_form_is_refused(iaea, prior):
    said = call(
        "dose",
        "--curve",
        iaea,
        "--dicentrics",
        3,
        "--cells",
        50,
        "--method",
        "bayes",
        "--prior",
        prior,
        code=1,
    )
    assert "expected a prior uniform, uniform:5 (up to 5 Gy) or gamma:2,1.5" in " ".join(said.split())


def test_a_count_beyond_every_dose_is_one_sentence(tmp_path):
    weak = tmp_path / "weak.json"
    call("curve", "0.0005,0.01", "--errors", "0.0003,0.001", "--highest-dose", 5, "--out", weak)
    said = call("dose", "--curve", weak, "--dicentrics", 20, "--cells", 1, code=1)
    assert "20 dicentrics in 1 cell are more than the curve can explain up to 100 Gy" in said


@pytest.mark.parametrize(
    "numbers",
    [
        ("0.128,2.103,6.307", "0.047,0.516,0.401"),
        ("2.1,6.3,0.1", "0.5,0.4,0.05"),
        ("0.06307,0.02103,0.00128", "0.004,0.005,0.0005"),
        ("0.83,0.0005", "0.02,0.0003"),
    ],
)
def test_coefficients_per_hundred_cells_or_in_another_order_are_asked_about(tmp_path, numbers):
    given = ("curve", numbers[0], "--errors", numbers[1], "--highest-dose", 5, "--out", tmp_path / "c.json")
    said = " ".join(call(*given, code=2).split())
    assert "are these C,alpha,beta in this order, and per cell, not per 100 cells? Then add --per-cell" in said
    assert not (tmp_path / "c.json").exists()
    call(*given, "--per-cell")


def test_negative_coefficients_are_numbers_not_options(tmp_path):
    given = ("--errors", "0.0005,0.005,0.004", "--out", tmp_path / "c.json")
    assert "expected coefficients and errors >= 0" in call("curve", "-0.001,0.02,0.06", *given, code=1)


def test_doses_in_another_unit_than_was_said_give_no_curve(tmp_path):
    rows = "0,5000,8\n50,2002,55\n100,1168,109\n200,333,103\n300,193,108\n400,103,103\n500,59,107\n"
    (tmp_path / "c.csv").write_text("dose,cells,dicentrics\n" + rows)
    given = ("calibrate", tmp_path / "c.csv", "--out", tmp_path / "c.json", "--dose-unit")
    said = call(*given, "mgy", code=1)
    assert "the counts give" in said and "beta" in said and "are the doses in the unit that --dose-unit says" in said
    assert not (tmp_path / "c.json").exists()
    call(*given, "cgy")


def test_what_calibrate_prints_can_be_read(tmp_path):
    rows = ["0,1000000,1600", "1,1000000,93000", "2,1000000,310000"]
    (tmp_path / "c.csv").write_text("\n".join(["dose_gy,cells,dicentrics", *rows]) + "\n")
    said = call("calibrate", tmp_path / "c.csv", "--out", tmp_path / "c.json")
    assert "0 degrees of freedom, so that nothing says how well it fits" in said and "nan" not in said
    assert ["2", "1000000", "310000", "0.31000"] in [line.split()[:4] for line in said.splitlines()]
    (tmp_path / "c.csv").write_text("\n".join(["dose_gy,cells,dicentrics", *rows, "3,1000000,350000"]) + "\n")
    said = call("calibrate", tmp_path / "c.csv", "--out", tmp_path / "c.json")
    assert "1 degree of freedom, p < 0.001;" in said and "1 degrees" not in said and "p = 0.000" not in said


def test_a_table_pasted_twice_is_asked_about(tmp_path):
    rows = "0,5000,8\n0.5,2002,55\n1,1168,109\n2,333,103\n"
    (tmp_path / "c.csv").write_text("dose_gy,cells,dicentrics\n" + rows + rows)
    given = ("calibrate", tmp_path / "c.csv", "--out", tmp_path / "c.json")
    said = call(*given, code=1)
    assert "line 6: 4 lines from here are the same as those from line 2, in every column; delete them" in said
    (tmp_path / "c.csv").write_text("dose_gy,cells,dicentrics\n" + rows + "2,333,103\n0.5,2002,55\n")
    call(*given)  # two replicates that are alike
    donors = [row + f",{name}" for name in "AB" for row in rows.split()]
    (tmp_path / "c.csv").write_text("\n".join(["dose_gy,cells,dicentrics,donor", *donors]) + "\n")
    call(*given)
