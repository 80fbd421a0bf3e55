"""Doubling times that are known, and limits that cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
