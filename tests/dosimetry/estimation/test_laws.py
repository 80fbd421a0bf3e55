import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cytally.dosimetry.curves.fit import dose_at, fit_curve, protraction_factor, yield_at, yield_error
from cytally.dosimetry.estimation.limits.merkle import merkle
from cytally.errors import CountsError
from cytally.statistics.poisson import dispersion, garwood

CURVE = np.array([0.00128, 0.02103, 0.06307])
COVARIANCE = np.array([[2.22e-7, -9.95e-7, 4.38e-7], [-9.95e-7, 2.66e-5, -1.512e-5], [4.38e-7, -1.512e-5, 1.61e-5]])
curves = st.tuples(st.floats(0, 0.05), st.floats(0, 0.5), st.floats(1e-4, 0.3)).map(np.array)


@given(curves, st.floats(0, 12))
def test_dose_inverts_its_curve(curve, dose):
    # where the curve is nearly flat the yield of a small dose drowns in rounding: 1e-6 Gy
    assert dose_at(float(yield_at(np.array(dose), curve)), curve) == pytest.approx(dose, rel=1e-6, abs=1e-5)


@given(st.integers(0, 400), st.integers(20, 3000))
def test_limits_are_ordered_and_hold_the_estimate(count, cells):
    assume(count < 3 * cells)
    found = merkle(count, cells, CURVE, COVARIANCE)
    assert 0 <= found.lower <= found.estimate <= found.upper


@given(st.integers(0, 60), st.integers(50, 1000))
def test_ten_times_the_cells_and_counts_never_widen(count, cells):
    few, many = merkle(count, cells, CURVE, COVARIANCE), merkle(10 * count, 10 * cells, CURVE, COVARIANCE)
    assert many.upper - many.lower <= few.upper - few.lower + 1e-9


@given(st.integers(0, 200))
def test_garwood_limits_rise_with_the_count(count):
    here, above = garwood(count), garwood(count + 1)
    assert here.lower <= count <= here.upper
    assert here.upper < above.upper and here.lower < above.lower


@given(st.permutations(range(6)))
def test_a_fit_does_not_depend_on_the_order_of_doses(order):
    dose, cells = np.array([0, 0.5, 1, 2, 3, 4.0]), np.array([4000, 2000, 1000, 400, 200, 150])
    found = np.array([5, 56, 88, 115, 130, 160])
    plain = fit_curve(dose, cells, found)
    mixed = fit_curve(dose[order], cells[order], found[order])
    np.testing.assert_allclose(mixed.coefficients, plain.coefficients, rtol=1e-8)


def test_one_dose_split_in_two_rows_gives_the_same_curve():
    whole = fit_curve(np.array([0, 1, 2, 4.0]), np.array([3000, 900, 400, 100]), np.array([4, 77, 118, 109]))
    split = fit_curve(
        np.array([0, 1, 1, 2, 4.0]), np.array([3000, 300, 600, 400, 100]), np.array([4, 30, 47, 118, 109])
    )
    np.testing.assert_allclose(split.coefficients, whole.coefficients, rtol=1e-9)
    np.testing.assert_allclose(split.covariance, whole.covariance, rtol=1e-7)


def test_the_covariance_is_that_of_repeated_experiments():
    """600 simulated curves; standard errors of a variance at 600 are 6 %, judged at 4 of them."""
    rng = np.random.default_rng(5)
    dose = np.array([0, 0.25, 0.5, 1, 2, 3, 4.0])
    cells = np.array([6000, 4000, 3000, 2000, 800, 400, 300])
    mean = cells * yield_at(dose, CURVE)
    fits = [fit_curve(dose, cells, rng.poisson(mean)) for _ in range(600)]
    found = np.cov(np.array([f.coefficients for f in fits]).T)
    predicted = np.mean([f.covariance for f in fits], axis=0)
    np.testing.assert_allclose(np.diag(found), np.diag(predicted), rtol=0.24)


def test_nominal_95_percent_limits_cover_the_truth():
    """500 samples of 300 cells at 1.5 Gy with a refitted curve; 0.95 +- 4 x 0.0097, over-coverage allowed."""
    rng = np.random.default_rng(6)
    dose = np.array([0, 0.25, 0.5, 1, 2, 3, 4.0])
    cells = np.array([6000, 4000, 3000, 2000, 800, 400, 300])
    hit = 0
    for _ in range(500):
        fit = fit_curve(dose, cells, rng.poisson(cells * yield_at(dose, CURVE)))
        count = rng.poisson(300 * yield_at(np.array(1.5), CURVE))
        found = merkle(int(count), 300, fit.coefficients, fit.covariance)
        hit += found.lower <= 1.5 <= found.upper
    assert hit / 500 > 0.95 - 4 * 0.0097


