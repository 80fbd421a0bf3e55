"""Mixtures: against expectation maximisation as published, a grid, and simulated samples whose truth is known."""

import numpy as np
import pytest
from scipy.stats import poisson

from cytally.errors import SettingsError
from cytally.statistics.shares import LikelihoodRatio, expected_yield, likelihood_ratio, real_share


def expectation_maximisation(ratio, rounds=20_000):
    """Saerens, Latinne and Decaestecker 2002, eq. 2.9, from labelled candidates of which half are real."""
    share = 0.5
    for _ in range(rounds):
        share = np.mean(share * ratio / (share * ratio + 1 - share))
    return share


@pytest.mark.parametrize("real", [3, 40, 150])
def test_the_share_is_where_expectation_maximisation_converges(real):
    rng = np.random.default_rng(real)
    ratio = np.exp(np.concatenate([rng.normal(1.5, 1, real), rng.normal(-1.5, 1, 200 - real)]))
    assert real_share(ratio) == pytest.approx(expectation_maximisation(ratio), abs=1e-4)  # it nears its end slowly


def test_candidates_that_all_look_real_or_false():
    assert real_share(np.array([5.0, 2.0])) == 1.0
    assert real_share(np.array([0.2, 0.9])) == 0.0
    assert real_share(np.array([])) == 0.0


def test_scores_that_tell_everything_leave_a_count_with_its_poisson_limits():
    """Ratios of 1e9 and 1e-9 are a count of 12; the profile likelihood of a Poisson mean is analytic."""
    found = expected_yield(np.array([1e9] * 12 + [1e-9] * 30), 100, 1.0)
    assert found.value == pytest.approx(0.12, rel=1e-6)
    assert found.false == pytest.approx(0.30, rel=1e-6)
    for limit in (found.lower, found.upper):
        fall = poisson.logpmf(12, 12) - poisson.logpmf(12, 100 * limit)
        assert fall == pytest.approx(1.9207, abs=1e-3)


def test_the_profile_is_that_of_a_grid():
    rng = np.random.default_rng(2)
    ratio = np.exp(np.concatenate([rng.normal(1, 1, 15), rng.normal(-1, 1, 60)]))
    real, false = np.meshgrid(np.linspace(0, 1, 401), np.linspace(0, 2, 801), indexing="ij")
    likelihood = np.log(real[..., None] * ratio + false[..., None] + 1e-300).sum(axis=-1) - 50 * (real + false)
    profile = likelihood.max(axis=1)
    inside = real[profile > profile.max() - 1.9207, 0]
    found = expected_yield(ratio, 50, 0.5)
    step = 1 / 400 / 0.5
    assert found.value == pytest.approx(real[profile.argmax(), 0] / 0.5, abs=step)
    assert (found.lower, found.upper) == (
        pytest.approx(inside[0] / 0.5, abs=step),
        pytest.approx(inside[-1] / 0.5, abs=step),
    )


def test_the_limits_hold_the_truth_as_often_as_they_say():
    """Scores of known densities, 2 z and 2 (1 - z): 200 samples, 95 % expected, 91.1 to 97.9 by chance (99 %)."""
    rng, held, values = np.random.default_rng(3), 0, []
    for _ in range(200):
        real, false = rng.poisson(0.05 * 0.8 * 400), rng.poisson(0.5 * 400)
        scores = np.concatenate([np.sqrt(rng.random(real)), 1 - np.sqrt(rng.random(false))])
        found = expected_yield(scores / (1 - scores), 400, 0.8)
        values.append(found.value)
        held += found.lower <= 0.05 <= found.upper
    assert 0.91 <= held / 200 <= 0.98
    assert np.mean(values) == pytest.approx(0.05, abs=3 * np.std(values) / np.sqrt(200))


def test_the_ratio_of_beta_densities_is_found_again():
    """z^3 (4) against (1 - z)^3 (4): slopes of 3 and 3, no constant; five standard errors of 40,000 candidates."""
    rng = np.random.default_rng(1)
    scores = np.concatenate([rng.beta(4, 1, 10_000), rng.beta(1, 4, 30_000)])
    found = likelihood_ratio(scores, np.arange(40_000) < 10_000)
    assert (found.rising, found.falling, found.constant) == pytest.approx((3, 3, 0), abs=0.25)
    at = np.array([0.2, 0.5, 0.8])
    assert np.log(found.of(at)) == pytest.approx(3 * np.log(at / (1 - at)), abs=0.25)


def test_scores_that_say_nothing_have_a_ratio_of_one_and_never_a_falling_one():
    rng = np.random.default_rng(4)
    scores = rng.random(4000)
    ratio = likelihood_ratio(scores, rng.random(4000) < 0.3)
    assert ratio.of(np.linspace(0.05, 0.95, 19)) == pytest.approx(1, abs=0.2)  # at either end few candidates tell
    turned = likelihood_ratio(scores, scores < 0.3)
    assert (turned.rising, turned.falling) == (0.0, 0.0)
    assert turned.of(scores) == pytest.approx(1)


@pytest.mark.parametrize(
    ("scores", "real", "words"),
    [
        ([0.2, 0.4], [False, False], "0 real of 2"),
        ([0.2, 0.4], [True, True], "2 real of 2"),
        ([0.2, 1.4], [True, False], "scores in"),
        ([0.2, np.nan], [True, False], "scores in"),
    ],
)
def test_labelled_candidates_that_cannot_tell(scores, real, words):
    with pytest.raises(SettingsError, match=words):
        likelihood_ratio(np.array(scores), np.array(real))


def test_impossible_samples():
    ratio = LikelihoodRatio(1, 1, 0).of(np.array([0.5]))
    assert ratio == pytest.approx(1)
    for cells, recall in ((0, 0.5), (3, 0.0), (3, 1.1)):
        with pytest.raises(SettingsError, match=r"cell|recall"):
            expected_yield(ratio, cells, recall)
    with pytest.raises(SettingsError, match="ratios"):
        expected_yield(np.array([np.nan]), 5, 0.5)


def test_no_candidates_leave_the_rule_of_three():
    """0 events: the profile likelihood ends at 1.92 / n."""
    found = expected_yield(np.array([]), 1000, 1.0)
    assert (found.value, found.lower, found.false) == (0, 0, 0)
    assert found.upper == pytest.approx(1.9207e-3, rel=1e-3)
