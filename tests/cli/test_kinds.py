"""A curve says what it counts, and a command refuses one that counts something else."""

import json

import pytest
from click.testing import CliRunner

from cytally.cli.main import cli
from cytally.dosimetry.curves.calibrate import Curve

PUBLISHED = ("0.00128,0.02103,0.06307", "--errors", "0.00047,0.00516,0.00401", "--highest-dose", "5")
SERIES = "dose_gy,cells,{}\n0,1000,5\n1,500,37\n2,200,57\n4,80,81\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with published curves d, m, t, a of dicentrics, micronuclei, translocations and acentrics."""
    monkeypatch.chdir(tmp_path)
    for kind in ("dicentrics", "micronuclei", "translocations", "acentrics"):
        said = () if kind == "dicentrics" else ("--aberration", kind)
        assert "curve:" in call("curve", *PUBLISHED, *said, "--out", f"{kind[0]}.json")
        (tmp_path / f"{kind[0]}.csv").write_text(f"sample,cells,{kind}\nA,500,25\nB,400,12\n")
    (tmp_path / "x.csv").write_text("sample,N,X\nA,500,25\n")
    return tmp_path


def call(*words, code=0):
    done = CliRunner().invoke(cli, ["dosimetry", *map(str, words)])
    assert done.exit_code == code, done.output + repr(done.exception)
    return done.output


def test_a_published_curve_says_what_it_counts(here):
    assert [Curve.load(f"{name}.json").aberration for name in "dmta"] == [
        "dicentrics",
        "micronuclei",
        "translocations",
        "acentrics",
    ]
    assert "got an empty text" in call("curve", *PUBLISHED, "--aberration", " ", "--out", "e.json", code=1)


FISH = ("translocations", "--painted", "1,4/2", "--count", "31", "--cells", "2000", "--age", "45")
SPREAD = ("heterogeneous", "--distribution", "160,55,19,17,9,4")
MIXED = ("mixed-field", "--ratio", "1.5", "--dicentrics", "120", "--cells", "100", "--neutron", "d.json")
QDR = ("qdr", "--dicentrics", "86", "--damaged", "99", "--curve", "d.json")
TYPED = ("--dicentrics", "25", "--cells", "500")


@pytest.mark.parametrize(
    ("words", "option", "right", "wrong", "kind"),
    [
        (FISH, "--curve", "t", "dma", "translocations"),
        (SPREAD, "--curve", "d", "mta", "dicentrics"),
        (MIXED, "--gamma", "d", "mta", "dicentrics"),
        (QDR, "--acentrics", "a", "dmt", "acentrics"),
    ],
)
def test_an_assay_takes_no_curve_of_another_kind(here, words, option, right, wrong, kind):
    call(*words, option, f"{right}.json")
    for name in wrong:
        said = call(*words, option, f"{name}.json", code=1)
        other = Curve.load(f"{name}.json").aberration
        assert f"of {kind}, got one of {other}; calibrate it, or write it down with `curve`" in said
        assert said.rstrip().endswith(f"--aberration {kind}") and said.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("dose", *TYPED),
        ("dose", "--distribution", "475,25"),
        ("dose", "--samples", "t.csv"),
        ("triage", "t.csv"),
        ("plan", "--dose", "1"),
        ("plan", "--samples", "t.csv"),
        ("compare", *TYPED, "--against", "1"),
        ("report", *TYPED, "--out", "r.html"),
    ],
)
def test_a_yield_per_cell_is_not_read_from_a_curve_of_translocations(here, words):
    """Paint and age would be left out: 25 in 500 would be 0.73 Gy whatever the paint shows."""
    assert "`translocations` reads a dose from it, with the paint" in call(*words, "--curve", "t.json", code=1)


@pytest.mark.parametrize("words", [("dose", "--samples"), ("triage",), ("plan", "--samples")])
def test_a_table_says_what_was_counted_and_so_does_the_curve(here, words):
    for table, curve in (("d", "d"), ("m", "m"), ("x", "d"), ("x", "m")):
        call(*words, f"{table}.csv", "--curve", f"{curve}.json")
    said = call(*words, "m.csv", "--curve", "d.json", code=1)
    assert "expected counts of dicentrics, as the curve says, but a heading is 'micronuclei'" in said
    assert "rename the column if it holds micronuclei" in call(*words, "d.csv", "--curve", "m.json", code=1)
    compared = ("compare", "--samples", "m.csv", "--against", "1", "--curve")
    call(*compared, "m.json")
    assert "expected counts of dicentrics" in call(*compared, "d.json", code=1)


def test_a_fitted_curve_counts_what_the_heading_of_its_table_says(here):
    for heading, kind in (("micronuclei", "micronuclei"), ("MN", "micronuclei"), ("X", "dicentrics")):
        (here / "s.csv").write_text(SERIES.format(heading))
        call("calibrate", "s.csv", "--out", "s.json")
        assert Curve.load("s.json").aberration == kind
    call("calibrate", "s.csv", "--aberration", "micronuclei", "--out", "s.json")
    assert Curve.load("s.json").aberration == "micronuclei"
    (here / "s.csv").write_text(SERIES.format("dicentrics"))
    said = call("calibrate", "s.csv", "--aberration", "micronuclei", "--out", "n.json", code=1)
    assert "expected counts of micronuclei, as --aberration says, but a heading is 'dicentrics'" in said
    assert not (here / "n.json").exists()


def test_an_old_file_that_does_not_say_is_a_curve_of_dicentrics(here):
    """All were: a typed curve could say nothing else. So `translocations` refuses it, as no number is better than a wrong one."""
    stored = json.loads((here / "t.json").read_text())
    del stored["aberration"]
    (here / "old.json").write_text(json.dumps(stored))
    assert "25 dicentrics" in call("dose", "--curve", "old.json", *TYPED)
    assert "got one of dicentrics" in call(*FISH, "--curve", "old.json", code=1)
