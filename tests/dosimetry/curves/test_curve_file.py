"""The border of a curve: what a file, a command and a call may not bring in."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cytally.dosimetry.curves.calibrate import Curve, DosePoint, Origin, calibrate, stated
from cytally.errors import CountsError

POINTS = [
    DosePoint(0, 5000, 8, distribution=(4992, 8)),
    DosePoint(0.5, 2000, 50),
    DosePoint(1, 1168, 109),
    DosePoint(2, 333, 103, distribution=(251, 63, 17, 2)),
    DosePoint(4, 103, 103),
]


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "c.json"
    calibrate(POINTS, origin=Origin("60Co")).save(path)
    return path


def test_all_of_a_curve_comes_back(saved):
    made, found = calibrate(POINTS, origin=Origin("60Co")), Curve.load(saved)
    assert found.points == made.points
    assert [p.distribution for p in found.points] == [p.distribution for p in POINTS]
    assert found.fit.log_likelihood == made.fit.log_likelihood and found.fit.aic == made.fit.aic
    assert found.summary == made.summary and found.warnings == made.warnings
    np.testing.assert_array_equal(found.carried.covariance, made.carried.covariance)


def change(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c["coefficients"].update(alpha=-0.02), "expected coefficients >= 0, got C .*, alpha -0.02"),
        (lambda c: c["coefficients"].update(C=-0.01), "expected coefficients >= 0"),
        (lambda c: c["coefficients"].update(beta=-1e-12), "expected coefficients >= 0"),
        (lambda c: c["coefficients"].update(alpha=0, beta=0), "expected alpha or beta above 0"),
        (lambda c: c["coefficients"].update(beta=2.0**63), "of at most 100"),
        (lambda c: c["coefficients"].update(gamma=1.0), "coefficients.gamma"),
        (lambda c: c["coefficients"].update(alpha=float("nan")), "coefficients.alpha: input should be a finite number"),
        (lambda c: c["coefficients"].update(alpha="0.02"), "coefficients.alpha: input should be a valid number"),
        (lambda c: c["coefficients"].update(alpha=True), "coefficients.alpha: input should be a valid number"),
        (lambda c: c["coefficients"].update(alpha=10**400), "not a curve file"),
        (lambda c: c.update(covariance=[[0], [0, 0]]), "got rows of 1, 2"),
        (lambda c: c.update(covariance=[]), "got rows of nothing"),
        (lambda c: c.update(covariance=[[float("inf")] * 3] * 3), "finite number"),
        (lambda c: c["covariance"][1].__setitem__(1, 1e9), "expected standard errors of at most 100"),
        (lambda c: c["covariance"][0].__setitem__(1, 5.0), "symmetric"),
        (
            lambda c: c.update(covariance=[[1e-8, 2e-7, 0], [2e-7, 1e-6, 0], [0, 0, 1e-6]]),
            "negative eigenvalue, got -1",
        ),
        (lambda c: c.update(covariance=[[0, 1e-9, 0], [1e-9, 1e-6, 0], [0, 0, 1e-6]]), "whose variance is 0"),
        (lambda c: c.update(covariance=[[1e-8, 0], [0, 1e-6]]), "expected a beta and a 3 x 3 covariance"),
        (lambda c: c.update(model="linear"), "expected no beta in a linear curve"),
        (lambda c: c.update(model="cubic"), "model: input should be 'linear-quadratic' or 'linear'"),
        (lambda c: c.update(family="normal"), "family"),
        (lambda c: c.update(format=2), "format: input should be 1"),
        (lambda c: c.update(chi2=-1.0), "chi2"),
        (lambda c: c.update(at_bound=["D"]), "at_bound.0"),
        (lambda c: c["data"][0].pop("dicentrics"), "data.0.dicentrics: field required"),
        (lambda c: c["data"][1].update(cells=0), "data.1.cells"),
        (lambda c: c["data"][1].update(cells=10.5), "data.1.cells"),
        (lambda c: c["data"][1].update(dicentrics=-5), "data.1.dicentrics"),
        (lambda c: c["data"][1].update(dicentrics=float("inf")), "data.1.dicentrics"),
        (lambda c: c["data"][1].update(dose_gy=-1.0), "data.1.dose_gy"),
        (lambda c: c["data"][1].update(weight=0.0), "data.1.weight"),
        (lambda c: c["data"][0].update(distribution=[4000, 8]), "the distribution holds 8 aberrations in 4008 cells"),
        (lambda c: c["data"][0].update(colour="red"), "data.0.colour"),
        (lambda c: c.update(highest_dose_gy=0.0), "highest_dose_gy"),
        (lambda c: c["about"].update(rate="1"), "about.rate"),
    ],
)
def test_a_file_that_cannot_be_a_curve_is_refused_by_its_field(saved, edit, message):
    change(saved, edit)
    with pytest.raises(CountsError, match=message) as refused:
        Curve.load(saved)
    assert str(refused.value).startswith(str(saved)) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c["coefficients"].update(alpha=0.2, beta=0.63), r"got alpha 0.2 where they give 0.02217"),
        (
            lambda c: c["coefficients"].update(alpha=c["coefficients"]["beta"], beta=c["coefficients"]["alpha"]),
            r"got alpha 0.0\d+ where they give",
        ),
        (lambda c: c["coefficients"].update(C=0.5), r"got C 0.5 where they give 0.001567 \+- 0.00056"),
        (lambda c: c["coefficients"].update(C=0.0), r"got C 0 where they give"),
        (lambda c: c.update(covariance=np.zeros((3, 3)).tolist()), "got 0 as the variance of C where they give"),
        (lambda c: c.update(covariance=(np.array(c["covariance"]) / 100).tolist()), "as the variance of C"),
        (
            lambda c: c.update(covariance=np.diag(np.diag(c["covariance"])).tolist()),
            "got 0 as the covariance of alpha and beta",
        ),
        (lambda c: c.update(data=c["data"][3:]), "data make no curve: expected at least 3"),
        (
            lambda c: [p.update(dicentrics=p["dicentrics"] // 2) or p.pop("distribution", None) for p in c["data"]],
            "expected coefficients that follow from the data",
        ),
        (lambda c: c.update(family="quasi-Poisson"), "expected a covariance that follows from the data"),
        (lambda c: c.update(highest_dose_gy=50), r"highest_dose_gy: expected what follows from the data, 4, got 50"),
        (lambda c: c.update(chi2=371.0), r"chi2: expected what follows from the data, \d.*, got 371"),
        (lambda c: c.update(degrees=7), "degrees: expected what follows from the data, 2, got 7"),
        (lambda c: c.update(log_likelihood=-1.0), "log_likelihood: expected"),
        (lambda c: c.update(at_bound=["C"]), "at_bound: expected coefficients that are 0, got C above 0"),
    ],
)
def test_a_curve_that_its_own_data_do_not_give_is_refused_by_name(saved, edit, message):
    change(saved, edit)
    with pytest.raises(CountsError, match=message) as refused:
        Curve.load(saved)
    assert str(refused.value).startswith(str(saved)) and "\n" not in str(refused.value)


def test_a_bound_that_the_data_hold_is_missed_where_it_is_not_said(tmp_path):
    calibrate([DosePoint(0.5, 1000, 10), DosePoint(1, 1000, 60), DosePoint(2, 1000, 250)]).save(tmp_path / "c.json")
    change(tmp_path / "c.json", lambda c: c.update(at_bound=[]))
    with pytest.raises(CountsError, match="at_bound: expected what follows from the data, C, alpha, got none"):
        Curve.load(tmp_path / "c.json")


@pytest.mark.parametrize("family", ["Poisson", "quasi-Poisson"])
@pytest.mark.parametrize("digits", [3, 4])
def test_what_rounding_for_print_does_to_a_curve_is_let_pass(tmp_path, family, digits):
    """Coefficients, variances and covariances with three significant digits."""
    path = tmp_path / "c.json"
    made = calibrate(POINTS, family=family)
    made.save(path)

    def rounded(content):
        short = lambda x: float(f"{x:.{digits}g}")  # noqa: E731
        content["coefficients"] = {k: short(v) for k, v in content["coefficients"].items()}
        content["covariance"] = [[short(v) for v in row] for row in content["covariance"]]
        for name in ("chi2", "degrees", "log_likelihood", "at_bound"):
            content.pop(name)

    change(path, rounded)
    found = Curve.load(path)
    assert found.fit.chi2 == pytest.approx(made.fit.chi2) and found.family == family


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "not a curve file \\(JSON\\)"),
        ("", "not a curve file \\(JSON\\)"),
        ("[" * 100_000, "brackets within brackets, more than 12 deep"),
        ('{"format": 1, "format": 1}', "'format' is there twice"),
        ("[1, 2]", "not a curve file: the whole"),
        ('{"coefficients": ' + "9" * 5000 + "}", "not a curve file"),
        ('{"format": "' + "x" * 2_000_000 + '"}', "at most 2000000 bytes"),
    ],
)
def test_a_file_that_is_no_json_of_ours_is_refused(tmp_path, text, message):
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(CountsError, match=message):
        Curve.load(tmp_path / "c.json")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "c.json").write_bytes(b"\xff\xfe{\x00}\x00")
    with pytest.raises(CountsError, match="not a curve file"):
        Curve.load(tmp_path / "c.json")


def line(**more):
    return {"coefficients": {"C": 0.001, "alpha": 0.7}, "covariance": [[1e-8, 0], [0, 1e-4]]} | more


@pytest.mark.parametrize(
    "content",
    [
        line(),
        line(model="linear"),
        line(covariance=[[1e-8, 0, 0], [0, 1e-4, 0], [0, 0, 0]]),
        line(coefficients={"C": 0.001, "alpha": 0.7, "beta": 0.0}),
    ],
)
def test_a_line_needs_no_beta(tmp_path, content):
    (tmp_path / "c.json").write_text(json.dumps(content))
    found = Curve.load(tmp_path / "c.json")
    assert found.model == "linear" and found.coefficients.tolist() == [0.001, 0.7, 0.0]
    assert found.covariance[1, 1] == 1e-4 and not found.covariance[2].any()


def test_a_beta_with_an_error_but_no_value_is_missed(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(line(covariance=np.diag([1e-8, 1e-4, 1e-6]).tolist())))
    with pytest.raises(CountsError, match="expected no error of beta in a linear curve"):
        Curve.load(tmp_path / "c.json")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_ends_in_an_error_of_ours_or_a_curve_that_can_be_used(saved, tmp_path, data):
    """Bytes changed, cut out or doubled at random places."""
    raw = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 2))
        kind = data.draw(st.sampled_from(["set", "cut", "double"]))
        if kind == "set":
            raw[at] = data.draw(st.sampled_from(b'-0e9.,:"[]{}N\xff '))
        elif kind == "cut":
            del raw[at : at + data.draw(st.integers(1, 40))]
        else:
            raw[at:at] = raw[at : at + data.draw(st.integers(1, 40))]
        if len(raw) < 3:
            break
    (tmp_path / "d.json").write_bytes(bytes(raw))
    try:
        found = Curve.load(tmp_path / "d.json")
    except CountsError:
        return
    assert np.isfinite(found.carried.coefficients).all() and np.isfinite(found.carried.covariance).all()
    assert (found.coefficients >= 0).all() and found.coefficients[1:].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((float("nan"), 0.02, 0.06), (0, 0, 0)), "expected coefficients and errors >= 0"),
        (((0.001, 0.02, 0.06), (0, float("inf"), 0)), "expected coefficients and errors >= 0"),
        (((0.001, -0.02, 0.06), (0, 0, 0)), "expected coefficients and errors >= 0"),
        (((0.001, 0, 0), (0, 0, 0)), "expected alpha or beta above 0"),
        (((0.001, 0.02), (0, 0, 0)), "got 2 and 3 numbers"),
        (((0.001, 0.02, 0.06), (1e-4, 1e-3, 1e-3), (1e-6, 0, 0)), "negative eigenvalue"),
        (((0.001, 0.02, 0.06), (1e-4, 1e-3, 1e-3), (0.0,)), "expected 3 covariances of 3 coefficients"),
    ],
)
def test_a_curve_that_nobody_can_have_published_is_refused(arguments, message):
    with pytest.raises(CountsError, match=message):
        stated(*arguments)


@pytest.mark.parametrize("highest", [0.0, -1.0, float("nan"), 1e9])
def test_a_range_that_is_none_is_refused(highest):
    with pytest.raises(CountsError, match="expected a range up to a dose above 0"):
        stated((0.001, 0.02, 0.06), (0, 0, 0), highest_dose=highest)


def test_a_curve_made_in_a_program_meets_the_same_border():
    with pytest.raises(CountsError, match="curve: expected coefficients >= 0"):
        Curve(np.array([0.001, -0.02, 0.06]), np.zeros((3, 3)))
    with pytest.raises(CountsError, match="curve: expected three coefficients"):
        Curve(np.array([0.001, 0.02]), np.zeros((3, 3)))


def test_a_line_is_stated_by_two_numbers_and_keeps_its_range(tmp_path):
    made = stated((0.0005, 0.83), (0.0003, 0.02), (-1e-6,), highest_dose=2)
    made.save(tmp_path / "n.json")
    found = Curve.load(tmp_path / "n.json")
    assert found.model == "linear" and found.highest_dose == 2
    assert found.covariance[0, 1] == -1e-6 and found.coefficients.tolist() == [0.0005, 0.83, 0]
