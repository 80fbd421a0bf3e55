"""Several curves, exercises and plans from one table; other aberrations; weights."""

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import Curve, DosePoint, calibrate
from cytally.dosimetry.curves.fit import fit_curve
from cytally.dosimetry.estimation.dose import DoseSettings, Totals, dose_of_counts
from cytally.dosimetry.laboratory.exercise import (
    ExerciseSample,
    compare_laboratories,
    read_exercise,
    read_exercise_table,
)
from cytally.dosimetry.laboratory.tables import read_counts, read_counts_by
from cytally.errors import CountsError
from cytally.statistics.robust import q_hampel, z_scores
from cytally.types import Counts

LINES = [(0, 5000, 8), (0.5, 2002, 55), (1, 1168, 109), (2, 332, 103), (4, 103, 103)]


def run(*words):
    done = CliRunner().invoke(cli, ["dosimetry", *map(str, words)])
    return done.exit_code, done.output


@pytest.fixture
def donors(tmp_path):
    rows = [f"{name},{d},{n},{x * factor}" for name, factor in (("A", 1), ("B", 2)) for d, n, x in LINES]
    path = tmp_path / "donors.csv"
    path.write_text("\n".join(["donor,dose_gy,cells,dicentrics", *rows]) + "\n")
    return path


def test_each_donor_gets_the_curve_of_its_own_lines(donors, tmp_path):
    code, said = run("calibrate", donors, "--by", "donor", "--out", tmp_path / "curves")
    assert code == 0 and "A" in said and "B" in said
    alone = calibrate([DosePoint(*line) for line in LINES])
    one, two = (Curve.load(tmp_path / "curves" / f"{name}.json") for name in "AB")
    np.testing.assert_allclose(one.coefficients, alone.coefficients, rtol=1e-12)
    np.testing.assert_allclose(two.coefficients, 2 * alone.coefficients, rtol=1e-6)  # twice as many everywhere


def test_a_line_without_a_donor_and_names_that_are_no_files(donors, tmp_path):
    with pytest.raises(CountsError, match="expected a column clinic, found the headings 'donor', 'dose_gy'"):
        read_counts_by(donors, "clinic")
    assert list(read_counts_by(donors, "Donor")) == ["A", "B"]
    whole = donors.read_text()
    donors.write_text(whole.replace("A,0.5", ",0.5"))
    with pytest.raises(CountsError, match="line 3: expected a name in the column donor, found none"):
        read_counts_by(donors, "donor")
    donors.write_text(whole)
    donors.write_text(donors.read_text().replace("A,", "../A,"))
    code, said = run("calibrate", donors, "--by", "donor", "--out", tmp_path / "curves")
    assert code == 2 and "expected names that can be file names" in said and not (tmp_path / "curves").exists()


def test_weights_are_those_of_the_fit(tmp_path):
    weights = [1, 0.5, 1, 0.8, 0.7]
    rows = [f"{d},{n},{x},{w}" for (d, n, x), w in zip(LINES, weights, strict=True)]
    (tmp_path / "c.csv").write_text("\n".join(["dose_gy,cells,dicentrics,weight", *rows]) + "\n")
    curve = calibrate(read_counts(tmp_path / "c.csv"))
    direct = fit_curve(*np.array(LINES, float).T, weights=np.array(weights))
    np.testing.assert_allclose(curve.coefficients, direct.coefficients, rtol=1e-12)
    curve.save(tmp_path / "c.json")
    assert [p.weight for p in Curve.load(tmp_path / "c.json").points] == weights
    (tmp_path / "c.csv").write_text("dose_gy,cells,dicentrics,weight\n0,100,1,-2\n")
    with pytest.raises(CountsError, match="expected a weight above 0"):
        read_counts(tmp_path / "c.csv")


def test_micronuclei_are_counted_on_a_curve_of_micronuclei(tmp_path):
    rows = "\n".join(f"{d},{n},{x}" for d, n, x in LINES)
    (tmp_path / "mn.csv").write_text("dose_gy,cells,micronuclei\n" + rows + "\n")
    code, _ = run("calibrate", tmp_path / "mn.csv", "--aberration", "micronuclei", "--out", tmp_path / "mn.json")
    curve = Curve.load(tmp_path / "mn.json")
    assert code == 0 and curve.aberration == "micronuclei"
    assert str(dose_of_counts(Totals(25, 500), curve)).endswith("500 cells, 25 micronuclei")
    with pytest.raises(CountsError, match="the curve is for micronuclei, the run counted dicentrics"):
        dose_of_counts(
            Counts({"dicentric": np.array([0, 1]), "fragment": np.zeros(2, int)}),
            curve,
            DoseSettings(any_detector=True),
        )


