import json

import numpy as np
import pytest

from cytally.dosimetry.curves.calibrate import Curve, DosePoint, Origin, calibrate, read_about, stated
from cytally.dosimetry.estimation.dose import METHODS, DoseSettings, ExposureConditions, Totals, dose_of_counts
from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.estimation.limits.merkle import DoseLimits
from cytally.dosimetry.estimation.limits.prior import Prior
from cytally.dosimetry.estimation.whole_body import check_holds
from cytally.errors import CountsError
from cytally.types import Counts

IAEA = Curve(
    np.array([0.00128, 0.021, 0.0631]),
    np.array([[2.22e-7, -9.95e-7, 4.38e-7], [-9.95e-7, 2.66e-5, -1.512e-5], [4.38e-7, -1.512e-5, 1.61e-5]]),
    (DosePoint(0, 5000, 8), DosePoint(5, 59, 107)),
)


def counted(*per_cell, detector=""):
    return Counts({"dicentric": np.array(per_cell), "fragment": np.zeros(len(per_cell), int)}, detector=detector)


def test_the_worked_example_of_the_iaea_manual():
    """EPR-Biodosimetry 2011, 9.7.3: 25 dicentrics in 500 cells are 0.73 Gy; limits with Garwood as in
    the reference cases (the manual's own count limits, 0.51-0.97, are Crow and Gardner's)."""
    found = dose_of_counts(np.array([475, 25]), IAEA, DoseSettings(method="merkle"))
    assert found.estimate == pytest.approx(0.728, abs=5e-4)
    assert (found.lower, found.upper) == pytest.approx((0.5563, 0.9158), abs=5e-4)
    assert str(found).startswith("0.73 Gy (0.56 to 0.92, 95 %, Merkle), 500 cells, 25 dicentrics")


def test_merkles_limits_stand_beside_those_of_the_likelihood():
    plain = dose_of_counts(np.array([475, 25]), IAEA)
    assert plain.method == "likelihood ratio" and plain.estimate == pytest.approx(0.728, abs=5e-4)
    assert plain.merkle == pytest.approx((0.5563, 0.9158), abs=5e-4)
    exact = Curve(IAEA.coefficients, np.zeros((3, 3)))  # the manual without the curve's error: 0.57-0.91
    assert (
        dose_of_counts(np.array([475, 25]), exact).lower,
        dose_of_counts(np.array([475, 25]), exact).upper,
    ) == pytest.approx((0.57, 0.91), abs=0.01)


def test_members_that_disagree_widen_the_limits_as_a_larger_variance_does():
    """25 dicentrics with a standard deviation of 5 over ensembles: twice the variance of chance."""
    counts = np.array([475, 25])
    plain, torn = dose_of_counts(counts, IAEA), dose_of_counts(counts, IAEA, DoseSettings(disagreement=5.0))
    assert torn.estimate == plain.estimate and any("members disagree" in w for w in torn.warnings)
    exact = Curve(IAEA.coefficients, np.zeros((3, 3)))
    half = dose_of_counts(Totals(12, 240), exact), dose_of_counts(Totals(13, 260), exact)  # half as many cells
    torn = dose_of_counts(counts, exact, DoseSettings(disagreement=5.0))
    assert half[0].upper - half[0].lower == pytest.approx(torn.upper - torn.lower, rel=0.04)
    assert half[1].upper - half[1].lower == pytest.approx(torn.upper - torn.lower, rel=0.04)


@pytest.mark.parametrize("method", ["likelihood", "bayes", "merkle", "delta"])
def test_overdispersion_widens_every_methods_limits(method):
    even, uneven = np.array([440, 55, 5]), np.array([465, 20, 4, 3, 2, 2, 1, 1, 0, 1, 1])
    one, other = (
        dose_of_counts(even, IAEA, DoseSettings(method=method)),
        dose_of_counts(uneven, IAEA, DoseSettings(method=method)),
    )
    assert (one.dicentrics, one.cells) == (65, 500) and (other.dicentrics, other.cells) == (
        uneven @ range(11),
        500,
    )
    assert other.dispersion.overdispersed and not one.dispersion.overdispersed
    plain = dose_of_counts(Totals(other.dicentrics, 500), IAEA, DoseSettings(method=method))
    assert other.upper - other.lower > 1.3 * (plain.upper - plain.lower)


