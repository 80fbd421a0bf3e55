"""Numbers from outside: reference/dose_cases.json (CYTALLY_DOSE_CASES names another file)."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from cytally.statistics.curves import dose_at, fit_curve, protraction_factor
from cytally.statistics.intervals import merkle
from cytally.statistics.poisson import dispersion, garwood

_DEFAULT = Path(__file__).parents[3] / "shared" / "reference" / "dose_cases.json"
_FILE = Path(os.environ.get("CYTALLY_DOSE_CASES", _DEFAULT))
CASES = json.loads(_FILE.read_text())["cases"] if _FILE.is_file() else []
ABSENT = pytest.mark.skipif(not CASES, reason=f"no reference cases at {_FILE}; set CYTALLY_DOSE_CASES")


def of(*methods):
    chosen = [c for c in CASES if c["method"] in methods and c["input"].get("weights") is None]
    return pytest.mark.parametrize("case", chosen or [None], ids=[c["id"] for c in chosen] or ["absent"])


def coefficients(curve):
    return np.array([curve["C"], curve["alpha"], curve["beta"]], dtype=float)


@ABSENT
@of("fit", "fit_constrained")
def test_fits(case):
    given, expected, tolerance = case["input"], case["expected"], case["tolerance"]
    fit = fit_curve(
        np.array(given["dose"]), np.array(given["cells"]), np.array(given["aberrations"]),
        quadratic=given["model"] == "linear-quadratic",
    )  # fmt: skip
    terms = len(expected["coef"])
    np.testing.assert_allclose(fit.coefficients[:terms], expected["coef"], rtol=tolerance["coef_rel"],
                               atol=tolerance.get("coef_abs", 0))  # fmt: skip
    assert list(fit.at_bound) == expected.get("at_bound", [])
    assert fit.log_likelihood == pytest.approx(expected["logLik"], abs=tolerance["logLik_abs"])
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
    found = merkle(total, int(counts.sum()), coefficients(given["curve"]), np.array(given["curve"]["cov"]),
                   level=level, protraction=given["G"])  # fmt: skip
    expected = case["expected"][name]
    np.testing.assert_allclose([found.yield_lower, found.yield_upper], np.array(expected["y"])[[0, 2]],
                               rtol=tolerance["yield_rel"], atol=1e-9)  # fmt: skip
    np.testing.assert_allclose([found.lower, found.estimate, found.upper], expected["dose"],
                               rtol=tolerance["dose_rel"], atol=tolerance["dose_abs"])  # fmt: skip


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
        np.testing.assert_allclose(
            [found.lower, found.upper], limits, rtol=case["tolerance"]["rel"], atol=1e-12
        )