def test_what_samples_still_need(tmp_path):
    calibrate([DosePoint(*line) for line in LINES]).save(tmp_path / "c.json")
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\nP1,50,5\nP2,2000,180\n")
    code, said = run("plan", "--curve", tmp_path / "c.json", "--samples", tmp_path / "s.csv")
    first, second = (line.split() for line in said.splitlines()[1:])
    assert code == 0 and int(first[-1]) == int(first[-2]) - 50 > 0 and second[-1] == "0"


def test_an_exercise_of_two_samples(tmp_path):
    rows = [
        f"{s},{lab},{v},{ref}"
        for s, ref, vs in (("X", 1.3, (1.2, 1.3, 1.4)), ("Y", 3.5, (3.4, 3.5, 5.0)))
        for lab, v in zip("abc", vs, strict=True)
    ]
    path = tmp_path / "e.csv"
    path.write_text("\n".join(["sample,laboratory,value,reference", *rows]) + "\n")
    one, two = read_exercise(path)
    assert (one.name, one.reference, one.values.tolist()) == ("X", 1.3, [1.2, 1.3, 1.4])
    assert two.laboratories == ("a", "b", "c") and two.reference == 3.5
    code, said = run("interlab", path)
    assert code == 0 and said.count("3 laboratories") == 2 and "sample Y" in said
    path.write_text(path.read_text().replace("Y,b,3.5,3.5", "Y,b,3.5,3.6"))
    with pytest.raises(CountsError, match="expected one reference per sample"):
        read_exercise(path)
    path.write_text("laboratory,value\na,many\n")
    with pytest.raises(CountsError, match="line 2: expected a number in value, got 'many'"):
        read_exercise(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("laboratory,value\na,nan\n", "got 'nan'; a finite number"),
        ("laboratory,value\na,-1\n", "it cannot be below 0"),
        ("laboratory,value\na,1\na,2\n", "line 3: 'a' is there twice"),
        ("laboratory,value\na,1\nb,2\nMean,1.5\n", "line 4: is a line of totals or means"),
        ("Lab;Dose (mGy)\na;1000\n", "expected doses in Gy, but a heading is 'Dose .mGy.'"),
        ("laboratory\na\n", "missing value"),
    ],
)
def test_an_exercise_that_makes_no_sense_is_refused(tmp_path, text, words):
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(CountsError, match=words):
        read_exercise(tmp_path / "e.csv")


def test_an_exercise_with_the_headings_of_a_laboratory(tmp_path):
    (tmp_path / "e.csv").write_text(
        "\ufeffExercise 2026;;\nLab;Sample ID;Dose (Gy)\nA;S1;2,5\nB;S1;2,4\n", encoding="utf-8"
    )
    (one,) = read_exercise(tmp_path / "e.csv")
    assert (one.name, one.laboratories, one.values.tolist()) == ("S1", ("A", "B"), [2.5, 2.4])


def test_a_curve_written_before_knew_only_dicentrics(tmp_path):
    curve = calibrate([DosePoint(*line) for line in LINES])
    curve.save(tmp_path / "c.json")
    stored = json.loads((tmp_path / "c.json").read_text())
    del stored["aberration"]
    for point in stored["data"]:
        del point["weight"]
    (tmp_path / "c.json").write_text(json.dumps(stored))
    old = Curve.load(tmp_path / "c.json")
    assert old.aberration == "dicentrics" and old.points == curve.points


