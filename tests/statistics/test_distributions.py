"""Our few quantiles against scipy.stats, which is slower to import and knows many more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cytally.statistics.distributions import (
    beta_quantile,
    chi2_quantile,
    chi2_tail,
    gamma_quantile,
    normal_quantile,
    poisson_beyond,
    poisson_log,
    poisson_up_to,
)

chance = st.floats(1e-6, 1 - 1e-6)


@given(chance, st.floats(0.5, 2000), st.floats(0.5, 500))
def test_quantiles(p, one, other):
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-9, abs=1e-12)
    assert chi2_quantile(p, one) == pytest.approx(stats.chi2.ppf(p, one), rel=1e-9)
    assert gamma_quantile(p, one) == pytest.approx(stats.gamma.ppf(p, one), rel=1e-9)
    assert beta_quantile(p, one, other) == pytest.approx(stats.beta.ppf(p, one, other), rel=1e-7)


@given(st.integers(-1, 400), st.floats(0, 500))
def test_tails(count, mean):
    assert poisson_up_to(count, mean) == pytest.approx(stats.poisson.cdf(count, mean), rel=1e-9, abs=1e-300)
    assert chi2_tail(mean, 3) == pytest.approx(stats.chi2.sf(mean, 3), rel=1e-9, abs=1e-300)
    if count >= 0:
        assert poisson_beyond(count, mean) == pytest.approx(stats.poisson.sf(count, mean), rel=1e-9, abs=1e-300)
        assert poisson_log(count, mean) == pytest.approx(stats.poisson.logpmf(count, mean), rel=1e-9, abs=1e-9)


def test_arrays_and_the_empty_mean():
    assert np.isneginf(poisson_log(3, 0.0)) and poisson_log(0, 0.0) == 0
    assert poisson_up_to(np.array([-1, 0, 2]), np.array([[1.0], [2.0]])).shape == (2, 3)