def test_a_curve_without_quadratic_term_is_inverted_exactly():
    assert dose_at(0.9, np.array([0.1, 0.4, 0.0])) == pytest.approx(2.0, rel=1e-12)
    assert dose_at(0.05, np.array([0.1, 0.4, 0.0])) == 0.0
    assert dose_at(0.9, np.array([0.1, 0.0, 0.0])) == float("inf")


def test_curve_error_equals_the_sum_written_out():
    d = 1.7
    expected = sum(COVARIANCE[i, j] * d**i * d**j for i in range(3) for j in range(3)) ** 0.5
    assert float(yield_error(np.array(d), COVARIANCE)) == pytest.approx(expected, rel=1e-12)


def test_protraction_tends_to_one_and_to_two_over_x():
    assert protraction_factor(1e-9) == pytest.approx(1.0, abs=1e-9)
    assert protraction_factor(2e4) == pytest.approx(2 / 1e4, rel=1e-3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (([0, 1.0], [10, 10], [1, 2]), "at least 3 different doses"),
        (([0, 1, 2.0], [10, 0, 10], [1, 2, 3]), "at least one cell"),
        (([0, 1, 2.0], [10, 10, 10], [0, 0, 0]), "got none at any dose"),
        (([-1, 1, 2.0], [10, 10, 10], [1, 2, 3]), "doses >= 0"),
        (([0, 1, 2.0], [10, 10, 10], [1, -2, 3]), "no negative count"),
    ],
)
def test_impossible_counts_are_refused(rows, message):
    with pytest.raises(CountsError, match=message):
        fit_curve(*(np.array(r, dtype=float) for r in rows))


def test_dispersion_of_nobody_is_undefined():
    found = dispersion(np.array([500]))
    assert found.aberrations == 0 and np.isnan(found.index) and not found.overdispersed


def test_a_coefficient_at_its_bound_is_named_and_costs_no_degree_of_freedom():
    """Yields of 0, .09, .183 and .38 at 0, .5, 1 and 2 Gy: the line through 0 has one coefficient."""
    fit = fit_curve(
        np.array([0, 0.5, 1, 2]), np.array([2000, 400, 300, 200]), np.array([0, 36, 55, 76]), quadratic=False
    )
    assert fit.at_bound == ("C",) and fit.coefficients[0] == 0 and fit.degrees == 3
    assert fit.coefficients[1] == pytest.approx((36 + 55 + 76) / (400 * 0.5 + 300 + 200 * 2), rel=1e-9)


@given(st.lists(st.integers(0, 40), min_size=5, max_size=5))
def test_a_fit_is_where_no_coefficient_may_move(counts):
    """Karush, Kuhn and Tucker: slope 0 where free, downhill where held at 0; degrees by those that are free."""
    dose, cells = np.array([0, 0.5, 1, 2, 3]), np.array([400, 300, 200, 100, 60])
    try:
        fit = fit_curve(dose, cells, np.array(counts))
    except CountsError:
        assume(False)
    x = np.stack([np.ones(5), dose, dose**2], axis=1) * cells[:, None]
    mean = x @ fit.coefficients
    slope = x.T @ (np.where(np.array(counts) > 0, np.array(counts) / np.maximum(mean, 1e-12), 0) - 1) / x.sum(axis=0)
    assert fit.degrees == 5 - (fit.coefficients > 0).sum()
    assert (np.abs(slope[fit.coefficients > 0]) < 1e-5).all() and (slope[fit.coefficients == 0] < 1e-5).all()


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        ([1000, 1000, 500, 200], [50, 30, 10, 2]),  # decreasing
        ([8, 38, 91, 150], [5000, 2000, 1000, 300]),  # the columns interchanged
        ([100, 100, 100, 100], [7, 7, 7, 7]),  # flat
    ],
)
def test_a_yield_that_does_not_grow_is_no_curve(cells, counts):
    with pytest.raises(CountsError, match="expected a yield that grows with dose, got .* at 3 Gy; are columns"):
        fit_curve(np.array([0, 1, 2, 3.0]), np.array(cells), np.array(counts))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_fit_takes_numbers_only(wrong):
    with pytest.raises(CountsError, match="got NaN or infinity"):
        fit_curve(np.array([0, 1, 2.0]), np.array([100, wrong, 100]), np.array([1, 2, 9]))
    with pytest.raises(CountsError, match="doses >= 0"):
        fit_curve(np.array([0, wrong, 2.0]), np.array([100, 100, 100]), np.array([1, 2, 9]))
