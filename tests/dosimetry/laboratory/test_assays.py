"""Two doses, mixed fields and translocations: published numbers, inversions, and the commands."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from cytally.cli import assays as commands  # noqa: F401  (it joins the group)
from cytally.cli.main import cli
from cytally.dosimetry.calibrate import Curve
from cytally.dosimetry.laboratory.assays import (
    Person,
    criticality,
    dna_fractions,
    heterogeneous,
    translocations,
)
from cytally.errors import CountsError

BARQUINERO = Curve(
    np.array([0.001280328, 0.02103867, 0.06303256]),
    np.array([[2.222165e-07, -9.948764e-07, 4.379821e-07], [-9.948764e-07, 2.660089e-05, -1.510488e-05],
              [4.379821e-07, -1.510488e-05, 1.605911e-05]]),
)  # fmt: skip
NEUTRON = Curve(np.array([0.0005, 0.832, 0.0]), np.zeros((3, 3)))
GAMMA = Curve(np.array([0.0005, 0.0164, 0.0492]), np.zeros((3, 3)))
FISH = Curve(np.array([0.0, 0.02, 0.06]), np.zeros((3, 3)))
COUNTS = np.array([160, 55, 19, 17, 9, 4])


def test_two_doses_as_biodose_tools_finds_them():
    """biodosetools 3.7.1, two-component mixed Poisson; its optimiser stops at 0.2 %."""
    found = heterogeneous(COUNTS, BARQUINERO)
    assert found.high.value == pytest.approx(5.662633, rel=0.002)
    assert found.low.value == pytest.approx(1.732487, rel=0.002)
    assert found.body == pytest.approx(0.6217499, rel=0.002)
    assert found.needed and found.low.lower < found.low.value < found.low.upper < found.high.value


def test_one_dose_is_said_to_be_enough():
    poisson = np.round(1000 * np.array([0.6065, 0.3033, 0.0758, 0.0126, 0.0016])).astype(int)
    assert not heterogeneous(poisson, BARQUINERO).needed
    with pytest.raises(CountsError, match="got one kind only"):
        heterogeneous(np.array([100]), BARQUINERO)


def test_the_criticality_accident_of_the_manual():
    """IAEA 2011, 9.7.5.2: 1.21 and 1.82 Gy, printed to two digits."""
    found = criticality(120, 100, NEUTRON, GAMMA, 1.5)
    assert found.neutron[0] == pytest.approx(1.21, abs=0.006)
    assert found.gamma[0] == pytest.approx(1.82, abs=0.006)
    assert found.neutron[1] < found.neutron[0] < found.neutron[2]
    np.testing.assert_allclose(np.array(found.gamma), 1.5 * np.array(found.neutron))
    with pytest.raises(CountsError, match="expected cells > 0"):
        criticality(3, 0, NEUTRON, GAMMA, 1.0)


@pytest.mark.parametrize("sex", ["male", "female", ""])
def test_dna_is_shared_out_whole(sex):
    shares = dna_fractions(sex)
    assert sum(shares.values()) == pytest.approx(1)
    assert (shares["Y"] == 0) == (sex == "female")


def test_translocations_find_back_the_dose_that_made_them():
    """The expected count at 1.5 Gy and age 50, rounded to a whole number, gives 1.5 Gy."""
    person, paint = Person(50, "male"), [["1"], ["2"], ["4"]]
    made = translocations(0, 20_000, paint, person, FISH)
    expected = made.background + made.equivalents * float(FISH.yield_at(np.array(1.5)))
    found = translocations(round(expected), 20_000, paint, person, FISH)
    assert found.dose.value == pytest.approx(1.5, abs=0.002)
    assert found.dose.lower < 1.5 < found.dose.upper
    assert translocations(round(made.background), 20_000, paint, person, FISH).dose.lower == 0
    older = translocations(round(expected), 20_000, paint, Person(80, "male"), FISH)
    assert older.background > found.background and older.dose.value < found.dose.value
    assert translocations(9, 100, paint, Person(50, "male", smoker=True), FISH).background == pytest.approx(
        1.19 * translocations(9, 100, paint, Person(50, "male"), FISH).background
    )


def test_an_unknown_chromosome_is_named():
    with pytest.raises(CountsError, match="'25'"):
        translocations(3, 100, [["25"]], Person(30), FISH)


def test_the_commands(tmp_path):
    paths = {}
    for name, curve in (("b", BARQUINERO), ("n", NEUTRON), ("g", GAMMA), ("f", FISH)):
        paths[name] = str(tmp_path / f"{name}.json")
        curve.save(paths[name])

    def run(*words):
        done = CliRunner().invoke(cli, ["dosimetry", *words])
        assert done.exit_code == 0, done.output
        return done.output

    assert "5.66 Gy (" in run("heterogeneous", "--curve", paths["b"], "--distribution", "160,55,19,17,9,4")
    given = (
        "--neutron",
        paths["n"],
        "--gamma",
        paths["g"],
        "--ratio",
        "1.5",
        "--dicentrics",
        "120",
        "--cells",
        "100",
    )
    assert " neutron 1.21 Gy" in run("mixed-field", *given)
    assert json.loads(run("mixed-field", *given, "--json"))["gamma"][0] == pytest.approx(1.8156, abs=1e-3)
    fish = run("translocations", "--curve", paths["f"], "--painted", "1,4/2", "--count", "31", "--cells", "2000", "--age", "45")  # fmt: skip
    assert "genome equivalents" in fish and "expected from age alone" in fish
    wrong = CliRunner().invoke(
        cli, ["dosimetry", "heterogeneous", "--curve", paths["b"], "--distribution", "1,x"]
    )
    assert wrong.exit_code == 2 and "expected whole numbers" in wrong.output
