"""What must be said of a dose is said by every command that prints one, on the screen, in JSON and in tables."""

import csv
import json

import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import DosePoint, calibrate

#: Up to 3 Gy, with a chi2 of 371 on 3 degrees of freedom.
POINTS = [
    DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (0.5, 2000, 400), (1, 1168, 109), (2, 333, 103), (3, 193, 20))
]
ODD = calibrate(POINTS)
#: No unexposed cells.
BARE = calibrate([DosePoint(0.5, 1000, 15), DosePoint(1, 500, 37), DosePoint(2, 200, 57), DosePoint(4, 80, 81)])
#: Overdispersed, silent, beyond the range, underdispersed.
SAMPLES = "sample,C0,C1,C2,C3\nover,400,20,24,25\nnone,3000,0,0,0\nhigh,2,8,20,40\neven,2,96,2,0\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, curve in (("odd", ODD), ("bare", BARE)):
        curve.save(f"{name}.json")
    (tmp_path / "s.csv").write_text(SAMPLES)
    return tmp_path


def call(*words):
    done = CliRunner().invoke(cli, ["dosimetry", *map(str, words)])
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.output


def of_samples(*words, key="notes"):
    return {one["sample"]: one[key] for one in json.loads(call(*words, "--json"))["samples"]}


@pytest.mark.parametrize("curve", ["odd", "bare"])
def test_plan_and_triage_say_what_dose_says(here, curve):
    given = ("--curve", f"{curve}.json")
    said = of_samples("dose", *given, "--samples", "s.csv", key="warnings")
    assert any("overdispersed (u" in note for note in said["over"])
    assert any("beyond the calibrated range" in note for note in said["high"])
    assert any("underdispersed" in note for note in said["even"])
    assert of_samples("triage", *given, "s.csv", key="warnings") == said
    assert of_samples("plan", *given, "--samples", "s.csv") == said
    screen = call("plan", *given, "--samples", "s.csv", "--out", "o.csv")
    with open("o.csv", encoding="utf-8-sig", newline="") as file:
        table = {row["sample"]: row["notes"] for row in csv.DictReader(file)}
    for name, notes in said.items():
        assert table[name] == "; ".join(notes) and all(note in screen for note in notes)


def test_the_report_says_on_the_screen_what_dose_says(here):
    given = ("--curve", "odd.json", "--distribution", "400,20,24,25")
    assert call("report", *given, "--out", "r.html").split("\n", 1)[1] == call("dose", *given)


def test_a_suspected_dose_is_compared_with_the_notes_of_its_curve_and_of_each_count(here):
    given = ("compare", "--curve", "odd.json", "--against", "5", "--samples", "s.csv")
    said, screen = of_samples(*given), call(*given, "--out", "o.csv")
    for notes in said.values():
        assert any("does not fit its own counts" in note for note in notes)
        assert any("beyond the calibrated range (up to 3 Gy)" in note for note in notes)
        assert all(f"  note: {note}" in screen for note in notes)
    assert any("overdispersed (u" in note for note in said["over"])
    assert any("underdispersed (u" in note for note in said["even"])
    assert any("contradict the curve's background" in note for note in said["none"])
    with open("o.csv", encoding="utf-8-sig", newline="") as file:
        assert {row["sample"]: row["notes"] for row in csv.DictReader(file)} == {
            name: "; ".join(notes) for name, notes in said.items()
        }
    alone = json.loads(
        call("compare", "--curve", "bare.json", "--against", "1", "--dicentrics", 3, "--cells", 500, "--json")
    )
    assert any("hold no unexposed cells" in note for note in alone["notes"])


def test_a_control_is_compared_with_what_must_be_said_of_the_count(here):
    """0 in 3,000 beside 40 in 5,000: 24 would be as usual; u of 400, 20, 24, 25 is 23."""
    said = of_samples("compare", "--control", "40,5000", "--samples", "s.csv")
    assert said["none"] == [note for note in said["none"] if "contradict the control (p = " in note] != []
    assert [note.partition(" (")[0] for note in said["over"]] == ["overdispersed"]
    assert "note: overdispersed (u" in call("compare", "--control", "8,5000", "--samples", "s.csv")
    typed = json.loads(call("compare", "--control", "8,5000", "--dicentrics", 4, "--cells", 500, "--json"))
    assert typed["notes"] == []
    spread = json.loads(call("compare", "--control", "8,5000", "--distribution", "400,20,24,25", "--json"))
    assert (spread["cells"], spread["dicentrics"], spread["notes"]) == (469, 143, said["over"])


def test_a_sample_that_no_dose_explains_is_named(here):
    (here / "s.csv").write_text("sample,cells,dicentrics\nA,500,25\nB,4,90\n")
    calibrate([DosePoint(0, 5000, 8), DosePoint(1, 2000, 20), DosePoint(2, 900, 20)], model="linear").save("flat.json")
    for words in (("dose", "--samples", "s.csv"), ("triage", "s.csv"), ("plan", "--samples", "s.csv")):
        done = CliRunner().invoke(cli, ["dosimetry", *words, "--curve", "flat.json"])
        assert done.exit_code == 1 and "sample 'B': 90 dicentrics in 4 cells are more than the curve" in done.output
