"""Curves with large errors: far from 0 Gy nothing is known of them, but that they do not fall."""

import numpy as np
import pytest
from scipy import optimize

from cytally.dosimetry.curves.calibrate import Curve, DosePoint, calibrate
from cytally.dosimetry.estimation.dose import DoseSettings, Totals, dose_of_counts
from cytally.dosimetry.estimation.limits.calibrative import calibrative_density
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors, detector_density

#: Coefficients, standard errors, cells. Of 0 in so many, the Gamma distribution made 100 Gy likelier than 0.
POOR = [
    ((0.00191267, 0.5587687, 0.0027896), (0.00078133, 0.08699451, 0.02899552), 758),
    ((0.00939017, 0.05429021, 0.00711326), (0.00298793, 0.02148491, 0.00789237), 3446),
    ((0.23556015, 0.02473263, 0.0), (0.03110957, 0.00952262, 0.0), 457),
]


@pytest.mark.parametrize(("coefficients", "errors", "cells"), POOR)
@pytest.mark.parametrize("method", ["likelihood", "bayes"])
def test_none_found_on_a_poor_curve_is_no_high_dose(coefficients, errors, cells, method):
    curve = Curve(np.array(coefficients), np.diag(errors) ** 2)
    for count in (0, 1):
        found = dose_of_counts(Totals(count, cells), curve, DoseSettings(method=method))
        assert found.lower == 0 and found.estimate < 0.01, str(found)
        assert found.upper < 0.3 or method == "bayes", str(found)  # a flat prior makes much of what is hardly possible


def test_the_limits_of_none_are_those_of_curves_drawn_at_random():
    """Slow twin: exp(-N Y) averaged over 200,000 curves with coefficients >= 0; it falls with dose, as each does."""
    coefficients, errors, cells = (np.array(each) for each in POOR[0])
    rng = np.random.default_rng(4)
    curves = rng.normal(coefficients, errors, (400_000, 3))
    curves = curves[(curves >= 0).all(axis=1)][:200_000]

    def fall(dose):
        silent = np.exp(-cells * curves[:, 0])
        return np.log((silent * np.exp(-cells * (curves[:, 1] * dose + curves[:, 2] * dose**2))).mean() / silent.mean())

    limit = optimize.brentq(lambda dose: fall(dose) + 1.920729, 1e-6, 1)
    density = calibrative_density(0, int(cells), coefficients, np.diag(errors) ** 2)
    inside = density.density >= density.density.max() * np.exp(-1.920729)
    assert density.dose[inside][-1] == pytest.approx(limit, rel=0.05)
    assert fall(0.5) < fall(0.2) < fall(0.1)


@pytest.mark.parametrize("count", [0, 2, 15])
def test_a_likelihood_is_no_larger_than_what_a_lower_dose_leaves_for_so_few(count):
    """P(X <= x) falls with dose for every curve that grows, and with it for their mixture; for none, so does P(0)."""
    for coefficients, errors, cells in POOR:
        given = (count, cells, np.array(coefficients), np.diag(errors) ** 2)
        for density in (calibrative_density(*given), detector_density(*given, DetectorErrors(150, 50, 6, 600))):
            after = density.density[int(density.density.argmax()) :]
            assert density.mode < 1 and density.likelihood_region()[1] < 2, coefficients
            assert count or (after <= 1.05 * np.minimum.accumulate(after)).all(), coefficients


def test_a_curve_whose_few_controls_hide_its_growth_still_gives_doses():
    """Half an aberration more in the controls would make this curve flat; it was then refused at every dose."""
    points = [DosePoint(0.0, 21, 0), DosePoint(1.2, 179, 7), DosePoint(1.95, 21, 0)]
    curve = calibrate(points, model="linear")
    assert curve.coefficients[1] > 0
    found = dose_of_counts(Totals(4, 100), curve)
    assert found.lower == 0 and found.upper > found.estimate > 0
    assert "no growth" in {note.key for note in found.notes}
