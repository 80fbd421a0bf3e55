"""A background of 0 in the controls is not exactly 0: against exact posteriors, and by coverage."""

import numpy as np
import pytest
from benchmarks.replicates import carried_many, fit_many, likelihood_many
from scipy import integrate, stats

from cytally.dosimetry.assays.low_dose import characteristic_limits
from cytally.dosimetry.curves.controls import FEW, Series, carried
from cytally.dosimetry.curves.fit import fit_curve, yield_at
from cytally.dosimetry.estimation.limits.counting import count_below, count_log, count_up_to
from cytally.statistics.poisson import one_sample_p

DOSE = np.array([0, 0.25, 0.5, 1, 2, 3, 4.0])
CELLS = np.array([500, 2000, 1500, 1000, 500, 300, 200.0])
TRUTH = np.array([0.001, 0.03, 0.06])


def series(controls, among, *, weights=None):
    counts = np.append(controls, [23, 48, 91, 150, 189, 216]).astype(float)
    cells = np.append(among, CELLS[1:])
    return Series(DOSE, cells, counts, np.ones(7) if weights is None else weights)


def carried_of(given):
    fit = fit_curve(given.dose, given.cells, given.aberrations, weights=given.weights)
    return fit, carried(fit.coefficients, fit.covariance, given)


@pytest.mark.parametrize("controls", [0, 1, 3])
def test_a_count_without_dose_is_the_predictive_one_of_jeffreys_posterior(controls):
    """With controls alone: X of N given X0 of N0 is the integral of Poisson over Gamma(X0 + 1/2) / N0."""
    among, cells = 1000, 800
    known = carried(
        np.array([controls / among, 0.03, 0.06]),
        np.zeros((3, 3)),
        Series(np.zeros(1), np.array([among]), np.array([controls]), np.ones(1)),
    )
    mean, variance = known.coefficients[:1], known.covariance[0, :1]
    for count in (0, 1, 4):
        slow, _ = integrate.quad(
            lambda c, count=count: (
                stats.poisson.pmf(count, cells * c) * stats.gamma.pdf(c, controls + 0.5, scale=1 / among)
            ),
            0,
            0.05,
            points=[1e-5, 1e-4, 1e-3, 5e-3],
            limit=400,
            epsabs=1e-12,
        )
        assert np.exp(count_log(count, cells, mean, variance))[0] == pytest.approx(slow, rel=2e-3)


def test_the_count_is_scipys_negative_binomial_wherever_both_can_be_computed():
    mean = np.array([0.002, 0.05, 0.6])
    for variance in (mean**2 / 3, mean**2 / 5e2, mean**2 / 2e3, mean**2 / 1e5):
        shape = mean**2 / variance
        twin = stats.nbinom(shape, 1 / (1 + 400 * variance / mean))
        for count in (0, 2, 150):
            np.testing.assert_allclose(count_log(count, 400, mean, variance), twin.logpmf(count), rtol=1e-8, atol=1e-8)
            np.testing.assert_allclose(count_up_to(count, 400, mean, variance), twin.cdf(count), rtol=1e-7)
            half = twin.cdf(count) - twin.pmf(count) / 2
            np.testing.assert_allclose(count_below(count, 400, mean, variance), half, rtol=1e-6)


def test_between_negative_binomial_and_poisson_there_is_no_step():
    """0 of 20,000 at a yield of 0.5 known ever better: rises smoothly to Poisson's -10,000."""
    mean, spreads = np.full(60, 0.5), 0.25 / np.geomspace(1e5, 1e14, 60)
    log = count_log(0, 20_000, mean, spreads)
    assert log[-1] == pytest.approx(-10_000, abs=1e-3)
    assert (np.diff(log) <= 0).all() and np.abs(np.diff(log)).max() < 300


def test_many_controls_change_nothing_and_few_widen():
    fit, known = carried_of(series(FEW, 5000))
    assert known.coefficients is fit.coefficients and not known.few
    fit, known = carried_of(series(0, 1000))
    assert fit.covariance[0, 0] == 0 or fit.coefficients[0] > 0
    assert known.few and known.coefficients[0] > fit.coefficients[0]
    assert known.covariance[0, 0] > 0


def test_fit_by_fit_and_many_at_once_carry_the_same():
    rng = np.random.default_rng(7)
    drawn = rng.poisson(CELLS * yield_at(DOSE, TRUTH), (40, 7)).astype(float)
    coefficients, covariance = carried_many(DOSE, CELLS, drawn)
    few = 0
    for counts, value, spread in zip(drawn, coefficients, covariance, strict=True):
        _, slow = carried_of(Series(DOSE, CELLS, counts, np.ones(7)))
        few += slow.few
        np.testing.assert_allclose(value, slow.coefficients, rtol=1e-4, atol=1e-8)
        np.testing.assert_allclose(spread, slow.covariance, rtol=1e-3, atol=1e-11)
    assert few > 30