def test_totals_and_distribution_agree():
    assert dose_of_counts(Totals(25, 500), IAEA).upper == dose_of_counts(np.array([475, 25]), IAEA).upper


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([1000], "no more of them than the curve's background"),
        ([498, 2], "not distinguishable from background"),
        ([10, 20, 30, 25, 15], "beyond the calibrated range"),
        ([450, 20, 20, 10], "overdispersed"),
        ([2, 96, 2], "underdispersed"),
    ],
)
def test_what_a_reader_must_know_is_said(counts, words):
    assert any(words in warning for warning in dose_of_counts(np.array(counts), IAEA).warnings)


def test_counts_of_one_detector_do_not_meet_the_curve_of_another():
    counts = counted(0, 1, 0, 0, detector="abc")
    with pytest.raises(CountsError, match="counts are by detector abc, the curve is for manual scoring"):
        dose_of_counts(counts, IAEA)
    assert dose_of_counts(counts, IAEA, DoseSettings(any_detector=True)).dicentrics == 1
    mine = Curve(IAEA.coefficients, IAEA.covariance, detector="abc")
    assert dose_of_counts(counts, mine).cells == 4


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dose_of_counts(counted(), IAEA), "at least one scored cell"),
        (lambda: dose_of_counts(Totals(3, 0), IAEA), "cells > 0"),
        (lambda: dose_of_counts(np.array([5, 1]), IAEA, DoseSettings(method="guess")), "unknown method 'guess'"),
    ],
)
def test_no_dose_without_counts(call, message):
    with pytest.raises(CountsError, match=message):
        call()


def test_a_curve_comes_back(tmp_path):
    points = [DosePoint(d, n, x) for d, n, x in ((0, 5000, 8), (1, 1168, 109), (2, 333, 103), (4, 103, 103))]
    curve = calibrate(points, origin=Origin("60Co", "here", "abc"))
    curve.save(tmp_path / "c.json")
    found = Curve.load(tmp_path / "c.json")
    np.testing.assert_allclose(found.coefficients, curve.coefficients, rtol=1e-15)
    np.testing.assert_allclose(found.covariance, curve.covariance, rtol=1e-15)
    assert (found.points, found.radiation, found.laboratory, found.detector) == (
        tuple(points),
        "60Co",
        "here",
        "abc",
    )
    assert found.highest_dose == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("covariance"), "covariance"),
        (lambda c: c["coefficients"].pop("beta"), "beta"),
        (lambda c: c.update(colour="red"), "colour"),
        (lambda c: c["covariance"][0].__setitem__(1, 5.0), "symmetric"),
        (lambda c: c.update(covariance=[[-1, 0, 0], [0, 1, 0], [0, 0, 1]]), "negative eigenvalue"),
    ],
)
def test_a_wrong_curve_file_is_refused(tmp_path, change, message):
    IAEA.save(tmp_path / "c.json")
    content = json.loads((tmp_path / "c.json").read_text())
    change(content)
    (tmp_path / "c.json").write_text(json.dumps(content))
    with pytest.raises(CountsError, match=message):
        Curve.load(tmp_path / "c.json")


def test_a_missing_curve_is_named(tmp_path):
    with pytest.raises(CountsError, match="expected a curve file"):
        Curve.load(tmp_path / "none.json")


def curve_of(constant, alpha, beta):
    return Curve(np.array([constant, alpha, beta]), np.zeros((3, 3)))


def test_partial_body_example_of_the_manual():
    """IAEA 2011, 9.7.5.4 (192Ir): 2.97 Gy to a fraction of 0.393; its rounding is 0.01."""
    found = dose_of_counts(np.array([932, 56, 9, 1, 1, 1]), curve_of(0.0, 0.0157, 0.05))
    assert found.partial.dose.value == pytest.approx(2.97, abs=0.01)
    assert found.partial.cells.value == pytest.approx(0.176, abs=0.01)
    assert found.partial.body.value == pytest.approx(0.393, abs=0.01)
    assert "2.98 Gy" in found.partial_words and "39 % of the body" in found.partial_words


def test_no_partial_body_dose_where_counts_are_poisson():
    found = dose_of_counts(np.array([475, 25]), curve_of(0.00128, 0.02103, 0.06307))
    assert found.partial is None and "not estimable" in found.partial_words