def test_a_sample_without_scatter_ends_no_exercise(tmp_path):
    """Three of four laboratories say 0 of an unexposed sample: said, and the next sample still has its scores."""
    path = tmp_path / "e.csv"
    lines = [
        "sample,reference,laboratory,value",
        *(f"S0,0,{lab},{v}" for lab, v in zip("ABCD", (0, 0, 0.1, 0), strict=True)),
    ]
    lines += [f"S1,2.5,{lab},{v}" for lab, v in zip("ABCD", (2.4, 2.6, 2.3, 2.7), strict=True)]
    lines += [
        "S2,,A,1.0",
        "S2,,B,1.1",
        *(f"S3,,{lab},{v}" for lab, v in zip("ABCD", (0.1, 0.1, 0.3, 0.1), strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n")
    code, said = run("interlab", path, "--plot", tmp_path / "z.svg", "--out", tmp_path / "z.csv")
    assert code == 0, said
    parts = said.split("\n\n")
    assert "coincide" in parts[0] and "satisfactory" not in parts[0] and "satisfactory" in parts[1]
    assert "they take 3 laboratories, and there are 2" in parts[2] and "coincide" in parts[3]
    assert "reference 2.500" in parts[1] and "(not used)" in parts[1] and "reference" not in parts[3]
    code, told = run("interlab", path, "--json")
    told = json.loads(told)["samples"]
    alone = z_scores(np.array([2.4, 2.6, 2.3, 2.7]), reference=2.5)
    assert [one["z"] for one in told[1]["laboratories"]] == pytest.approx(alone.tolist())
    assert told[1]["compared_with"] == 2.5 and told[0]["laboratories"][2]["z"] is None and "coincide" in told[0]["note"]
    rows = list(csv.DictReader((tmp_path / "z.csv").read_text().splitlines()))
    assert [row["z"] != "" for row in rows] == [False] * 4 + [True] * 4 + [False] * 6
    assert (tmp_path / "z.svg").read_text().startswith("<svg")


def test_the_q_method_takes_differences_of_rounding_for_none():
    exact, rounded = (q_hampel(np.array([0.3, other, 0.3, other, 0.9])) for other in (0.3, 0.1 + 0.2))
    assert (rounded.location, rounded.scale) == pytest.approx((exact.location, exact.scale))


@pytest.mark.parametrize("algorithm", ["A", "B"])
def test_values_that_coincide_but_for_rounding_give_no_scores_by_any_algorithm(algorithm):
    """0.1 + 0.2 is not 0.3: a scatter of 1e-17 would make a z score of 1e16."""
    sample = ExerciseSample("", tuple("abcde"), np.array([0.3, 0.1 + 0.2, 0.3, 0.1 + 0.2, 0.9]), None)
    found = compare_laboratories(sample, algorithm)
    assert "coincide" in found.reason and np.isnan(found.z).all()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["A,1", "B,nan", "C,2"], "expected a number in value, got 'nan'"),
        (["A,1", "B,inf", "C,2"], "got 'inf'"),
        (["A,1", "B,3", "A,2"], "'A' is there twice"),
    ],
)
def test_a_table_of_an_exercise_that_contradicts_itself(tmp_path, lines, said):
    (tmp_path / "e.csv").write_text("\n".join(["laboratory,value", *lines]) + "\n")
    with pytest.raises(CountsError, match=said):
        read_exercise(tmp_path / "e.csv")


def test_one_bad_line_costs_no_exercise(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("Labor;Dosis\nA;2,1\nB;2200\nC;1,9\nD;2,0\nE;n.d.\nF;<0,1\nG;2,2\nG;2,3\nMittelwert;2,0\n")
    found = read_exercise_table(path)
    assert [(one.laboratories, one.values.tolist()) for one in found.samples] == [(("A", "C", "D"), [2.1, 1.9, 2.0])]
    reasons = [one.reason for one in found.left_out]
    assert "at most 30, got 2200; is it in mGy or cGy? Convert it" in reasons[0]
    assert "got 'n.d.'" in reasons[1] and "got '<0,1'" in reasons[2] and "is a line of totals or means" in reasons[5]
    assert reasons[3] == reasons[4] and reasons[3].startswith(
        "'G' is there twice; keep one value, name two scorers apart"
    )
    code, said = run("interlab", path, "--json")
    told = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert code == 3 and told["samples"][0]["robust"]["location"] == pytest.approx(2.0)
    assert told["left_out"][0]["line"].endswith("line 3") and len(told["left_out"]) == 6
    with pytest.raises(CountsError, match="6 lines cannot be used:"):
        read_exercise(path)


def test_values_in_another_unit_than_the_reference_are_asked_about(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("laboratory,value\na,2000\nb,2100\nc,1900\n")
    code, said = run("interlab", path, "--reference", 2)
    assert code == 1 and "3 lines cannot be used" in said and "is it in mGy or cGy? Convert it" in said
    path.write_text("laboratory,value\na,20\nb,0.21\nc,0.19\n")
    (note,) = read_exercise_table(path).notes
    assert note.endswith("20 of a lies far from the median 0.21; is it in the same unit?")
    (note, _) = read_exercise_table(path, 0.002).notes[::-1]
    assert note.endswith("0.002 of the reference lies far from the median 0.21; is it in the same unit?")


def test_a_reference_beside_the_column_of_references_is_no_choice(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("laboratory,value,reference\na,2,2.5\nb,2.1,2.5\nc,1.9,\n")
    with pytest.raises(
        CountsError, match=r"expected one reference per sample, got 2\.5 and 3 \(--reference\); keep one"
    ):
        read_exercise_table(path, 3.0)
    assert read_exercise_table(path, 2.5).samples[0].reference == 2.5


def test_counts_of_a_calibration_are_no_exercise(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("dose_gy,cells,dicentrics\n0,1000,1\n1,500,50\n2,300,90\n")
    with pytest.raises(CountsError, match="expected laboratories and their values, got counts of cells and dicentrics"):
        read_exercise(path)
