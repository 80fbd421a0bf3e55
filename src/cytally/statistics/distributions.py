"""The few quantiles and tails that a dose needs, from scipy.special alone.

scipy.stats takes as long to import as the rest of `cytally dosimetry dose` together. Numbers give a
number and arrays an array: `Any`, since scipy.special has no types.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special


def normal_quantile(p: ArrayLike) -> Any:
    """Quantile of the standard normal distribution."""
    return special.ndtri(p)


def chi2_quantile(p: ArrayLike, freedom: ArrayLike) -> Any:
    """Quantile of the chi-squared distribution.

    Examples
    --------
    >>> round(float(chi2_quantile(0.95, 2)), 4)
    5.9915
    """
    return 2 * special.gammaincinv(np.asarray(freedom) / 2, p)


def chi2_tail(value: ArrayLike, freedom: ArrayLike) -> Any:
    """Probability of more than `value` under the chi-squared distribution."""
    return special.chdtrc(freedom, value)


def gamma_quantile(p: ArrayLike, shape: ArrayLike) -> Any:
    """Quantile of the gamma distribution of scale 1."""
    return special.gammaincinv(shape, p)


def beta_quantile(p: ArrayLike, one: ArrayLike, other: ArrayLike) -> Any:
    """Quantile of the beta distribution."""
    return special.betaincinv(one, other, p)


def poisson_log(count: ArrayLike, mean: ArrayLike) -> Any:
    """Log probability of a count; 0 for a count of 0 at mean 0, minus infinity for more."""
    return special.xlogy(count, mean) - special.gammaln(np.asarray(count) + 1.0) - mean


def poisson_up_to(count: ArrayLike, mean: ArrayLike) -> Any:
    """Probability of at most `count`; 0 below 0."""
    count = np.asarray(count)
    return np.where(count < 0, 0.0, special.pdtr(np.maximum(count, 0), mean))


def poisson_beyond(count: ArrayLike, mean: ArrayLike) -> Any:
    """Probability of more than `count`."""
    return special.pdtrc(count, mean)
