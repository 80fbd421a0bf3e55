"""Many at once against one by one."""

import numpy as np
from benchmarks.replicates import delta_many, fit_many, likelihood_many, merkle_many

from cytally.dosimetry.curves.fit import fit_curve, yield_at
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.merkle import delta, merkle

DOSE = np.array([0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5.0])
CELLS = np.array([5000, 5002, 2008, 2002, 1832, 1168, 562, 332, 193, 103, 59.0])
CURVE = np.array([0.00128, 0.02103, 0.06307])


def drawn(replicates, thin=1.0):
    mean = thin * CELLS * yield_at(DOSE, CURVE)
    return np.random.default_rng(2).poisson(mean, (replicates, len(DOSE))).astype(float)


def test_curves_are_those_of_the_slow_twin():
    """Also where a coefficient is held at 0: a twentieth of the cells makes that common."""
    for thin in (1.0, 0.05):
        counts = drawn(60, thin)
        coefficients, covariance = fit_many(DOSE, thin * CELLS, counts)
        held = 0
        for row, value, spread in zip(counts, coefficients, covariance, strict=True):
            fit = fit_curve(DOSE, thin * CELLS, row)
            held += len(fit.at_bound) > 0
            np.testing.assert_allclose(value, fit.coefficients, rtol=1e-5, atol=1e-8)
            np.testing.assert_allclose(spread, fit.covariance, rtol=1e-4, atol=1e-11)
        assert held > 5 if thin < 1 else held < 10


def test_limits_are_those_of_the_slow_twin():
    """The grid's pitch is 0.005 Gy below 1 Gy and 1 % above; interpolation does far better."""
    coefficients, covariance = fit_many(DOSE, CELLS, drawn(40))
    for cells, mean in ((50, 3.0), (500, 60.0), (500, 0.4)):
        counts = np.random.default_rng(3).poisson(mean, 40)
        both = (
            merkle_many(counts, cells, coefficients, covariance),
            delta_many(counts, cells, coefficients, covariance),
        )
        for k, count in enumerate(counts):
            slow = merkle(int(count), cells, coefficients[k], covariance[k])
            np.testing.assert_allclose(both[0][k], [slow.lower, slow.upper], rtol=2e-4, atol=5e-5)
            density = calibrative_density(int(count), cells, coefficients[k], covariance[k])
            pitch = density.dose[1] - density.dose[0] + 2e-3  # of both grids
            wide = likelihood_many(counts[k : k + 1], cells, coefficients[k : k + 1], covariance[k : k + 1])[0]
            np.testing.assert_allclose(wide, density.likelihood_region(), atol=pitch)
            slow = delta(int(count), cells, coefficients[k], covariance[k])
            np.testing.assert_allclose(both[1][k], [slow.lower, slow.upper], rtol=1e-5, atol=1e-6)