def test_a_quasi_poisson_curve_stays_so_much_wider():
    given = series(0, 1000)
    fit = fit_curve(given.dose, given.cells, given.aberrations)
    plain = carried(fit.coefficients, fit.covariance, given)
    wide = carried(fit.coefficients, 3 * fit.covariance, given)
    np.testing.assert_allclose(wide.covariance, 3 * plain.covariance, rtol=1e-9)


def test_weighted_controls_get_half_a_count_of_what_they_are_worth():
    """Weights of a half: as much as half of the cells and half of the aberrations."""
    given = series(2, 1000, weights=np.full(7, 0.5))
    halved = Series(DOSE, given.cells / 2, given.aberrations / 2, np.ones(7))
    for one, other in zip(carried_of(given), carried_of(halved), strict=True):
        np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-8)
        np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-7)


def test_a_file_that_knows_its_curve_exactly_keeps_that_but_for_the_background():
    given = series(0, 1000)
    fit = fit_curve(given.dose, given.cells, given.aberrations)
    known = carried(fit.coefficients, np.zeros((3, 3)), given)
    assert not known.covariance[1:].any() and known.coefficients[1:].tolist() == fit.coefficients[1:].tolist()
    assert known.covariance[0, 0] == pytest.approx(known.coefficients[0] / 1000)


def test_a_published_background_is_as_uncertain_as_a_count_of_the_same_error():
    """0.001 +- 0.001 is one in 1,000 cells: 1.5 in 1,000 with its error. A better known one stays."""
    spread = np.diag([1e-6, 1e-6, 1e-6])
    known = carried(np.array([0.001, 0.02, 0.06]), spread)
    assert known.coefficients[0] == pytest.approx(0.0015)
    assert known.covariance[0, 0] == pytest.approx(1.5e-6)
    better = carried(np.array([0.001, 0.02, 0.06]), np.diag([1e-7, 1e-6, 1e-6]))
    assert not better.few and not better.exact
    assert carried(np.array([0.0, 0.02, 0.06]), np.zeros((3, 3))).exact


def test_a_background_at_its_bound_without_controls_keeps_the_error_of_extrapolation():
    """The curve free of the constraint has an error of C; half a normal distribution of it is carried."""
    dose, cells = np.array([0.5, 1, 2, 3.0]), np.array([500, 400, 300, 200.0])
    counts = np.array([3.0, 25, 60, 70])
    fit = fit_curve(dose, cells, counts)
    assert "C" in fit.at_bound
    known = carried(fit.coefficients, fit.covariance, Series(dose, cells, counts, np.ones(4)))
    assert known.few and known.coefficients[0] > 0 and known.covariance[0, 0] > 0
    assert np.linalg.eigvalsh(known.covariance).min() > -1e-12


BARE = np.array([0.5, 1, 2]), np.array([1000, 1000, 1000.0]), np.array([10, 60, 250.0])


def test_a_curve_without_controls_still_expects_its_own_counts():
    """10, 60 and 250 of 1,000: at each dose the mean curve lies within a count's error of the fitted one."""
    dose, cells, counts = BARE
    fit = fit_curve(dose, cells, counts)
    known = carried(fit.coefficients, fit.covariance, Series(dose, cells, counts, np.ones(3)))
    away = yield_at(dose, known.coefficients) - yield_at(dose, fit.coefficients)
    assert (np.abs(away) < np.sqrt(counts) / cells).all()


def test_a_curve_without_controls_is_the_mean_of_what_its_counts_leave_possible():
    """Against a plain Metropolis walk through the same posterior; errors about the fit."""
    dose, cells, counts = BARE
    fit = fit_curve(dose, cells, counts)
    rows, rng = np.stack([np.ones(3), dose, dose**2], axis=1) * cells[:, None], np.random.default_rng(0)

    def log(at):
        mean = at @ rows.T
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = (counts * np.log(mean) - mean).sum(axis=1) - 0.5 * np.log(at[:, :2]).sum(axis=1)
        return np.where((at > 0).all(axis=1), inside, -np.inf)

    at = np.tile([0.001, 0.004, 0.058], (4000, 1))
    kept, now = [], log(at)
    for step in range(600):
        new = at + rng.normal(size=at.shape) @ np.diag([0.0008, 0.002, 0.002]) * rng.choice([0.3, 1, 2])
        then = log(new)
        taken = np.log(rng.random(4000)) < then - now
        at, now = np.where(taken[:, None], new, at), np.where(taken, then, now)
        if step >= 200 and step % 20 == 0:
            kept.append(at)
    walk = np.concatenate(kept)
    known = carried(fit.coefficients, fit.covariance, Series(dose, cells, counts, np.ones(3)))
    np.testing.assert_allclose(known.coefficients, walk.mean(axis=0), rtol=0.05)
    away = walk - fit.coefficients
    np.testing.assert_allclose(np.sqrt(np.diag(known.covariance)), np.sqrt((away**2).mean(axis=0)), rtol=0.05)


