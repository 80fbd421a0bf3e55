"""Two doses, mixed fields and translocations: published numbers, inversions, and the commands."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import optimize, stats

from cytally.cli.main import cli
from cytally.dosimetry.assays.heterogeneous import heterogeneous
from cytally.dosimetry.assays.mixed_field import criticality
from cytally.dosimetry.assays.translocations import (
    Control,
    Painted,
    Person,
    dna_fractions,
    expected_background,
    translocations,
)
from cytally.dosimetry.curves.calibrate import Curve, DosePoint, calibrate
from cytally.errors import CountsError

BARQUINERO = Curve(
    np.array([0.001280328, 0.02103867, 0.06303256]),
    np.array(
        [
            [2.222165e-07, -9.948764e-07, 4.379821e-07],
            [-9.948764e-07, 2.660089e-05, -1.510488e-05],
            [4.379821e-07, -1.510488e-05, 1.605911e-05],
        ]
    ),
)
NEUTRON = Curve(np.array([0.0005, 0.832, 0.0]), np.zeros((3, 3)))
GAMMA = Curve(np.array([0.0005, 0.0164, 0.0492]), np.zeros((3, 3)))
FISH = Curve(np.array([0.0, 0.02, 0.06]), np.zeros((3, 3)), aberration="translocations")
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
    made = translocations(Painted(0, 20_000, paint), person, FISH)
    expected = made.background + made.equivalents * float(FISH.yield_at(np.array(1.5)))
    found = translocations(Painted(round(expected), 20_000, paint), person, FISH)
    assert found.dose.value == pytest.approx(1.5, abs=0.002)
    assert found.dose.lower < 1.5 < found.dose.upper
    assert translocations(Painted(round(made.background), 20_000, paint), person, FISH).dose.lower == 0
    older = translocations(Painted(round(expected), 20_000, paint), Person(80, "male"), FISH)
    assert older.background > found.background and older.dose.value < found.dose.value
    assert translocations(Painted(9, 100, paint), Person(50, "male", smoker=True), FISH).background == pytest.approx(
        1.19 * translocations(Painted(9, 100, paint), Person(50, "male"), FISH).background
    )


def test_an_unknown_chromosome_is_named():
    with pytest.raises(CountsError, match="'25'"):
        translocations(Painted(3, 100, [["25"]]), Person(30), FISH)


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
    fish = run(
        "translocations", "--curve", paths["f"], "--painted", "1,4/2", "--count", "31", "--cells", "2000", "--age", "45"
    )
    assert "genome equivalents" in fish and "expected from age alone" in fish
    wrong = CliRunner().invoke(cli, ["dosimetry", "heterogeneous", "--curve", paths["b"], "--distribution", "1,x"])
    assert wrong.exit_code == 2 and "expected whole numbers" in wrong.output


NEUTRON_MEASURED = Curve(np.array([0.0005, 0.832, 0.0]), np.diag([2e-4, 0.05, 0.0]) ** 2)
GAMMA_MEASURED = Curve(BARQUINERO.coefficients, BARQUINERO.covariance * 4)


@pytest.mark.parametrize("backgrounds", ["both", "mean"])
@pytest.mark.parametrize("ratio", [0.5, 3.0])
def test_mixed_field_limits_are_those_of_both_curves_and_the_count_drawn_at_random(ratio, backgrounds):
    """Slow twin: coefficients of both curves from their errors, the count's mean from its gamma distribution.

    One million draws; the quantiles' own error is below 0.2 %, the two kinds of limits differ by 1 %.
    """
    rng = np.random.default_rng(5)
    draws = 1_000_000
    found = criticality(150, 60, NEUTRON_MEASURED, GAMMA_MEASURED, ratio, backgrounds)
    n, g = (
        rng.multivariate_normal(curve.coefficients, curve.covariance, draws)
        for curve in (NEUTRON_MEASURED, GAMMA_MEASURED)
    )
    share = 1.0 if backgrounds == "both" else 0.5
    above = rng.gamma(150.5, 1 / 60, draws) - share * (n[:, 0] + g[:, 0])
    linear, square = n[:, 1] + ratio * g[:, 1], n[:, 2] + ratio**2 * g[:, 2]
    doses = 2 * above / (linear + np.sqrt(linear**2 + 4 * square * above))
    np.testing.assert_allclose(found.neutron[1:], np.quantile(doses, [0.025, 0.975]), rtol=0.012)
    np.testing.assert_allclose(found.gamma, ratio * np.array(found.neutron), rtol=1e-12)
    exact = criticality(150, 60, NEUTRON, Curve(GAMMA_MEASURED.coefficients, np.zeros((3, 3))), ratio, backgrounds)
    assert exact.exact == ("neutron", "gamma") and found.exact == ()
    assert found.neutron[1] < exact.neutron[1] and found.neutron[2] > exact.neutron[2]


def test_the_background_by_age_is_that_of_the_paper():
    """cells 1000, factor 0.58, age 30: 2.432651 (example of Biodose Tools); ratios of Sigurdson 2008, table 5."""
    assert expected_background(1000, 0.58, Person(30)) == pytest.approx(2.432651, abs=5e-7)
    whole = {"region": ("n-america", 1.0), "ethnicity": ("white", 1.0)}
    ratios = {
        ("region", "w-europe"): 0.99,
        ("region", "c-europe"): 1.75,
        ("region", "e-europe"): 1.75,
        ("region", "asia"): 0.86,
        ("ethnicity", "asian"): 1.23,
        ("ethnicity", "black"): 0.84,
        ("ethnicity", "other"): 1.06,
    } | {(name, value): ratio for name, (value, ratio) in whole.items()}
    for (name, value), ratio in ratios.items():
        assert expected_background(1000, 0.58, Person(30, **{name: value})) == pytest.approx(ratio * 2.432651, rel=1e-6)
    for wrong, said in (
        ({"region": "mars"}, "expected region one of n-america"),
        ({"ethnicity": "x"}, "expected ethnicity one of white"),
    ):
        with pytest.raises(CountsError, match=said):
            expected_background(1000, 0.58, Person(30, **wrong))
    for age in (-1.0, 200.0, float("nan"), float("inf")):
        with pytest.raises(CountsError, match="expected an age of 0 to 125 years"):
            expected_background(1000, 0.58, Person(age))


def test_a_control_of_one_s_own_is_carried_with_its_uncertainty():
    """A huge control is a known background; a small one widens the limits; they hold the truth in 95 of 100."""
    paint = [["1"], ["2"], ["4"]]
    known = translocations(Painted(60, 4000, paint), Person(50, "male"), FISH)
    per_cell = known.background / 4000
    huge = translocations(Painted(60, 4000, paint), Control(round(per_cell * 10**9), 10**9, sex="male"), FISH)
    assert huge.background == pytest.approx(known.background, rel=1e-6)
    assert huge.dose.lower == pytest.approx(known.dose.lower, abs=0.03)
    small = translocations(Painted(60, 4000, paint), Control(round(per_cell * 1500), 1500, sex="male"), FISH)
    assert small.dose.upper - small.dose.lower > 1.02 * (huge.dose.upper - huge.dose.lower)
    none = translocations(Painted(3, 1000, paint), Control(0, 200), FISH)
    assert none.dose.lower == 0 and none.background == pytest.approx(2.5)
    rng = np.random.default_rng(3)
    background, true = 0.002, 0.3
    mean = 2000 * (background + float(FISH.yield_at(np.array(true)))) * known.factor
    held = [
        found.lower <= true <= found.upper
        for seen, base in zip(rng.poisson(mean, 300), rng.poisson(1000 * background * known.factor, 300), strict=True)
        for found in [translocations(Painted(int(seen), 2000, paint), Control(int(base), 1000, sex="male"), FISH).dose]
    ]
    assert np.mean(held) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 300)
    with pytest.raises(CountsError, match="expected a control with translocations >= 0"):
        translocations(Painted(3, 1000, paint), Control(1, 0), FISH)


@pytest.mark.parametrize(
    ("paint", "said"),
    [
        ([["1", "1"]], "got 1 twice"),
        ([["1", "4"], ["1"]], "got 1 twice"),
        ([["1"], []], "a colour without a chromosome"),
        ([[*map(str, range(1, 23)), "X"]], "which shows none"),
        ([], "such as 1,4/2, got none"),
        ([["Y"]], "chromosomes that the person has, got Y; is the sex right"),
        ([["1", "2", "Y"]], "got Y; is the sex right"),
        (
            [["1-3"]],
            "expected chromosomes 1 to 22, X or Y, with commas between them and / between colours, such as 1,4/2, got '1-3'",
        ),
    ],
)
def test_a_paint_that_cannot_be_is_refused(paint, said):
    """A chromosome painted twice was once counted twice: 28.2 % of all exchanges for 14.8."""
    with pytest.raises(CountsError, match=said):
        translocations(Painted(3, 100, paint), Person(30, "female"), FISH)


def test_the_commands_take_what_laboratories_know(tmp_path):
    FISH.save(tmp_path / "f.json")
    BARQUINERO.save(tmp_path / "b.json")
    given = [
        "dosimetry",
        "translocations",
        "--curve",
        str(tmp_path / "f.json"),
        "--count",
        "31",
        "--cells",
        "2000",
    ]

    def told(*words, code=0):
        done = CliRunner().invoke(cli, [*given, *words])
        assert done.exit_code == code, done.output
        return done.output

    plain = json.loads(told("--painted", "1,4/2", "--age", "45", "--json"))
    central = json.loads(told("--painted", "1,4/2", "--age", "45", "--region", "c-europe", "--json"))
    assert central["background"] == pytest.approx(1.75 * plain["background"])
    assert "from 12 in 6000 control cells, whose uncertainty is carried" in told(
        "--painted", "x,4", "--control", "12,6000"
    )
    assert "got 1 twice" in told("--painted", "1,1", "--age", "45", code=1)
    assert "one of the two" in told("--painted", "1", code=2)
    assert "a control has its own" in told("--painted", "1", "--control", "1,200", "--smoker", code=2)
    assert "two whole numbers such as 12,6000" in told("--painted", "1", "--control", "12", code=2)
    for age in ("nan", "-1", "200"):
        assert "Invalid value for '--age'" in told("--painted", "1", "--age", age, code=2)
    mixed = [
        "dosimetry",
        "heterogeneous",
        "--curve",
        str(tmp_path / "b.json"),
        "--distribution",
        "160,55,19,17,9,4",
        "--hours",
        "6",
    ]
    slow, quick = (CliRunner().invoke(cli, [*mixed, "--repair-hours", hours, "--json"]).output for hours in ("8", "1"))
    assert json.loads(slow)["high"]["value"] < json.loads(quick)["high"]["value"]


ODD = calibrate(
    [
        DosePoint(0, 5000, 8),
        DosePoint(0.5, 2000, 400),
        DosePoint(1, 1168, 109),
        DosePoint(2, 333, 103),
        DosePoint(3, 193, 20),
    ]
)


def test_every_command_says_what_range_and_fit_of_a_curve_leave_in_doubt(tmp_path):
    """Of counts with a chi2 of 371 on 3 degrees of freedom up to 3 Gy; 10 and more per cell lie far beyond."""
    path = str(tmp_path / "odd.json")
    ODD.save(path)
    acentrics = str(tmp_path / "acentrics.json")
    replace(ODD, aberration="acentrics").save(acentrics)
    asked = {
        "heterogeneous": ("--curve", path, "--distribution", "500,0,0,0,0,0,0,0,0,10"),
        "qdr": ("--curve", path, "--acentrics", acentrics, "--dicentrics", "900", "--damaged", "99"),
        "mixed-field": ("--neutron", path, "--gamma", path, "--ratio", "1.5", "--dicentrics", "900", "--cells", "100"),
        "plan": ("--curve", path, "--dose", "20"),
        "compare": ("--curve", path, "--against", "20", "--dicentrics", "3", "--cells", "1000"),
    }
    for name, given in asked.items():
        done = CliRunner().invoke(cli, ["dosimetry", name, *given])
        said = " ".join(done.output.split())
        assert done.exit_code == 0 and "does not fit its own counts" in said, (name, said)
        assert "beyond the calibrated range (up to 3 Gy)" in said, (name, said)
        assert "NaN" not in said


def test_fewer_translocations_than_age_alone_brings_are_a_contradiction():
    """None where 5.1 are expected has a probability of exp(-5.1) = 0.006."""
    found = translocations(Painted(0, 2000, [["1", "2", "4"]]), Person(45), FISH)
    assert found.dose.value == 0 == found.dose.lower and found.dose.upper > 0.05
    p = np.exp(-found.background)
    assert p < 0.01 and f"contradict the curve's background (p = {p:.2g})" in " ".join(found.notes)
    likely = translocations(Painted(5, 2000, [["1", "2", "4"]]), Person(45), FISH)
    assert "contradict" not in " ".join(likely.notes)
    assert not any("background" in note for note in likely.notes)  # the curve's own one is not used


def test_translocations_are_not_read_from_counts_of_something_else():
    paint, person = [["1", "2", "4"]], Person(45)
    with pytest.raises(
        CountsError,
        match="expected a curve of translocations, got one of dicentrics",
    ):
        translocations(Painted(31, 2000, paint), person, ODD)
    with pytest.raises(CountsError, match="got one of micronuclei"):
        translocations(Painted(31, 2000, paint), person, replace(FISH, aberration="micronuclei"))
    with pytest.raises(CountsError, match="more than the curve can explain up to 100 Gy"):
        translocations(Painted(80_000, 2000, paint), person, replace(FISH, coefficients=np.array([0, 0.02, 0.003])))


def test_translocations_have_the_limits_of_a_likelihood_ratio():
    """31 on an exact curve: where Poisson's log likelihood has fallen by half a chi2 quantile, or mid-P is 2.5 %."""
    found = translocations(Painted(31, 2000, [["1", "2", "4"]]), Person(45), FISH)

    def mean(gray):
        return found.background + found.equivalents * (0.02 * gray + 0.06 * gray**2)

    def fall(gray):
        return 31 * np.log(31 / mean(gray)) - 31 + mean(gray) - 1.920729

    def below(gray):
        return stats.poisson.cdf(31, mean(gray)) - stats.poisson.pmf(31, mean(gray)) / 2 - 0.025

    lower = optimize.brentq(fall, 0.01, found.dose.value)
    upper = max(optimize.brentq(each, found.dose.value, 5) for each in (fall, below))
    assert (found.dose.lower, found.dose.upper) == pytest.approx((lower, upper), abs=1e-3)
