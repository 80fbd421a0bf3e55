"""Numbers from outside: reference/dose_cases.json (CYTALLY_DOSE_CASES names another file)."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from cytally.dosimetry.assays.low_dose import characteristic_limits, limits_at, odds, yield_limits
from cytally.dosimetry.assays.mixed_field import mixed_field
from cytally.dosimetry.assays.translocations import Person, expected_background, genome_factor
from cytally.dosimetry.curves.controls import Carried
from cytally.dosimetry.curves.fit import dose_at, fit_curve, protraction_factor
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.merkle import delta, merkle
from cytally.dosimetry.estimation.limits.partial_body import dolphin, exposed_fraction, mixed_poisson, qdr
from cytally.statistics.poisson import crow_gardner, dispersion, garwood, two_sample_p
from cytally.statistics.robust import ALGORITHMS, z_scores

_DEFAULT = Path(__file__).parents[3] / "shared" / "reference" / "dose_cases.json"
_FILE = Path(os.environ.get("CYTALLY_DOSE_CASES", _DEFAULT))
CASES = json.loads(_FILE.read_text())["cases"] if _FILE.is_file() else []
TESTED: set[str] = set()
ABSENT = pytest.mark.skipif(not CASES, reason=f"no reference cases at {_FILE}; set CYTALLY_DOSE_CASES")


def of(*methods):
    """The cases of some methods; a method that a file does not have is skipped, not failed."""
    TESTED.update(methods)
    chosen = [pytest.param(c, id=c["id"]) for c in CASES if c["method"] in methods]
    absent = pytest.mark.skip(reason=f"no case of {' or '.join(methods)} in {_FILE}")
    return pytest.mark.parametrize("case", chosen or [pytest.param(None, id="absent", marks=absent)])


def coefficients(curve):
    """C, alpha, beta of a curve in the file; one without background says nothing of it."""
    if isinstance(curve, dict):
        return np.array([curve.get("C", 0.0), curve["alpha"], curve.get("beta", 0.0)], dtype=float)
    return np.array(curve, dtype=float)


def protracted(given):
    """Coefficients and covariance of a case, its quadratic term times G; a curve may state no covariance."""
    covariance = given["curve"].get("cov")
    known = Carried(coefficients(given["curve"]), np.zeros((3, 3)) if covariance is None else np.array(covariance))
    known = known.protracted(given["G"])
    return known.coefficients, known.covariance


@ABSENT
@of("fit", "fit_constrained")
def test_fits(case):
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    fit = fit_curve(
        np.array(given["dose"]),
        np.array(given["cells"]),
        np.array(given["aberrations"]),
        quadratic=given["model"] == "linear-quadratic",
        weights=None if given.get("weights") is None else np.array(given["weights"]),
    )
    terms = len(expected["coef"])
    np.testing.assert_allclose(
        fit.coefficients[:terms], expected["coef"], rtol=tolerance["coef_rel"], atol=tolerance.get("coef_abs", 0)
    )
    assert list(fit.at_bound) == expected.get("at_bound", [])
    if "logLik" in expected:
        assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=tolerance["logLik_abs"])
    if "se_quasi" in expected:  # as R prints them: scaled also where the dispersion is below 1
        scaled = np.sqrt(np.diag(fit.covariance)[:terms] * fit.dispersion)
        np.testing.assert_allclose(scaled, expected["se_quasi"], rtol=tolerance["se_rel"])
    if "automatic_family" in expected:
        assert fit.family.replace("-", "").lower() == expected["automatic_family"]
    if "cov_poisson" in expected:
        covariance = fit.covariance[:terms, :terms]
        np.testing.assert_allclose(covariance, expected["cov_poisson"], rtol=tolerance["cov_rel"])
        assert fit.chi2 == pytest.approx(expected["pearson_chi2"], rel=tolerance["chi2_rel"])
        assert fit.degrees == expected["df"]
        assert fit.dispersion == pytest.approx(expected["dispersion"], rel=tolerance["chi2_rel"])


@ABSENT
@of("whole_body")
@pytest.mark.parametrize(("level", "name"), [(0.83, "merkle_83_83_garwood"), (0.95, "merkle_95_95_garwood")])
def test_whole_body_doses_with_merkle_limits(case, level, name):
    given, tolerance = case["input"], case["tolerance"]
    counts = np.array(given["counts"])
    total = int((counts * np.arange(counts.size)).sum())
    found = merkle(total, int(counts.sum()), *protracted(given), level=level)
    expected = case["expected"][name]
    np.testing.assert_allclose(
        [found.yield_lower, found.yield_upper], np.array(expected["y"])[[0, 2]], rtol=tolerance["yield_rel"], atol=1e-9
    )
    np.testing.assert_allclose(
        [found.lower, found.estimate, found.upper],
        expected["dose"],
        rtol=tolerance["dose_rel"],
        atol=tolerance["dose_abs"],
    )


@ABSENT
@of("whole_body_point")
def test_point_doses(case):
    given, expected = case["input"], case["expected"]
    value, curve = given["X"] / given["N"], coefficients(given["curve"])
    rel = case["tolerance"]["dose_rel"]
    if "hours" in given:
        factor = protraction_factor(given["hours"], given["t0"])
        assert factor == pytest.approx(expected["G"], rel=rel)
        assert dose_at(value, curve) == pytest.approx(expected["acute_dose"], rel=rel)
        assert dose_at(value, curve, factor) == pytest.approx(expected["protracted_dose"], rel=rel)
    else:
        assert dose_at(value, curve) == pytest.approx(expected["dose"], rel=rel)


@ABSENT
@of("disp")
def test_dispersion_and_u(case):
    expected, rel = case["expected"], case["tolerance"]["rel"]
    for k, counts in enumerate(case["input"]["counts"]):
        found = dispersion(np.array(counts))
        assert (found.cells, found.aberrations) == (expected["N"][k], expected["X"][k])
        for name, value in (("DI", found.index), ("u", found.u)):
            if expected[name][k] is None:
                assert np.isnan(value)
            else:
                assert value == pytest.approx(expected[name][k], rel=rel)


@ABSENT
@of("poisson_ci")
def test_exact_poisson_limits(case):
    for count, limits in zip(case["input"]["X"], case["expected"]["limits"], strict=True):
        found = garwood(count, case["input"]["level"])
        np.testing.assert_allclose([found.lower, found.upper], limits, rtol=case["tolerance"]["rel"], atol=1e-12)


@ABSENT
@of("whole_body")
def test_whole_body_doses_by_other_rules(case):
    """Delta limits with two kinds of count error, count limits alone, and eq. 9 where it applies."""
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    counts = np.array(given["counts"], dtype=float)
    spread = dispersion(counts)
    curve, covariance = protracted(given)
    close = {"rtol": tolerance["dose_rel"], "atol": tolerance["dose_abs"]}
    for name, variance in (
        ("delta95_poisson_se", None),
        ("delta95_empirical_se", spread.variance / spread.cells),
    ):
        if name in expected:
            found = delta(spread.aberrations, spread.cells, curve, covariance, yield_variance=variance)
            np.testing.assert_allclose([found.lower, found.estimate, found.upper], expected[name]["dose"], **close)
    alone = [dose_at(x / spread.cells, curve) for x in vars(garwood(spread.aberrations)).values()]
    np.testing.assert_allclose(alone, expected["yield_only_95_garwood"]["dose"], **close)
    if "merkle_83_83_overdispersed_factor" in expected:
        wide = expected["merkle_83_83_overdispersed_factor"]
        found = merkle(spread.aberrations, spread.cells, curve, covariance, index=spread.index)
        np.testing.assert_allclose([found.lower, found.estimate, found.upper], wide["dose"], **close)


@ABSENT
@of("poisson_ci_crow_gardner")
def test_crow_gardner_limits(case):
    for count, limits in zip(case["input"]["X"], case["expected"]["limits"], strict=True):
        found = crow_gardner(count, case["input"]["level"])
        assert [found.lower, found.upper] == pytest.approx(limits, abs=case["tolerance"]["abs"])


@ABSENT
@of("g_function")
def test_protraction(case):
    found = [protraction_factor(x, 1.0) for x in case["input"]["x"]]
    # printed to seven digits: half a unit of the last one beside the stated tolerance
    np.testing.assert_allclose(found, case["expected"]["G"], rtol=case["tolerance"]["rel"], atol=6e-8)


@ABSENT
@of("partial_body_dolphin")
def test_contaminated_poisson(case):
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    counts = np.array(given["counts"], dtype=float)
    assert dispersion(counts).u == pytest.approx(expected["u"], rel=tolerance["rel"])
    found = dolphin(counts, *protracted(given), d0_gy=given["D0"])
    assert (found is not None) == expected["estimable"]
    if found is None:
        return
    for name, value in (("lam", found.per_cell), ("f", found.cells), ("F", found.body)):
        assert value.value == pytest.approx(expected[name], rel=tolerance["rel"])
        assert value.error == pytest.approx(expected[f"{name}_se"], rel=2e-3)
    assert found.dose.value == pytest.approx(expected["dose"], abs=tolerance["dose_abs"])
    for name, value, close in (("dose_ci", found.dose, "dose_abs"), ("F_ci", found.body, "frac_abs")):
        assert [value.lower, value.upper] == pytest.approx(expected[name], abs=tolerance[close])


@ABSENT
@of("qdr")
def test_qdr(case):
    """None is in the file that this was written with; its fields are those that its method is said to have."""
    given = case["input"]
    found = qdr(
        given["X"],
        given["damaged_cells"],
        coefficients(given["dicentric_curve"]),
        coefficients(given["acentric_curve"]),
    )
    tolerance = case["tolerance"]
    assert found == pytest.approx(
        case["expected"]["dose"],
        rel=tolerance.get("dose_rel", tolerance.get("rel", 1e-6)),
        abs=tolerance.get("dose_abs", tolerance.get("abs", 0)),
    )


@ABSENT
@of("hetero_mixed_poisson")
def test_two_doses(case):
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    found = mixed_poisson(np.array(given["counts"]))
    assert -found.log_likelihood == pytest.approx(expected["negloglik"], abs=tolerance["nll_abs"])
    values = {"lambda1": found.high, "lambda2": found.low, "f1": found.share}
    for name, value in values.items():
        assert value.value == pytest.approx(expected[name], rel=tolerance["rel"])
        assert value.error == pytest.approx(expected["se"][name], rel=tolerance["se_rel"])
    curve = coefficients(given["curve"])
    doses = [dose_at(found.high.value, curve), dose_at(found.low.value, curve)]
    assert doses == pytest.approx([expected["dose1"], expected["dose2"]], rel=tolerance["rel"])
    body = exposed_fraction(found.share.value, *doses, given["D0"])
    assert body == pytest.approx(expected["F1"], rel=tolerance["rel"])
    assert found.needed


@ABSENT
@of("low_dose")
def test_low_doses(case):
    given, curve = case["input"], coefficients(case["input"]["curve"])
    for row in case["expected"]["rows"]:
        limits = yield_limits(row["X"], given["cells"], curve)
        doses = [limits.lower, dose_at(row["X"] / given["cells"], curve), limits.upper]
        assert doses == pytest.approx([row["lower"], row["dose"], row["upper"]], abs=case["tolerance"]["dose_abs"])
        found = odds(row["X"], given["cells"], 0.0, given["badge_dose"], curve)
        assert found == pytest.approx(row["odds_0_to_0_25Gy"], rel=case["tolerance"]["odds_rel"])


@ABSENT
@of("planning")
def test_limits_that_a_dose_would_have(case):
    curve = coefficients(case["input"]["curve"])
    for row in case["expected"]["rows"]:
        count, limits = limits_at(row["dose"], row["cells"], curve)
        assert count == row["X"]
        assert [limits.lower, limits.upper] == pytest.approx(
            [row["lower"], row["upper"]], abs=case["tolerance"]["dose_abs"]
        )


@ABSENT
@of("characteristic_limits")
def test_decision_threshold_and_detection_limit(case):
    given, expected = case["input"], case["expected"]
    background = given["mu0"] if "mu0" in given else (given["y0"], given["n0"])
    found = [characteristic_limits(n, background, alpha=given["alpha"], beta=given["beta"]) for n in expected["cells"]]
    assert [f.threshold for f in found] == expected["decision_threshold"]
    np.testing.assert_allclose([f.detection for f in found], expected["detection_limit"], rtol=case["tolerance"]["rel"])


@ABSENT
@of("mixed_field")
def test_neutrons_and_gamma(case):
    given = case["input"]
    found = mixed_field(
        given["X"] / given["N"], np.array(given["neutron"]), np.array(given["gamma"]), given["gamma_over_neutron"]
    )
    assert found == pytest.approx(
        (case["expected"]["neutron"], case["expected"]["gamma"]), abs=case["tolerance"]["dose_abs"]
    )


@ABSENT
@of("zscore")
def test_z_scores(case):
    given, expected = case["input"], case["expected"]
    values = np.array(given["values"])
    reference = given["reference"] if given["type"] == "dose" else None
    for name in ("A", "B", "QHampel"):
        found = z_scores(values, reference=reference, algorithm=name)
        assert found == pytest.approx(expected[name], abs=case["tolerance"]["abs"])
    for name, key, fields in (
        ("A", "algA", ("mu", "s")),
        ("B", "algB", ("location", "scale")),
        ("QHampel", "QH", ("x.star", "s.star")),
    ):
        robust = ALGORITHMS[name](values)
        wanted = [expected["robust"][key][field] for field in fields]
        assert [robust.location, robust.scale] == pytest.approx(wanted, abs=case["tolerance"]["abs"])


@ABSENT
@of("genome_factor")
def test_genome_factor(case):
    given = case["input"]
    found = genome_factor(given["painted"], given["fractions_morton"])
    assert found == pytest.approx(case["expected"]["Fp_over_FG"], rel=case["tolerance"]["rel"])


@ABSENT
@of("sigurdson")
def test_background_translocations(case):
    given = case["input"]
    found = expected_background(
        given["cells"],
        given["genome_factor"],
        Person(given["age"], sex=given.get("sex", ""), smoker=bool(given.get("smoker", False))),
    )
    assert found == pytest.approx(case["expected"]["expected"], rel=case["tolerance"]["rel"])


@ABSENT
@of("bayes_nb")
def test_calibrative_density(case):
    given, expected, close = case["input"], case["expected"], case["tolerance"]["abs"]
    curve = np.array([given["curve"].get("C", 0.0), given["curve"]["alpha"], given["curve"]["beta"]])
    covariance = np.zeros((3, 3))
    known = np.array(given["curve"]["cov"])
    covariance[3 - len(known) :, 3 - len(known) :] = known
    found = calibrative_density(given["X"], given["cells"], curve, covariance)
    assert [found.mode, found.mean, found.sd] == pytest.approx(
        [expected["mode"], expected["mean"], expected["sd"]], abs=close
    )
    assert found.hpd() == pytest.approx(expected["hpd"], abs=close)
    assert found.equal_tailed() == pytest.approx(expected["eq"], abs=close)


@ABSENT
@of("poisson_two_sample")
def test_two_yields_compared(case):
    found = [two_sample_p(*row) for row in case["input"]["rows"]]
    np.testing.assert_allclose(found, case["expected"]["p"], rtol=case["tolerance"]["rel"])


@ABSENT
def test_no_method_of_the_file_is_left_out():
    assert {c["method"] for c in CASES} <= TESTED
