"""Limits of a dose: found wherever they lie, never the end of a grid, and they hold the estimate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from cytally.dosimetry.assays.low_dose import log_odds, odds, odds_words
from cytally.dosimetry.curves.fit import HIGHEST_GY, dose_at, yield_at
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors, detector_density
from cytally.dosimetry.estimation.limits.prior import Prior
from cytally.errors import CountsError

CURVE = np.array([0.00128, 0.02103, 0.06307])
EXACT = np.zeros((3, 3))
COVARIANCE = np.array([[2.22e-7, -9.95e-7, 4.38e-7], [-9.95e-7, 2.66e-5, -1.512e-5], [4.38e-7, -1.512e-5, 1.61e-5]])


@pytest.mark.parametrize(("count", "cells"), [(40, 500), (400, 500), (10**6, 10**6), (10**8, 10**8)])
def test_on_an_exact_curve_they_are_those_of_a_poisson_mean(count, cells):
    """2 (X ln(X/m) - X + m) = 3.841 solved for m, and the dose at m / N; however narrow they are."""

    def away(mean):
        return 2 * (count * np.log(count / mean) - count + mean) - stats.chi2.ppf(0.95, 1)

    low = optimize.brentq(away, count * 0.3, count)
    high = optimize.brentq(away, count, count * 2)
    mid_p = optimize.brentq(
        lambda m: stats.poisson.cdf(count, m) - stats.poisson.pmf(count, m) / 2 - 0.025, count, count * 2
    )
    lower, upper = calibrative_density(count, cells, CURVE, EXACT).likelihood_region()
    assert lower == pytest.approx(dose_at(low / cells, CURVE), rel=2e-5)
    assert upper == pytest.approx(dose_at(max(high, mid_p) / cells, CURVE), rel=2e-5)


@pytest.mark.parametrize("cells", [50, 200, 1000])
def test_no_dicentric_excludes_what_would_show_one_in_forty_times(cells):
    """Half of exp(-m) is 2.5 % at m = ln 20: with 1.92, where the ratio ends, 15 % show none."""
    _, upper = calibrative_density(0, cells, CURVE * [0, 1, 1], EXACT).likelihood_region()
    assert upper == pytest.approx(dose_at(np.log(20) / cells, CURVE * [0, 1, 1]), rel=1e-4)


def test_a_curve_that_hardly_knows_its_slope_has_no_upper_limit():
    wide = np.diag([1e-6, 0.01, 0.1])
    lower, upper = calibrative_density(25, 500, np.array([0.001, 0.02, 0.06]), wide).likelihood_region()
    assert 0 < lower < 0.75 and upper == float("inf")
    assert calibrative_density(25, 500, np.array([0.001, 0.02, 0.06]), wide).hpd()[1] == float("inf")
    flat = np.array([0.05, 1e-6, 0.0])
    assert detector_density(25, 500, flat, EXACT, DetectorErrors(9, 1, 1, 100)).likelihood_region()[1] == float("inf")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 3000),
    st.integers(1, 3000),
    st.tuples(st.floats(0, 0.01), st.floats(0.001, 0.5), st.floats(0.0, 0.3)),
    st.floats(0.001, 0.9),
)
def test_limits_are_ordered_and_hold_the_likeliest_dose(count, cells, curve, error):
    values = np.array(curve)
    covariance = np.diag((values * error) ** 2)
    if dose_at(count / cells, values) > 0.9 * HIGHEST_GY:
        return
    found = calibrative_density(count, cells, values, covariance)
    for lower, upper in (found.likelihood_region(), found.hpd()):
        assert 0 <= lower <= found.mode <= upper
        assert upper == float("inf") or upper < HIGHEST_GY
    assert 0 < found.density.max() < float("inf")


def test_detector_limits_far_from_the_first_guess_are_found():
    """1e5 detections in 1e5 cells: a peak 0.5 % wide; with a perfect detector that of the plain density."""
    perfect = DetectorErrors(10**9, 0, 0, 10**12)
    plain = calibrative_density(10**5, 10**5, CURVE, EXACT).likelihood_region()
    assert detector_density(10**5, 10**5, CURVE, EXACT, perfect).likelihood_region() == pytest.approx(plain, rel=1e-4)


def test_a_background_that_contradicts_the_count_leaves_0_gy():
    """A curve of 0.5 per cell known exactly, and none in 20,000 cells: 0 Gy, whatever else is impossible."""
    lower, upper = calibrative_density(0, 20_000, np.array([0.5, 0.02, 0.06]), EXACT).likelihood_region()
    assert lower == 0 and upper < 0.01


def test_a_prior_weighs_and_cuts():
    plain = calibrative_density(3, 50, CURVE, COVARIANCE)
    cut = calibrative_density(3, 50, CURVE, COVARIANCE, prior=Prior(highest=1.0))
    assert cut.dose[-1] == 1.0 and cut.hpd()[1] <= 1.0
    low = calibrative_density(3, 50, CURVE, COVARIANCE, prior=Prior(gamma=(2.0, 0.1)))
    dose = np.array([0.3, 0.6])
    ratio = np.interp(dose, low.dose, low.density) / np.interp(dose, plain.dose, plain.density)
    expected = stats.gamma.pdf(dose, 2.0, scale=0.05)
    assert ratio[0] / ratio[1] == pytest.approx(expected[0] / expected[1], rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"highest": 0.0}, "expected a prior up to a dose above 0"),
        ({"highest": float("nan")}, "expected a prior up to a dose above 0"),
        ({"gamma": (2.0, -1.0)}, "expected a gamma prior of shape and mean above 0"),
        ({"gamma": (float("inf"), 1.0)}, "expected a gamma prior of shape and mean above 0"),
        ({"gamma": (0.5, 1.0)}, "shape of 1 to 1000, got 0.5: below, 0 Gy is infinitely likely"),
        ({"gamma": (1e9, 3.0)}, "shape of 1 to 1000, got 1e\\+09"),
    ],
)
def test_impossible_priors_are_refused(arguments, message):
    with pytest.raises(CountsError, match=message):
        Prior(**arguments)


def test_odds_beyond_floating_point_are_said_as_powers():
    """2,000 in 1,000 cells: log odds of two Poisson probabilities, written out."""
    means = 1000 * yield_at(np.array([0.0, 5.0]), CURVE)
    written = 2000 * np.log(means[0] / means[1]) - means[0] + means[1]
    found = log_odds(2000, 1000, 0.0, 5.0, CURVE)
    assert found == pytest.approx(written, rel=1e-9)
    assert odds_words(found) == f"10^{-written / np.log(10):.0f} : 1"
    assert odds(2000, 1000, 5.0, 0.0, CURVE) == float("inf")
    with pytest.raises(CountsError, match="expected other dose >= 0, got nan"):
        log_odds(2, 1000, 0.0, float("nan"), CURVE)