def test_protracted_example_of_the_manual():
    """IAEA 2011, 9.7.5.6 (Istanbul): 157 in 688 cells over 7 h: 1.7 Gy acute, 2.5 Gy protracted."""
    curve = curve_of(0.001, 0.03, 0.06)
    assert dose_of_counts(Totals(157, 688), curve).estimate == pytest.approx(1.7, abs=0.05)
    slow = dose_of_counts(Totals(157, 688), curve, DoseSettings(exposure=ExposureConditions(hours=7)))
    assert slow.estimate == pytest.approx(2.5, abs=0.05) and slow.protraction == pytest.approx(0.413, abs=5e-4)


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_holds_its_estimate(method):
    found = dose_of_counts(Totals(25, 500), curve_of(0.00128, 0.02103, 0.06307), DoseSettings(method=method))
    assert found.lower < found.estimate < found.upper
    assert found.estimate == pytest.approx(0.728, abs=0.02)  # the density's mode lies beside the ratio


def test_overdispersion_widens_only_beyond_196():
    curve = curve_of(0.00128, 0.02103, 0.06307)
    even = dose_of_counts(np.array([102, 66, 23, 8, 1]), curve)  # u about 0.6
    same = dose_of_counts(Totals(140, 200), curve)
    assert (even.lower, even.upper) == (same.lower, same.upper)
    spread = dose_of_counts(np.array([140, 20, 20, 15, 5]), curve)
    alike = dose_of_counts(Totals(125, 200), curve)
    assert spread.dispersion.overdispersed
    assert spread.lower < alike.lower and spread.upper > alike.upper


def test_impossible_exposures_are_refused():
    with pytest.raises(CountsError, match="expected hours >= 0"):
        ExposureConditions(hours=-1)


def test_an_automatic_count_on_a_curve_by_eye_carries_the_detectors_errors():
    errors = DetectorErrors(150, 50, 6, 600)
    plain, carried = (dose_of_counts(Totals(60, 500), IAEA, DoseSettings(detector_errors=e)) for e in (None, errors))
    assert carried.estimate > plain.estimate  # a quarter of the dicentrics was overlooked
    assert carried.upper - carried.lower > plain.upper - plain.lower
    assert "detector's errors" in carried.method


def test_a_curve_of_the_same_detector_has_absorbed_its_errors():
    own = Curve(IAEA.coefficients, IAEA.covariance, detector="abc")
    with pytest.raises(CountsError, match="has absorbed its errors"):
        dose_of_counts(Totals(60, 500), own, DoseSettings(detector_errors=DetectorErrors(150, 50, 6, 600)))
    counts = counted(0, 1, 0, 2, detector="abc")
    assert dose_of_counts(counts, IAEA, DoseSettings(detector_errors=DetectorErrors(150, 50, 6, 600))).dicentrics == 3


SERIES = [DosePoint(d, 1000, round(1000 * (0.002 + 0.35 * d))) for d in (0, 0.05, 0.1, 0.5, 1.0, 1.5, 2.0)]


def test_an_automatic_curve_says_why_it_is_what_it_is():
    """Rounded means of a line (0.35 per Gy, as for 4He) and of a parabola (as for 60Co)."""
    straight = calibrate(SERIES, model="automatic", family="automatic")
    assert straight.model == "linear" and straight.coefficients[2] == 0
    assert "does not improve the fit" in straight.reason
    gamma = [DosePoint(d, 2000, round(2000 * (0.001 + 0.02 * d + 0.06 * d * d))) for d in (0, 0.5, 1, 2, 3, 4)]
    bent = calibrate(gamma, model="automatic", family="automatic")
    assert bent.model == "linear-quadratic" and bent.family == "Poisson"  # rounded means scatter less than chance
    assert "improves the fit" in bent.reason and "no more than Poisson" in bent.reason
    assert calibrate(gamma).reason == ""


def test_quasi_poisson_widens_errors_by_the_root_of_the_dispersion():
    scattered = [DosePoint(d, 2000, x) for d, x in ((0, 2), (0.5, 70), (1, 120), (2, 620), (3, 1050), (4, 2200))]
    plain, wide = calibrate(scattered), calibrate(scattered, family="automatic")
    assert wide.family == "quasi-Poisson" and wide.fit.dispersion > 1
    np.testing.assert_allclose(wide.covariance, plain.covariance * plain.fit.chi2 / plain.fit.degrees)
    np.testing.assert_array_equal(wide.coefficients, plain.coefficients)


