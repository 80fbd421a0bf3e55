"""An option that would change nothing is refused, and so is a file that cannot be written."""

import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import stated


@pytest.fixture
def at(tmp_path):
    stated((0.00128, 0.02103, 0.06307), (0.00047, 0.00516, 0.00401), (0, 0, 0), highest_dose=5).save(
        tmp_path / "c.json"
    )
    (tmp_path / "s.csv").write_text("sample,cells,dicentrics\nA,500,25\nB,400,3\n")
    (tmp_path / "t.csv").write_text("donor,dose_gy,cells,dicentrics\nA,0,5000,8\nA,1,1000,90\nA,2,300,100\n")
    return tmp_path


def run(at, *words):
    result = CliRunner().invoke(cli, ["dosimetry", *(str(word).replace("AT", str(at)) for word in words)])
    return result.exit_code, " ".join(result.output.split())


TYPED = ("dose", "--curve", "AT/c.json", "--dicentrics", 25, "--cells", 500)
CELLS = ("dose", "--curve", "AT/c.json", "--distribution", "475,20,5")
REPORT = ("report", "--curve", "AT/c.json", "--dicentrics", 25, "--cells", 500, "--out", "AT/r.html")
TRIAGE = ("triage", "AT/s.csv", "--curve", "AT/c.json")
PLAN = ("plan", "--curve", "AT/c.json", "--samples", "AT/s.csv")
ERRORS = ("--recall", "150,50", "--false", "6,600")


@pytest.mark.parametrize(
    ("words", "option", "to"),
    [
        ((*TYPED, "--repair-hours", 3), "--repair-hours", "--hours"),
        ((*REPORT, "--repair-hours", 3), "--repair-hours", "--hours"),
        ((*TRIAGE, "--repair-hours", 3), "--repair-hours", "--hours"),
        (("heterogeneous", *CELLS[1:], "--repair-hours", 3), "--repair-hours", "--hours"),
        ((*TYPED, "--any-detector"), "--any-detector", "a run folder"),
        ((*REPORT, "--any-detector"), "--any-detector", "a run folder"),
        ((*TYPED, "--d0", 3), "--d0", "a distribution over cells"),
        ((*REPORT, "--d0", 3), "--d0", "a distribution over cells"),
        ((*TRIAGE, "--d0", 3), "--d0", "distributions over cells"),
        (("dose", "--curve", "AT/c.json", "--samples", "AT/s.csv", "--d0", 3), "--d0", "distributions over cells"),
        ((*TYPED, *ERRORS, "--method", "merkle"), "--method", "counts without a detector's errors"),
        ((*CELLS, *ERRORS, "--method", "bayes"), "--method", "counts without a detector's errors"),
        ((*REPORT, *ERRORS, "--method", "delta"), "--method", "counts without a detector's errors"),
        ((*PLAN, "--dose", 2), "--dose", "a plan for one dose"),
        ((*PLAN, "--false-rate", 0.01), "--false-rate", "a plan for one dose"),
        ((*PLAN, "--plot", "AT/p.svg"), "--plot", "a plan for one dose"),
    ],
)
def test_an_option_that_changes_nothing_is_refused(at, words, option, to):
    code, said = run(at, *words)
    assert code == 2 and f"{option} belongs to {to}" in said and "it would change nothing: leave it out" in said, said
    assert not (at / "r.html").exists()


@pytest.mark.parametrize(
    "words",
    [
        (*TYPED, "--hours", 6, "--repair-hours", 3),
        (*CELLS, "--d0", 3),
        (*TYPED, *ERRORS, "--method", "likelihood"),
        (*TYPED, "--method", "merkle"),
        TRIAGE,
        PLAN,
    ],
)
def test_what_belongs_together_is_taken(at, words):
    assert run(at, *words)[0] == 0


def test_several_curves_print_no_json(at):
    code, said = run(at, "calibrate", "AT/t.csv", "--by", "donor", "--out", "AT/curves", "--json")
    assert code == 2 and "knows no --json: read OUT/NAME.json" in said and not (at / "curves").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("dose", "--curve", "AT/c.json", "--samples", "AT/s.csv", "--out", "AT/none/d.csv"),
        (*TRIAGE, "--plot", "AT/none/t.svg"),
        (*REPORT[:-1], "AT/none/r.pdf"),
        ("interlab", "AT/s.csv", "--out", "AT/none/i.xlsx"),
    ],
)
def test_a_folder_that_is_not_there_is_said_before_anything_is_computed(at, words):
    code, said = run(at, *words)
    assert code == 2 and "expected a folder that exists, got" in said and "Gy" not in said
