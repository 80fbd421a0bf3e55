"""Typed counts: what 46 chromosomes cannot hold, and numbers that commas have torn apart."""

import json

import pytest
from tests.cases.commands import dosimetry as run

from cytally.dosimetry.curves.calibrate import stated


@pytest.fixture
def curve(tmp_path):
    path = tmp_path / "c.json"
    stated((0.00128, 0.02103, 0.06307), (0.00047, 0.00516, 0.00401), (0, 0, 0), highest_dose=5).save(path)
    return path


COUNTS = {
    "dose": ("--curve", "C", "--dicentrics", "{x}", "--cells", "{n}"),
    "report": ("--curve", "C", "--dicentrics", "{x}", "--cells", "{n}", "--out", "r.html"),
    "qdr": ("--curve", "C", "--acentrics", "C", "--dicentrics", "{x}", "--damaged", "{n}"),
    "mixed-field": ("--neutron", "C", "--gamma", "C", "--ratio", "1.5", "--dicentrics", "{x}", "--cells", "{n}"),
    "compare": ("--curve", "C", "--against", "1", "--dicentrics", "{x}", "--cells", "{n}"),
    "translocations": ("--curve", "C", "--painted", "1,2,4", "--age", "45", "--count", "{x}", "--cells", "{n}"),
}
CONTROLS = {
    "compare": ("--dicentrics", "3", "--cells", "500", "--control", "{x},{n}"),
    "translocations": ("--curve", "C", "--painted", "1,2,4", "--count", "9", "--cells", "500", "--control", "{x},{n}"),
    "dose": ("--curve", "C", "--dicentrics", "9", "--cells", "500", "--recall", "150,50", "--false", "{x},{n}"),
}
DISTRIBUTIONS = {
    "dose": ("--curve", "C", "--distribution", "{d}"),
    "report": ("--curve", "C", "--distribution", "{d}", "--out", "r.html"),
    "heterogeneous": ("--curve", "C", "--distribution", "{d}"),
}


def given(command, words, curve, **values):
    filled = [curve if word == "C" else word.format(**values) for word in words]
    return run(command, *[curve.parent / word if word == "r.html" else word for word in filled])


@pytest.mark.parametrize(
    ("command", "words"), [*COUNTS.items(), *CONTROLS.items()], ids=lambda v: v if isinstance(v, str) else ""
)
@pytest.mark.parametrize(("x", "n"), [(24, 1), (500, 5)])
def test_more_than_chromosomes_hold_is_refused_by_every_command(curve, command, words, x, n):
    done = given(command, words, curve, x=x, n=n)
    assert done.exit_code == 2, done.output
    assert f"per cell (46 chromosomes hold no more), got {x} in {n}; are the two swapped?" in done.stderr
    assert not (curve.parent / "r.html").exists()


@pytest.mark.parametrize(("command", "words"), DISTRIBUTIONS.items())
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("500," + "0," * 60 + "1", "got 1 cell with 61 dicentrics, but 46 chromosomes hold 45 at most"),
        ("1" + ",0" * 29 + ",9", "expected 0 to 23 dicentrics per cell"),
        ("1,000,25", "got '1,000,25'; a zero in front may be the end of a number such as 1,000; write 1000"),
        ("475,20,05", "a zero in front"),
        ("1_000,25", "such as 475,20,5 for --distribution, got '1_000,25'"),
        ("475,20,", "the cell is empty"),
        ("475,+20", "write 20"),
        ("٤75,20", "write it with the digits 0 to 9"),
        ("-1,5", "got '-1,5'; a count is 0 or more"),
        ("0,0", "expected at least one cell, got 0"),
    ],
)
def test_an_impossible_distribution_is_refused_by_every_command(curve, command, words, text, said):
    done = given(command, words, curve, d=text)
    assert done.exit_code == 2 and said in done.stderr, done.output + done.stderr


@pytest.mark.parametrize(("command", "words"), CONTROLS.items())
def test_a_control_torn_by_a_comma_is_refused(curve, command, words):
    done = given(command, words, curve, x=5, n="000")
    assert done.exit_code == 2 and "a zero in front may be the end of a number" in done.stderr


def test_what_is_possible_still_counts(curve):
    done = run("dose", "--curve", curve, "--distribution", "475, 20, 5", "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["dicentrics"] == 30
    assert run("compare", "--dicentrics", 23, "--cells", 1, "--control", "0,1000").exit_code == 0


@pytest.mark.parametrize("rate", ["1e9", "20", "1.1"])
def test_a_detector_of_more_than_one_false_dicentric_per_cell_plans_nothing(curve, rate):
    done = run("plan", "--curve", curve, "--false-rate", rate)
    assert done.exit_code == 2 and "--false-rate" in done.stderr


def test_the_threshold_of_many_cells_is_the_one_found_count_by_count():
    from cytally.dosimetry.assays.low_dose import characteristic_limits
    from cytally.statistics.poisson import one_sample_p, two_sample_p

    for cells, background in ((50, 0.002), (1000, 0.3), (3000, 1.0)):
        count = int(cells * background)
        while one_sample_p(count + 1, cells * background) >= 0.05:
            count += 1
        assert characteristic_limits(cells, background).threshold == count
    count = 0
    while two_sample_p(count + 1, 500, 8, 5000) >= 0.05:
        count += 1
    assert characteristic_limits(500, (8, 5000)).threshold == count
