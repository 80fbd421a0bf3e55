"""Doubling times that are known, and limits that cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytally.errors import CountsError
from cytally.statistics.growth import fit_growth


@given(st.floats(0.5, 100), st.floats(2, 1000), st.integers(3, 40))
def test_an_exact_exponential_gives_back_its_doubling_time(doubling, start, points):
    time = np.linspace(0, 3 * doubling, points)
    found = fit_growth(time, start * 2 ** (time / doubling))
    assert found.doubling[0] == pytest.approx(doubling, rel=1e-6)
    assert found.start == pytest.approx(start, rel=1e-6)


def test_limits_cover_for_independent_counts():
    """300 Poisson series: 95 % limits cover the rate in 95 +- 4 standard errors (5 %)."""
    rng = np.random.default_rng(3)
    time = np.arange(24.0)
    inside = 0
    for _ in range(300):
        found = fit_growth(time, rng.poisson(80 * np.exp(0.03 * time)))
        inside += found.lower <= 0.03 <= found.upper
    assert abs(inside / 300 - 0.95) < 0.05


def test_no_growth_no_doubling():
    still = fit_growth(np.arange(10.0), np.array([50, 51, 49, 50, 52, 50, 49, 51, 50, 50.0]))
    assert still.lower < 0 < still.upper and still.doubling[2] == np.inf
    assert np.isnan(fit_growth(np.arange(2.0), np.array([3.0, 5])).rate)
    assert np.isnan(fit_growth(np.arange(4.0), np.array([0.0, 0, 0, 7])).rate)


@pytest.mark.parametrize("count", [1, 13, 500])
def test_equal_counts_are_no_growth_with_an_interval(count):
    """No rate of 1e-17 and no doubling time of 1e15 hours; a count is a whole number, so its rate has an error."""
    still = fit_growth(np.arange(5.0), np.full(5, float(count)))
    assert still.verdict == "no growth shown" and still.doubling[0] == still.doubling[2] == np.inf
    # rounding: sd 1/sqrt(12) of a count, sum of squared times 10, t(0.975, 3) = 3.1824
    assert still.upper == pytest.approx(3.1824 / count / np.sqrt(12 * 10), rel=1e-3)
    assert still.doubling[1] == pytest.approx(np.log(2) / still.upper)


def test_verdicts():
    time = np.arange(8.0)
    assert fit_growth(time, np.round(50 * 2 ** (time / 4))).verdict == "grows"
    assert fit_growth(time, np.round(500 * 2 ** (-time / 4))).verdict == "shrinks"
    few = fit_growth(time[:2], np.array([3.0, 5]))
    assert few.verdict == "too few counts" and np.isnan(few.doubling).all()


def test_holes_change_nothing():
    """Times 0, 4, 8, 20, 24 of an exact exponential."""
    time = np.array([0.0, 4, 8, 20, 24])
    assert fit_growth(time, 20 * 2 ** (time / 12)).doubling[0] == pytest.approx(12, rel=1e-6)


@pytest.mark.parametrize(
    ("time", "count"),
    [([0, 1, 2], [1, 2]), ([0, 1, np.nan], [1, 2, 3]), ([0, 1, 2], [1, -2, 3]), ([0, 1, 2], [1, np.nan, 3])],
)
def test_nonsense_is_refused(time, count):
    with pytest.raises(CountsError, match="expected a time and a count of 0 or more for each image"):
        fit_growth(np.array(time, float), np.array(count, float))
