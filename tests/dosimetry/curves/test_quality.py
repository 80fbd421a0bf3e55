"""How a curve's counts scatter, and what must be said of it."""

import numpy as np
import pytest

from cytally.dosimetry.curves.calibrate import DosePoint, calibrate
from cytally.dosimetry.curves.quality import growth_p, pooled, rows_of
from cytally.errors import CountsError
from cytally.statistics.poisson import dispersion

#: lab/over.csv of a user: u of 24, 13 and 10.
OVER = [
    DosePoint(0, 5000, 10, distribution=(4990, 10)),
    DosePoint(1, 975, 130, distribution=(900, 40, 20, 10, 5)),
    DosePoint(2, 410, 210, distribution=(300, 50, 30, 20, 10)),
    DosePoint(3, 260, 240, distribution=(150, 40, 30, 20, 20)),
]


def poisson_points():
    return [DosePoint(d, 2000, round(2000 * (0.002 + 0.02 * d + 0.06 * d * d))) for d in (0, 0.5, 1, 2, 3, 4)]


def test_rows_hold_what_was_counted_and_what_the_curve_expects():
    curve = calibrate(OVER)
    rows = rows_of(OVER, curve.coefficients)
    spread = dispersion(np.array([900, 40, 20, 10, 5]))
    assert (rows[1]["mean"], rows[1]["variance"]) == (130 / 975, spread.variance)
    assert (rows[1]["index"], rows[1]["u"]) == (spread.index, spread.u) and rows[1]["u"] == pytest.approx(
        24.36, abs=0.01
    )
    expected = 975 * float(curve.coefficients.sum())
    assert rows[1]["expected"] == pytest.approx(expected, rel=1e-12)
    assert rows[1]["residual"] == pytest.approx((130 - expected) / expected**0.5, rel=1e-12)
    assert sum(row["residual"] ** 2 for row in rows) == pytest.approx(curve.fit.chi2, rel=1e-9)


def test_totals_alone_have_no_dispersion():
    rows = rows_of(poisson_points(), np.array([0.002, 0.02, 0.06]))
    assert {row["u"] for row in rows} == {None} and np.isnan(pooled(poisson_points()).u)


def test_overdispersed_calibrations_are_named_and_quasi_poisson_carries_them():
    plain, wide = calibrate(OVER), calibrate(OVER, family="automatic")
    assert any("overdispersed over the cells: 1 Gy (u = 24.36), 2 Gy" in said for said in plain.warnings)
    assert any("Poisson errors are too small" in said for said in plain.warnings)
    assert wide.family == "quasi-Poisson" and "dispersion index 1.91" in wide.reason
    assert not any("too small" in said for said in wide.warnings)
    # the mean index, each dose by its dicentrics, written out
    index = sum(d.dispersion.index * d.dicentrics for d in OVER) / sum(d.dicentrics for d in OVER)
    assert pooled(OVER).index == pytest.approx(index, rel=1e-12)
    np.testing.assert_allclose(wide.covariance, plain.covariance * max(index, plain.fit.dispersion), rtol=1e-12)


def test_dispersion_alone_widens_a_curve_whose_points_do_not_scatter():
    """Cells with pairs: twice Poisson's variance, the totals exactly on a curve."""
    points = [
        DosePoint(d, 2000, 2 * k, distribution=(2000 - k, 0, k))
        for d, k in ((0, 2), (1, 82), (2, 282), (3, 602), (4, 1042))
    ]
    found = calibrate(points, family="automatic")
    assert found.fit.dispersion < 1 and found.family == "quasi-Poisson"
    assert "scatter no more" in found.reason and "over the cells more than chance" in found.reason
    np.testing.assert_allclose(found.covariance, found.fit.covariance * pooled(points).index)


def test_weighted_counts_say_themselves_how_they_are_dispersed():
    weighted = [DosePoint(p.dose_gy, p.cells, p.dicentrics, 0.5, p.distribution) for p in OVER]
    assert not pooled(weighted).overdispersed


def test_a_lack_of_fit_is_said_with_the_dose_that_is_farthest_away():
    points = [DosePoint(d, 2000, x) for d, x in ((0, 2), (0.5, 70), (1, 120), (2, 620), (3, 1050), (4, 2200))]
    found = calibrate(points)
    assert found.fit.p_value < 0.001
    said = next(w for w in found.warnings if "does not fit its own counts" in w)
    worst = max(rows_of(points, found.coefficients), key=lambda row: abs(row["residual"]))
    assert f"farthest away at {worst['dose_gy']:g} Gy" in said and "quasi" not in said
    assert any("carry (quasi-Poisson)" in w for w in calibrate(points, family="quasi-Poisson").warnings)
    assert not any("does not fit" in w for w in calibrate(poisson_points()).warnings)


def test_controls_without_a_dicentric_and_missing_controls_are_said():
    none = [DosePoint(0, 1000, 0), *poisson_points()[1:]]
    assert any("no aberration in 1000 unexposed cells" in w for w in calibrate(none).warnings)
    assert any("no unexposed cells among the counts" in w for w in calibrate(poisson_points()[1:]).warnings)


def test_a_yield_that_hardly_grows_is_said():
    """10, 11 and 12 in 100: the ratio of the fit to one yield for all is 0.18 (chi2 of 1), p = .33."""
    flat = [DosePoint(0, 100, 10), DosePoint(1, 100, 11), DosePoint(2, 100, 12)]
    found = calibrate(flat)
    means = 100 * np.array([found.yield_at(np.array(d)) for d in (0.0, 1.0, 2.0)])
    counts = np.array([10, 11, 12])
    ratio = 2 * (counts * np.log(means / 11)).sum()
    assert ratio == pytest.approx(0.18, abs=0.01)
    assert growth_p(flat, found.coefficients) == pytest.approx(0.335, abs=0.005)
    assert any("does not grow significantly" in w for w in found.warnings)
    assert growth_p(poisson_points(), calibrate(poisson_points()).coefficients) < 1e-50


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([DosePoint(0, 8, 5000), DosePoint(1, 40, 2000), DosePoint(2, 90, 5000)], "are the columns interchanged"),
        (
            [DosePoint(0, 1000, 50), DosePoint(1, 1000, 30), DosePoint(2, 500, 10)],
            "expected a yield that grows with dose",
        ),
        (
            [DosePoint(0, 1000, 1, float("nan")), DosePoint(1, 1000, 30), DosePoint(2, 500, 60)],
            "expected weights above 0",
        ),
        ([DosePoint(float("nan"), 10, 1), DosePoint(1, 10, 3), DosePoint(2, 5, 6)], "expected doses of 0 to 100 Gy"),
        ([DosePoint(1e3, 10, 1), DosePoint(1, 10, 3), DosePoint(2, 5, 6)], "expected doses of 0 to 100 Gy"),
    ],
)
def test_counts_of_no_calibration_are_refused(points, message):
    with pytest.raises(CountsError, match=message):
        calibrate(points)


def test_a_distribution_that_contradicts_its_totals_is_refused():
    with pytest.raises(CountsError, match="holds 12 aberrations in 100 cells, the totals say 13 in 100"):
        DosePoint(1, 100, 13, distribution=(90, 8, 2))