def test_two_doses_carry_a_line_but_no_parabola():
    two = [DosePoint(0, 2000, 2), DosePoint(1, 1000, 50)]
    assert "too few for a quadratic term" in calibrate(two, model="automatic").reason
    with pytest.raises(CountsError, match="at least 3 different doses"):
        calibrate(two)


def test_conditions_of_a_curve_are_kept_and_wrong_ones_named(tmp_path):
    path = tmp_path / "about.toml"
    path.write_text('dose_rate = "0.3 Gy/min"\nmedium = "water, 37 °C"\n', encoding="utf-8")
    curve = calibrate(SERIES, family="quasi-Poisson", origin=Origin(about=read_about(path)))
    curve.save(tmp_path / "c.json")
    again = Curve.load(tmp_path / "c.json")
    assert again.about.dose_rate == "0.3 Gy/min" and again.family == "quasi-Poisson"
    path.write_text('rate = "0.3"\n')
    with pytest.raises(CountsError, match="rate: .*expected text under one of dose_rate"):
        read_about(path)


def keys(found):
    return {note.key for note in found.notes}


#: lab/zero.csv of a user: no dicentric in 1,000 controls.
SILENT = [
    DosePoint(d, n, x)
    for d, n, x in (
        (0, 1000, 0),
        (0.1, 1000, 0),
        (0.25, 1000, 5),
        (0.5, 800, 14),
        (0.75, 600, 22),
        (1, 500, 37),
        (1.5, 300, 49),
        (2, 200, 57),
        (3, 120, 70),
        (4, 80, 81),
    )
]


@pytest.mark.parametrize("method", list(METHODS))
def test_one_dicentric_is_no_exposure_where_the_controls_held_none(method):
    found = dose_of_counts(Totals(1, 1000), calibrate(SILENT), DoseSettings(method=method))
    assert found.lower == 0 and found.upper > 0.2
    assert keys(found) & {"not distinguishable", "background"}


def test_one_detected_dicentric_is_none_either():
    found = dose_of_counts(
        Totals(1, 1000), calibrate(SILENT), DoseSettings(detector_errors=DetectorErrors(1500, 500, 1, 10_000))
    )
    assert found.lower == 0


def test_a_background_without_error_is_said_to_be_taken_as_exact():
    exact = Curve(np.array([0.0, 0.02, 0.06]), np.diag([0, 1e-6, 1e-6]))
    assert "exact background" in keys(dose_of_counts(Totals(1, 1000), exact))
    assert "exact background" not in keys(dose_of_counts(Totals(1, 1000), calibrate(SILENT)))


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize(("dicentrics", "cells"), [(100_000, 1), (10**8, 1000), (10**12, 10)])
def test_a_count_beyond_every_dose_is_refused(method, dicentrics, cells):
    with pytest.raises(
        CountsError, match=f"{dicentrics} dicentrics in {cells} cells? are more than the curve can explain"
    ):
        dose_of_counts(Totals(dicentrics, cells), IAEA, DoseSettings(method=method))


def test_a_detected_count_beyond_every_dose_is_refused():
    with pytest.raises(CountsError, match="more than the curve can explain up to 100 Gy"):
        dose_of_counts(Totals(100_000, 10), IAEA, DoseSettings(detector_errors=DetectorErrors(150, 50, 6, 600)))
    with pytest.raises(CountsError, match="at most 1e\\+12 of each"):
        dose_of_counts(Totals(10**400, 10), IAEA)
    with pytest.raises(CountsError, match="expected numbers of cells >= 0"):
        dose_of_counts(np.array([5, -1]), IAEA)


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize(("dicentrics", "cells"), [(0, 20_000), (1, 1000), (3, 50), (25, 500), (3000, 500)])
def test_an_estimate_lies_within_its_limits(method, dicentrics, cells):
    for curve in (IAEA, calibrate(SILENT), curve_of(0.0005, 0.8, 0.0)):
        found = dose_of_counts(Totals(dicentrics, cells), curve, DoseSettings(method=method))
        assert found.lower <= found.estimate <= found.upper


