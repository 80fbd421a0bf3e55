"""Partial-body exposure by profile likelihood: the manual's example, a slow twin, and coverage."""

import numpy as np
import pytest
from scipy import optimize, stats

from cytally.dosimetry.curves.fit import yield_at
from cytally.dosimetry.estimation.limits.contaminated import contaminated
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.partial_body import dolphin, surviving

MANUAL = np.array([932, 56, 9, 1, 1, 1])  # IAEA 2011, 9.7.5.4
IRIDIUM = np.array([0.0, 0.0157, 0.05])
CURVE = np.array([0.00128, 0.02103, 0.06307])
EXACT = np.zeros((3, 3))
COVARIANCE = np.array([[2.22e-7, -9.95e-7, 4.38e-7], [-9.95e-7, 2.66e-5, -1.512e-5], [4.38e-7, -1.512e-5, 1.61e-5]])


def test_its_estimates_are_dolphins_where_no_background_is():
    """192Ir of the manual: 2.97 Gy, f .176, F .391: both are the maximum of one likelihood."""
    ours, classic = (f(MANUAL, IRIDIUM, EXACT, d0_gy=2.7) for f in (contaminated, dolphin))
    for name in ("per_cell", "cells", "dose", "body"):
        assert getattr(ours, name).value == pytest.approx(getattr(classic, name).value, rel=2e-4)
        assert getattr(ours, name).lower < getattr(ours, name).value < getattr(ours, name).upper


def slow_profile(counts, body):
    """Largest log likelihood of counts at a fraction of the body, by a general optimiser."""
    k = np.arange(len(counts))

    def loss(logged):
        dose = np.exp(logged[0])
        alive = np.exp(-dose / 2.7)
        share = body * alive / (body * alive + 1 - body)
        mixed = share * stats.poisson.pmf(k, yield_at(np.array(dose), IRIDIUM)) + (1 - share) * (k == 0)
        return -(counts * np.log(mixed)).sum()

    return -min(optimize.minimize(loss, [start], method="Nelder-Mead").fun for start in (0.0, 1.0, 2.0))


def test_limits_of_the_body_are_where_a_slow_twin_crosses():
    found = contaminated(MANUAL, IRIDIUM, EXACT, d0_gy=2.7).body
    top = slow_profile(MANUAL, found.value)
    for limit in (found.lower, found.upper):
        assert top - slow_profile(MANUAL, limit) == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, abs=0.08)


def test_where_counts_are_poisson_the_whole_body_lies_within_the_limits():
    even = contaminated(np.array([475, 25]), CURVE, COVARIANCE, d0_gy=2.7)
    assert even.cells.value == 1 and even.body.upper == 1
    assert even.dose.value == pytest.approx(0.728, abs=2e-3)  # that of the whole body
    assert even.dose.upper > 1.3 and even.cells.lower < 0.5  # 25 single ones may hide in half of the cells


def test_no_more_than_background_is_not_estimable():
    assert contaminated(np.array([1000]), CURVE, COVARIANCE, d0_gy=2.7) is None
    assert contaminated(np.array([999, 1]), CURVE, COVARIANCE, d0_gy=2.7) is None


def test_counts_beyond_every_dose_are_not_estimable_by_either_method():
    counts = np.zeros(1001, dtype=int)
    counts[[0, 1000]] = 475, 5
    assert dolphin(counts, CURVE, COVARIANCE) is None
    assert contaminated(counts, CURVE, COVARIANCE, d0_gy=2.7) is None


def test_a_perfect_detector_changes_nothing_and_a_real_one_raises_and_widens():
    counts = np.array([302, 28, 22, 8, 1])
    plain = contaminated(counts, CURVE, COVARIANCE, d0_gy=2.7).dose
    perfect = contaminated(counts, CURVE, COVARIANCE, d0_gy=2.7, errors=DetectorErrors(10**7, 0, 0, 10**9)).dose
    real = contaminated(counts, CURVE, COVARIANCE, d0_gy=2.7, errors=DetectorErrors(60, 20, 2, 200)).dose
    assert (perfect.lower, perfect.upper) == pytest.approx((plain.lower, plain.upper), rel=2e-3)
    assert real.value > plain.value + 0.3 and real.upper - real.lower > 1.2 * (plain.upper - plain.lower)


def test_limits_cover_where_the_u_test_would_have_chosen():
    """2 Gy to half of 500 cells, 100 replicates: nominal 95 %, judged at four standard errors (0.022).

    Printed only where u > 1.96, the fraction was covered in .87 to .89 (benchmarks/partial_coverage.py).
    """
    rng = np.random.default_rng(4)
    truth = 2.0, 0.5, surviving(0.5, 2.0, 2.7)[0]
    inside = []
    for _ in range(100):
        hit = rng.binomial(500, 0.5)
        per_cell = np.append(rng.poisson(float(yield_at(np.array(2.0), CURVE)), hit), rng.poisson(CURVE[0], 500 - hit))
        found = contaminated(np.bincount(per_cell), CURVE, EXACT, d0_gy=2.7)
        parts = (found.dose, found.cells, found.body)
        inside.append([part.lower <= true <= part.upper for part, true in zip(parts, truth, strict=True)])
    assert (np.mean(inside, axis=0) > 0.95 - 0.088).all()