def test_limits_cover_on_curves_without_controls():
    """300 replicates of four doses from 0.5 Gy on; nominal 95 %, a standard error of 0.013."""
    rng, truth = np.random.default_rng(5), (0.001, 0.005, 0.06)
    dose, cells = np.array([0.5, 1, 2, 3]), np.array([1000, 1000, 500, 300.0])
    curves = carried_many(dose, cells, rng.poisson(cells * yield_at(dose, np.array(truth)), (300, 4)))
    for number, gray in ((500, 0.4), (2000, 0.3), (500, 1.0), (10_000, 2.0)):
        counts = rng.poisson(number * float(yield_at(np.array(gray), np.array(truth))), 300)
        low, high = likelihood_many(counts, number, *curves).T
        assert 0.92 < ((low <= gray) & (gray <= high)).mean() < 0.995


def test_weights_and_replicates_without_controls_say_as_much_as_their_sum():
    dose, cells, counts = BARE
    fit = fit_curve(dose, cells, counts)
    plain = carried(fit.coefficients, fit.covariance, Series(dose, cells, counts, np.ones(3)))
    halves = Series(np.tile(dose, 2), np.tile(cells, 2), np.tile(counts, 2), np.full(6, 0.5))
    twice = carried(fit.coefficients, fit.covariance, halves)
    np.testing.assert_allclose(twice.coefficients, plain.coefficients, rtol=1e-6)
    np.testing.assert_allclose(twice.covariance, plain.covariance, rtol=1e-5)


def test_a_background_known_to_nothing_stays_within_its_own_error():
    """0.00128 +- 1 says 0 to 2, not 390 per cell."""
    known = carried(np.array([0.00128, 0.02103, 0.06307]), np.eye(3))
    assert known.coefficients[0] == pytest.approx(np.sqrt(2 / np.pi))
    assert known.coefficients[1:].tolist() == [0.02103, 0.06307]


def test_a_higher_background_takes_no_more_than_all_of_alpha():
    spread = np.diag([0.01, 0.02, 0.004]) @ np.array([[1, -0.9, 0], [-0.9, 1, 0], [0, 0, 1]])
    spread = spread @ np.diag([0.01, 0.02, 0.004])
    known = carried(np.array([0.008, 0.004, 0.06]), spread)
    assert known.coefficients[1] == pytest.approx(0, abs=1e-12)
    assert known.coefficients[0] == pytest.approx(0.008 + 0.004 / 1.8)


@pytest.mark.parametrize(("controls", "cells"), [(500, 1000), (1000, 500)])
def test_limits_without_dose_cover_with_few_controls(controls, cells):
    """600 replicates; nominal 95 %, a standard error of 0.009. Taken as known: .60 and .86."""
    rng = np.random.default_rng(11)
    scored = np.append(controls, CELLS[1:])
    drawn = rng.poisson(scored * yield_at(DOSE, TRUTH), (600, 7)).astype(float)
    counts = rng.poisson(cells * TRUTH[0], 600)
    held = likelihood_many(counts, cells, *carried_many(DOSE, scored, drawn))[:, 0] == 0
    ignored = likelihood_many(counts, cells, *fit_many(DOSE, scored, drawn))[:, 0] == 0
    assert held.mean() > 0.93
    assert ignored.mean() < 0.90


def test_a_threshold_carries_the_controls():
    """No dicentric in 1,000 controls: one or two more in 3,000 cells say nothing yet."""
    known = characteristic_limits(3000, 0.5 / 1000, variance=0.5 / 1000**2)
    exact = characteristic_limits(3000, 1e-9)
    assert exact.threshold == 0 and known.threshold >= 5
    many = characteristic_limits(3000, 0.001, variance=1e-16).threshold
    assert many == characteristic_limits(3000, 0.001).threshold


def test_a_test_of_a_mean_is_the_sum_over_the_negative_binomial():
    twin = stats.nbinom(0.5, 1 / (1 + 3.0))  # of 3,000 cells, controls 0 in 1,000
    likely = twin.pmf(np.arange(4000))
    for count in (0, 2, 7):
        slow = likely[likely <= likely[count] * (1 + 1e-9)].sum()
        assert one_sample_p(count, 1.5, 4.5) == pytest.approx(slow, rel=1e-6)