BARE = calibrate([DosePoint(0.5, 1000, 10), DosePoint(1, 1000, 60), DosePoint(2, 1000, 250)])


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize(("dicentrics", "cells"), [(2500, 10_000), (60, 1000), (10, 1000), (250, 1000)])
def test_on_a_curve_without_controls_every_method_holds_the_dose_within(method, dicentrics, cells):
    """Its own counts are no end of any limits, and Merkle's beside them hold it too."""
    found = dose_of_counts(Totals(dicentrics, cells), BARE, DoseSettings(method=method))
    assert found.lower < found.estimate < found.upper
    beside = found.merkle or (found.lower, found.upper)
    assert beside[0] < found.estimate < beside[1]
    assert "extrapolated from 0.5 Gy" in " ".join(found.warnings)


def test_limits_that_leave_out_the_dose_are_refused_and_not_stretched():
    with pytest.raises(CountsError, match=r"got 0.10 to 0.20 Gy about 0.30 Gy \(Merkle\); do coefficients"):
        check_holds(DoseLimits(0.3, 0.1, 0.2, 0.0, 0.0), "Merkle", Curve(IAEA.coefficients, IAEA.covariance))
    fitted = calibrate([DosePoint(0, 600, 1), DosePoint(1, 90, 12), DosePoint(3, 20, 30)])
    with pytest.raises(CountsError, match="the curve was fitted to too few counts for this method; try another one"):
        check_holds(DoseLimits(0.03, 0.05, 0.68, 0.0, 0.0), "likelihood ratio", fitted)
    check_holds(DoseLimits(0.3, 0.3005, 0.4, 0.0, 0.0), "Merkle", fitted)


def test_errors_larger_than_all_coefficients_leave_everything_open():
    found = dose_of_counts(Totals(25, 500), Curve(IAEA.coefficients, np.eye(3)))
    assert (found.lower, found.upper) == (0, float("inf")) and "contradiction" not in keys(found)


def test_fewer_than_the_background_allows_is_a_contradiction():
    """0 in 20,000 cells where 26 are expected: negative binomial of size C^2/V = 7.4, by hand."""
    found = dose_of_counts(Totals(0, 20_000), IAEA)
    size = 0.00128**2 / 2.22e-7
    said = next(note for note in found.notes if note.key == "contradiction")
    assert said.value == pytest.approx((1 + 20_000 * 0.00128 / size) ** -size, rel=1e-6)
    assert "so few of them contradict the curve's background (p = 1.6e-05)" in str(said)
    assert "contradiction" not in keys(dose_of_counts(Totals(0, 1000), IAEA))


def test_with_a_detectors_errors_the_background_is_that_of_both():
    errors = DetectorErrors(150, 50, 6, 600)
    assert "background errors" in keys(dose_of_counts(Totals(2, 1000), IAEA, DoseSettings(detector_errors=errors)))
    assert "contradiction" in keys(
        dose_of_counts(Totals(0, 5000), IAEA, DoseSettings(detector_errors=DetectorErrors(150, 50, 600, 60_000)))
    )


def test_what_is_beyond_the_range_is_told_apart():
    assert "beyond" in keys(dose_of_counts(Totals(900, 300), IAEA))
    upper = dose_of_counts(Totals(8, 5), IAEA)
    assert upper.estimate < 5 < upper.upper and "upper beyond" in keys(upper) and "beyond" not in keys(upper)
    published = curve_of(0.00128, 0.02103, 0.06307)
    assert "range unknown" in keys(dose_of_counts(Totals(900, 50), published))
    ranged = stated((0.00128, 0.02103, 0.06307), (0.00047, 0.00516, 0.00401), highest_dose=5)
    assert keys(dose_of_counts(Totals(900, 50), ranged)) == {"beyond"}


def test_a_curve_that_does_not_fit_says_so_with_each_dose():
    scattered = [DosePoint(d, 2000, x) for d, x in ((0, 2), (0.5, 70), (1, 120), (2, 620), (3, 1050), (4, 2200))]
    curve = calibrate(scattered)
    said = next(note for note in dose_of_counts(Totals(100, 500), curve).notes if note.key == "lack of fit")
    assert said.value == curve.fit.p_value
    flat = calibrate([DosePoint(0, 100, 10), DosePoint(1, 100, 11), DosePoint(2, 100, 12)])
    assert "no growth" in keys(dose_of_counts(Totals(60, 500), flat))


