"""Many samples, planning and comparing, from typed counts alone."""

import csv
import json
import math

import openpyxl
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.assays.low_dose import characteristic_limits
from cytally.dosimetry.curves.calibrate import Curve, DosePoint, calibrate
from cytally.dosimetry.laboratory.planning import plan_cells
from cytally.dosimetry.laboratory.samples import Sample, read_samples
from cytally.dosimetry.laboratory.triage import sort_samples
from cytally.errors import CountsError
from cytally.statistics.poisson import one_sample_p, two_sample_p

CURVE = {
    "format": 1,
    "coefficients": {"C": 0.001, "alpha": 0.0164, "beta": 0.0492},
    "highest_dose_gy": 5,
    "covariance": [[2e-7, 0, 0], [0, 0, 0], [0, 0, 0]],  # of 5 in 5,000 cells; all else is known
}


@pytest.fixture
def curve(tmp_path):
    path = tmp_path / "curve.json"
    path.write_text(json.dumps(CURVE))
    return path


def run(*arguments):
    return CliRunner().invoke(cli, ["dosimetry", *(str(a) for a in arguments)])


def test_samples_are_sorted_into_classes(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\nlow,500,2\nhigh,50,30\nfew,20,1\n")
    result = run(
        "triage", tmp_path / "s.csv", "--curve", curve, "--out", tmp_path / "t.csv", "--plot", tmp_path / "t.svg"
    )
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    assert [row["sample"] for row in rows] == ["high", "few", "low"]
    assert [row["class"] for row in rows] == ["above 2 Gy", "below 1 Gy", "below 1 Gy"]
    assert [row["enough"] for row in rows] == ["True", "False", "True"]
    assert "score more" in result.output
    assert (tmp_path / "t.svg").read_text().startswith("<svg")


def test_limits_tell_which_classes_are_possible(curve):
    found = sort_samples([Sample("a", 50, 5), Sample("b", 2000, 260)], Curve.load(curve))
    by_name = {one.sample.name: one for one in found}
    assert len(by_name["a"].possible) >= 2
    assert by_name["b"].possible == (by_name["b"].category,)


def test_distributions_are_read_and_checked(tmp_path):
    (tmp_path / "s.csv").write_text("sample,C0,C1,C2\nx,90,8,2\n")
    sample = read_samples(tmp_path / "s.csv")[0]
    assert (sample.cells, sample.dicentrics, sample.distribution.tolist()) == (100, 12, [90, 8, 2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sample,cells,dicentrics\na,10,1\na,20,2\n", "is there twice"),
        ("sample,cells,dicentrics\na,0,0\n", "at least one cell"),
        ("sample,cells,dicentrics\n,10,1\n", "a name in the column sample"),
        ("sample,cells,dicentrics\na,10,1.5\n", "expected a whole number .* got '1.5'"),
        ("sample,cells,dicentrics\na,10,-1\n", "expected a whole number .* got '-1'"),
        ("sample,cells,dicentrics\n", "empty table"),
        ("sample,N,C0,C1\na,12,10,1\n", "adds up to 11"),
    ],
)
def test_bad_samples_get_one_clear_error(tmp_path, text, words):
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(CountsError, match=words):
        read_samples(tmp_path / "s.csv")


def test_odds_of_the_manual(curve):
    """IAEA 2011, table 9: no dicentric in 1000 cells, 1306 : 1 against 0.25 Gy."""
    result = run("compare", "--dicentrics", 0, "--cells", 1000, "--curve", curve, "--against", 0.25)
    assert "1.31e+03 : 1 for 0 Gy" in result.output


def test_a_control_is_compared_exactly():
    result = run("compare", "--dicentrics", 4, "--cells", 500, "--control", "8,5000")
    assert "differ (exact test, p = 0.0186)" in result.output
    assert run("compare", "--dicentrics", 4, "--cells", 500).exit_code == 2


def test_a_plan_asks_for_more_cells_for_less_error(curve):
    needed = []
    for within in (0.5, 0.25, 0.1):
        output = run("plan", "--curve", curve, "--dose", 1, "--within", within).output
        needed.append(int(output.split(": ")[1].split(" cells")[0]))
    assert needed[0] < needed[1] < needed[2]


def test_laboratories_are_judged(tmp_path):
    (tmp_path / "i.csv").write_text("laboratory,value\na,2.4\nb,2.5\nc,2.6\nd,2.5\ne,4.9\n")
    result = run("interlab", tmp_path / "i.csv", "--reference", 2.5)
    assert result.output.count(" satisfactory") == 4 and "unsatisfactory" in result.output
    (tmp_path / "i.csv").write_text("laboratory,value\na,x\n")
    assert "expected a number" in run("interlab", tmp_path / "i.csv").output


def test_doses_of_many_samples_are_those_of_each_alone(tmp_path, curve):
    """A partial-body exposure in the middle: its line says so, in the table and in the CSV."""
    (tmp_path / "s.csv").write_text("sample,C0,C1,C2,C3,C4,C5\nlow,499,1,0,0,0,0\npartial,932,56,9,1,1,1\n")
    result = run("dose", "--curve", curve, "--samples", tmp_path / "s.csv", "--out", tmp_path / "d.csv")
    assert result.exit_code == 0, result.output
    rows = {row["sample"]: row for row in csv.DictReader((tmp_path / "d.csv").read_text().splitlines())}
    alone = run("dose", "--curve", curve, "--distribution", "932,56,9,1,1,1", "--json")
    told = json.loads(alone.output)
    assert float(rows["partial"]["dose_gy"]) == pytest.approx(told["dose_gy"], abs=1e-4)
    assert float(rows["partial"]["partial_dose_gy"]) == pytest.approx(told["partial"]["dose"]["value"], abs=1e-4)
    assert rows["low"]["partial_dose_gy"] == "" and "partial-body exposure" in result.output
    given = ("--curve", curve, "--json")
    as_json = json.loads(run("dose", "--samples", tmp_path / "s.csv", *given).output)
    assert as_json["left_out"] == [] and [one["sample"] for one in as_json["samples"]] == ["low", "partial"]
    assert as_json["samples"][1] == {"sample": "partial"} | told
    sorted_ = json.loads(run("triage", tmp_path / "s.csv", *given).output)
    assert sorted_["left_out"] == [] and sorted_["samples"][0].items() >= as_json["samples"][1].items()


def test_many_samples_are_compared_with_a_control(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\none,500,4\ntwo,500,0\n")
    result = run("compare", "--samples", tmp_path / "s.csv", "--control", "8,5000")
    alone = run("compare", "--dicentrics", 4, "--cells", 500, "--control", "8,5000")
    assert result.exit_code == 0 and result.output.startswith("one:\n" + alone.output + "two:\n")
    assert run("compare", "--samples", tmp_path / "s.csv", "--cells", 5, "--control", "8,5000").exit_code == 2


def test_samples_and_single_counts_are_not_mixed(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\none,500,4\n")
    both = run("dose", "--curve", curve, "--samples", tmp_path / "s.csv", "--distribution", "475,20,5")
    assert both.exit_code == 2 and "give one of" in both.output
    lone = run("dose", "--curve", curve, "--distribution", "475,20,5", "--out", tmp_path / "x.csv")
    assert lone.exit_code == 2 and "--out belongs to --samples" in lone.output


def test_triage_gives_the_partial_body_dose_where_the_counts_ask_for_it(tmp_path, curve):
    """It said "overdispersed" and left the dose out; the numbers are those of `dose`."""
    (tmp_path / "s.csv").write_text("sample,C0,C1,C2,C3,C4,C5\np,932,56,9,1,1,1\nq,90,9,1,0,0,0\n")
    result = run(
        "triage",
        tmp_path / "s.csv",
        "--curve",
        curve,
        "--out",
        tmp_path / "t.xlsx",
        "--plot",
        tmp_path / "t.png",
    )
    assert result.exit_code == 0, result.output
    told = json.loads(run("dose", "--curve", curve, "--distribution", "932,56,9,1,1,1", "--json").output)
    rows = list(openpyxl.load_workbook(tmp_path / "t.xlsx").active.iter_rows(values_only=True))
    of = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    assert of["p"]["partial_dose_gy"] == pytest.approx(told["partial"]["dose"]["value"])
    assert of["p"]["u"] == pytest.approx(told["dispersion"]["u"]) and of["p"]["partial_class"] == "above 2 Gy"
    assert of["q"]["partial_dose_gy"] is None and of["q"]["partial_class"] is None
    assert "as partial-body exposure" in result.output and "class as partial-body exposure: above 2 Gy" in result.output
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    as_json = {
        one["sample"]: one
        for one in json.loads(run("triage", tmp_path / "s.csv", "--curve", curve, "--json").output)["samples"]
    }
    assert (
        as_json["p"]["partial"]["dose"]["value"] == pytest.approx(of["p"]["partial_dose_gy"])
        and as_json["q"]["partial"] is None
    )


def test_triage_of_a_protracted_exposure(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\np,500,150\n")
    given = ["triage", tmp_path / "s.csv", "--curve", curve, "--json"]
    acute, day, quick = (
        json.loads(run(*given, *more).output)["samples"][0]
        for more in ((), ("--hours", 24), ("--hours", 24, "--repair-hours", 1))
    )
    assert acute["dose_gy"] < day["dose_gy"] < quick["dose_gy"]
    exact = json.loads(
        run("dose", "--curve", curve, "--dicentrics", 150, "--cells", 500, "--hours", 24, "--json").output
    )
    assert day["dose_gy"] == exact["dose_gy"] and "times 0.153" in run(*given[:-1], "--hours", 24).output


def test_a_count_far_from_both_doses_still_has_odds(curve):
    """ZeroDivisionError and "inf : 1" once; by hand: 2000 ln(5000/1) - 4999... of the Poisson means."""
    given = ["--cells", 1000, "--curve", curve, "--against", 5, "--json"]
    high = json.loads(run("compare", "--dicentrics", 2000, *given).output)["log_odds"]
    means = 1000 * 0.001, 1000 * (0.001 + 0.0164 * 5 + 0.0492 * 25)
    by_hand = 2000 * math.log(means[0] / means[1]) - means[0] + means[1]
    assert high == pytest.approx(by_hand, rel=1e-9)
    said = run("compare", "--dicentrics", 2000, *given[:-1]).output
    assert f"10^{-by_hand / math.log(10):.0f} : 1 for 5 Gy" in said and "inf" not in said
    said = run("compare", "--dicentrics", 0, "--cells", 10**6, *given[2:-1]).output
    assert ": 1 for 0 Gy" in said and "inf" not in said and "0 dicentrics in 1000000 cells" in said
    said = run("compare", "--dicentrics", 1, "--cells", 1, *given[2:-1]).output
    assert "given 1 dicentric in 1 cell:" in said


def test_compare_and_plan_for_programs(tmp_path, curve):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\none,500,4\ntwo,500,0\n")
    given = ["compare", "--samples", tmp_path / "s.csv", "--control", "8,5000"]
    told = json.loads(run(*given, "--json", "--out", tmp_path / "c.csv").output)["samples"]
    rows = list(csv.DictReader((tmp_path / "c.csv").read_text().splitlines()))
    assert [one["sample"] for one in told] == ["one", "two"] and float(rows[0]["p"]) == pytest.approx(
        told[0]["p"], rel=1e-5
    )
    assert int(rows[0]["threshold"]) == told[0]["limits"]["threshold"] and rows[0]["log10_odds_of_0_gy"] == ""
    plan = [
        "plan",
        "--curve",
        curve,
        "--dose",
        0.5,
        "--out",
        tmp_path / "p.csv",
        "--plot",
        tmp_path / "p.svg",
    ]
    told = json.loads(run(*plan, "--json").output)
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert [int(row["threshold"]) for row in rows] == [one["threshold"] for one in told["plan"]]
    assert told["cells_needed"] > 50 and (tmp_path / "p.svg").read_text().startswith("<svg")
    said = run(*plan).output
    assert "background: 0.00100 +- 0.00045 dicentrics per cell, whose own uncertainty is carried" in said
    assert "reaches below 0 Gy" in run("plan", "--curve", curve, "--dose", 1, "--within", 2).output
    each = json.loads(
        run("plan", "--curve", curve, "--samples", tmp_path / "s.csv", "--json", "--out", tmp_path / "e.xlsx").output
    )["samples"]
    assert each[0]["cells_more"] == max(each[0]["cells_needed"] - 500, 0) and (tmp_path / "e.xlsx").is_file()
    for within in ("nan", "0", "inf"):
        assert run("plan", "--curve", curve, "--within", within).exit_code == 2
    lone = run("compare", "--dicentrics", 1, "--cells", 9, "--control", "1,50", "--against", 1)
    assert lone.exit_code == 2 and "--curve and --against belong together" in lone.output


def test_the_threshold_carries_the_controls_own_uncertainty(tmp_path):
    """No dicentric in 1000 controls: one in 3000 cells is no proof of an exposure, though C is 0."""
    counts = ((0, 1000, 0), (0.5, 2000, 55), (1, 1168, 109), (2, 333, 103))
    calibrate([DosePoint(*one) for one in counts]).save(tmp_path / "z.json")
    planned = json.loads(run("plan", "--curve", tmp_path / "z.json", "--json").output)["plan"][-1]
    assert planned["cells"] == 3000 and planned["threshold"] >= 5


def test_plan_compare_and_dose_agree_on_what_is_above_the_background(tmp_path):
    """None in 1,000 unexposed cells: Fisher's test of 5 and 0 of 1,000 each gives p = 0.0625, of 6 p = 0.031."""
    counts = ((0, 1000, 0), (0.5, 2000, 55), (1, 1168, 109), (2, 333, 103))
    path = tmp_path / "z.json"
    calibrate([DosePoint(*one) for one in counts]).save(path)
    planned = {one["cells"]: one for one in json.loads(run("plan", "--curve", path, "--json").output)["plan"]}
    held = run("compare", "--dicentrics", 3, "--cells", 1000, "--control", "0,1000").output
    assert planned[1000]["threshold"] == 5 and "more than 5 dicentrics are above the control" in held
    assert "0 dicentrics in 1000 unexposed cells of the curve (exact test" in " ".join(
        run("plan", "--curve", path).output.split()
    )
    assert "not distinguishable" in run("dose", "--curve", path, "--dicentrics", 3, "--cells", 1000).output


@pytest.mark.parametrize("rate", ["1e9", "1.01", "-0.1", "nan"])
def test_more_false_dicentrics_than_cells_are_no_rate_of_a_plan(curve, rate):
    assert run("plan", "--curve", curve, "--false-rate", rate).exit_code == 2
    with pytest.raises(CountsError, match="expected 0 to 1 false dicentrics per cell"):
        plan_cells(1.0, Curve.load(curve), false_rate=float(rate))


def test_a_threshold_is_found_step_by_step_or_by_halves():
    """Against the plain search, one count after the other, for both tests."""
    for cells, control in ((1000, (0, 1000)), (50, (8, 5000)), (3000, (150, 1000)), (200, (0, 10))):
        found, slow = characteristic_limits(cells, control).threshold, int(control[0] / control[1] * cells)
        while two_sample_p(slow + 1, cells, *control) >= 0.05:
            slow += 1
        assert found == slow
    for mean, variance in ((1.5, 4.5), (300.0, 0.0), (2000.0, 9e4)):
        found, slow = characteristic_limits(1, mean, variance=variance).threshold, int(mean)
        while one_sample_p(slow + 1, mean, variance) >= 0.05:
            slow += 1
        assert found == slow


def test_a_plan_says_that_a_background_is_extrapolated(tmp_path):
    path = tmp_path / "b.json"
    calibrate([DosePoint(0.5, 1000, 10), DosePoint(1, 1000, 60), DosePoint(2, 1000, 250)]).save(path)
    assert "extrapolated from 0.5 Gy" in " ".join(run("plan", "--curve", path).output.split())


@pytest.mark.parametrize(
    "given",
    [
        ("triage", "S", "--curve", "C"),
        ("dose", "--samples", "S", "--curve", "C"),
        ("plan", "--curve", "C"),
        ("plan", "--curve", "C", "--samples", "S"),
        ("compare", "--samples", "S", "--control", "8,5000"),
        ("interlab", "I"),
    ],
)
def test_a_table_that_cannot_be_written_loses_no_result(tmp_path, curve, given, monkeypatch):
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\none,500,4\n")
    (tmp_path / "i.csv").write_text("laboratory,value\none,1.2\nb,1.3\nc,1.5\n")
    files = {"S": tmp_path / "s.csv", "C": curve, "I": tmp_path / "i.csv"}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cytally.files.atomic.os.replace", full)
    result = run(*(files.get(word, word) for word in given), "--out", tmp_path / "t.csv")
    assert result.exit_code == 1 and "cannot be written" in result.output
    assert "500" in result.output or "one " in result.output
