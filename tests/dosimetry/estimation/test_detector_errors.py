"""The detector's errors in the dose: against the plain density, against sampling, and by coverage."""

import numpy as np
import pytest

from cytally.dosimetry.curves.fit import yield_at
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors, detector_density, point_dose
from cytally.errors import CountsError

CURVE = np.array([0.00128, 0.02103, 0.06307])
COVARIANCE = np.array([[2.22e-7, -9.95e-7, 4.38e-7], [-9.95e-7, 2.66e-5, -1.512e-5], [4.38e-7, -1.512e-5, 1.61e-5]])
PERFECT = DetectorErrors(10_000_000, 0, 0, 1_000_000_000)
FAIR = DetectorErrors(150, 50, 6, 600)


def test_a_perfect_detector_changes_nothing():
    plain = calibrative_density(60, 500, CURVE, COVARIANCE)
    found = detector_density(60, 500, CURVE, COVARIANCE, PERFECT)
    assert found.mean == pytest.approx(plain.mean, abs=2e-3)
    assert found.hpd() == pytest.approx(plain.hpd(), abs=4e-3)  # grids of different pitch


@pytest.mark.parametrize(
    ("errors", "count", "cells", "doses"),
    [
        (FAIR, 40, 300, np.linspace(0.3, 2.5, 45)),
        # two hundred cells validated: the tails of r, f and h decide, and h and f are not independent
        (DetectorErrors(54, 10, 2, 100, beside=6, exposed=100), 570, 1000, np.linspace(2.0, 4.2, 45)),
    ],
)
def test_the_grid_of_quantiles_agrees_with_sampling(errors, count, cells, doses):
    """A slow twin: r, f, h and the curve drawn at random, the count's probability averaged."""
    rng = np.random.default_rng(1)
    draws = 20_000
    recall = rng.beta(errors.found + 0.5, errors.missed + 0.5, draws)
    false = rng.gamma(errors.false + 0.5, 1 / errors.cells, draws)
    if errors.exposed:
        beside = rng.gamma(errors.beside + 0.5, 1.0, draws) - false * errors.exposed
        recall = recall + np.maximum(beside, 0) / (errors.found + errors.missed)
    curves = rng.multivariate_normal(CURVE, COVARIANCE, draws)
    yields = curves[:, 0] + curves[:, 1] * doses[:, None] + curves[:, 2] * doses[:, None] ** 2
    means = cells * (recall * np.clip(yields, 1e-9, None) + false)
    slow = np.exp(count * np.log(means) - means - count * np.log(count) + count).mean(axis=1)
    found = detector_density(count, cells, CURVE, COVARIANCE, errors)
    fast = np.interp(doses, found.dose, found.density)
    # both scaled to 1 at their largest; sampling alone leaves about 0.01
    np.testing.assert_allclose(fast / fast.max(), slow / slow.max(), atol=0.03)


def test_recall_and_false_rate_move_the_dose_where_they_must():
    truth = 300 * (0.75 * yield_at(np.array(2.0), CURVE) + 0.01)
    errors = DetectorErrors(75_000, 25_000, 10_000, 1_000_000)
    assert point_dose(round(float(truth)), 300, CURVE, errors) == pytest.approx(2.0, abs=0.02)
    wide = detector_density(70, 300, CURVE, COVARIANCE, DetectorErrors(15, 5, 1, 60)).hpd()
    sharp = detector_density(70, 300, CURVE, COVARIANCE, DetectorErrors(1500, 500, 60, 6000)).hpd()
    assert wide[1] - wide[0] > 1.2 * (sharp[1] - sharp[0])


def test_intervals_cover_and_ignoring_the_errors_fails():
    """400 samples of 300 cells at 1.5 Gy, validation sets of 500 cells drawn anew each time.

    Nominal 95 %; the standard error of the simulation is 0.011. The full table is
    made by benchmarks/detector_coverage.py.
    """
    rng = np.random.default_rng(3)
    r, f, dose, cells = 0.7, 0.02, 1.5, 300
    true_yield = float(yield_at(np.array(dose), CURVE))
    inside, ignored = [], []
    for _ in range(400):
        dicentrics = rng.poisson(500 * 0.3)
        found = rng.binomial(dicentrics, r)
        errors = DetectorErrors(int(found), int(dicentrics - found), int(rng.poisson(500 * f)), 500)
        count = int(rng.poisson(cells * (r * true_yield + f)))
        low, high = detector_density(count, cells, CURVE, np.zeros((3, 3)), errors).likelihood_region()
        inside.append(low <= dose <= high)
        low, high = calibrative_density(count, cells, CURVE, np.zeros((3, 3))).likelihood_region()
        ignored.append(low <= dose <= high)
    assert 0.92 <= np.mean(inside) <= 0.985
    assert np.mean(ignored) < 0.75


def test_impossible_validation_sets_are_refused():
    with pytest.raises(CountsError, match="at least one cell"):
        DetectorErrors(3, 1, 0, 0)
    with pytest.raises(CountsError, match="found and missed"):
        DetectorErrors(0, 0, 0, 10)
    with pytest.raises(CountsError, match="at least one dicentric found, got 0 found and 50 missed"):
        DetectorErrors(0, 50, 6, 600)
    with pytest.raises(CountsError, match="got 600 in 6 cells; were the two interchanged"):
        DetectorErrors(150, 50, 600, 6)
    with pytest.raises(CountsError, match="got 400 in 9 cells; were the two interchanged"):
        DetectorErrors(150, 50, 6, 600, 400, 9)


def test_false_dicentrics_that_grow_with_dose_are_carried():
    """40 false ones beside 1,000 true dicentrics and 0.005 per cell elsewhere: h = (40 - 0.005 x 1000) / 1000."""
    errors = DetectorErrors(800, 200, 50, 10_000, beside=40, exposed=1000)
    assert errors.per_dicentric == pytest.approx(0.8 + 0.035, abs=2e-3)
    truth = 400 * (0.835 * yield_at(np.array(3.0), CURVE) + 0.005)
    assert point_dose(round(float(truth)), 400, CURVE, errors) == pytest.approx(3.0, abs=0.03)
    ignoring = DetectorErrors(800, 200, 50, 10_000)
    assert point_dose(round(float(truth)), 400, CURVE, ignoring) > 3.04
    densities = [detector_density(210, 400, CURVE, COVARIANCE, each) for each in (errors, ignoring)]
    assert densities[0].mean < densities[1].mean - 0.03


def test_as_many_false_ones_in_exposed_cells_as_in_silent_ones_add_nothing():
    silent = DetectorErrors(800, 200, 500, 100_000)
    same = DetectorErrors(800, 200, 500, 100_000, beside=5, exposed=1000)
    assert same.per_dicentric == pytest.approx(silent.recall, abs=1e-3)
    # its nodes hold what chance allows: five expected, up to nine likely
    assert np.median(same.nodes()[1]) == pytest.approx(np.median(silent.nodes()[1]), abs=3e-3)


def test_false_ones_in_exposed_cells_need_their_number():
    with pytest.raises(CountsError, match="number of exposed cells"):
        DetectorErrors(10, 2, 1, 100, beside=3)