def test_a_partial_dose_is_there_when_asked_for_whatever_u_says():
    even = dose_of_counts(np.array([475, 25]), IAEA, DoseSettings(partial=True))
    assert even.partial is None and even.contaminated.body.upper == 1
    assert "the whole body is not excluded" in even.contaminated_words
    assert dose_of_counts(np.array([475, 25]), IAEA).contaminated is None
    errors = DetectorErrors(150, 50, 6, 600)
    detected = dose_of_counts(np.array([932, 56, 9, 1, 1, 1]), IAEA, DoseSettings(detector_errors=errors, partial=True))
    assert detected.partial is None and detected.contaminated.dose.value > 2
    totals = dose_of_counts(Totals(25, 500), IAEA, DoseSettings(partial=True))
    assert totals.contaminated_words.startswith("not estimable (it takes the distribution")


def test_a_prior_belongs_to_bayes():
    found = dose_of_counts(Totals(3, 50), IAEA, DoseSettings(method="bayes", prior=Prior(gamma=(2.0, 0.5))))
    assert found.prior == "gamma prior of shape 2 and mean 0.5 Gy"
    assert found.estimate < dose_of_counts(Totals(3, 50), IAEA, DoseSettings(method="bayes")).estimate
    with pytest.raises(CountsError, match="expected the method bayes"):
        dose_of_counts(Totals(3, 50), IAEA, DoseSettings(prior=Prior(highest=5.0)))


@pytest.mark.parametrize("given", [{"hours": float("inf")}, {"repair_hours": 0.0}, {"d0_gy": float("nan")}])
def test_exposures_that_are_no_numbers_are_refused(given):
    with pytest.raises(CountsError, match="expected hours >= 0, repair time > 0 and D0 > 0"):
        ExposureConditions(**given)


def believed(count, cells, prior):
    return dose_of_counts(Totals(count, cells), IAEA, DoseSettings(method="bayes", prior=Prior.of(prior)))


@pytest.mark.parametrize(
    ("count", "cells", "prior", "alone"),
    [
        (500, 100, "uniform:5", "8.7"),
        (25, 500, "uniform:0.2", "0.7"),
        (500, 100, "gamma:500,3", "8.7"),
        (0, 5000, "gamma:900,3", "0.0"),
    ],
)
def test_a_prior_that_excludes_what_was_counted_is_refused(count, cells, prior, alone):
    """5 per cell are 8.7 Gy: no prior up to 5 Gy makes 5.00 Gy (4.97 to 5.00) of them."""
    with pytest.raises(CountsError, match=rf"contradict each other: the count alone says {alone}"):
        believed(count, cells, prior)


def test_what_a_prior_does_to_a_dose_is_said():
    cut = believed(25, 500, "uniform:0.8")
    assert "the prior ends at 0.8 Gy, and cuts off higher doses" in " ".join(cut.warnings)
    weighed = believed(25, 500, "gamma:2,0.5")
    assert keys(weighed) >= {"prior"} and "prior end" not in keys(weighed)
    assert "the count alone says 0.73 Gy" in " ".join(weighed.warnings)
    assert "prior" not in keys(dose_of_counts(Totals(25, 500), IAEA, DoseSettings(method="bayes")))


def test_a_prior_of_0_gy_does_not_put_a_count_below_the_background():
    """1 in 200 cells is above a background of 0.00128, whatever dose a prior makes likeliest."""
    found = believed(1, 200, "gamma:1,0.05")
    assert found.estimate == 0 and keys(found) >= {"not distinguishable"} and "background" not in keys(found)


@pytest.mark.parametrize("method", ["bayes", "likelihood", "merkle"])
def test_the_end_of_the_search_is_no_dose(method):
    """24 dicentrics in 186 cells know so little of the yield at 100 Gy that none were once likeliest there."""
    vague = calibrate([DosePoint(0, 57, 1), DosePoint(2, 31, 3), DosePoint(4, 98, 20)])
    found = dose_of_counts(Totals(0, 500), vague, DoseSettings(method=method))
    assert found.estimate == found.lower == 0 and found.upper > 0.5
