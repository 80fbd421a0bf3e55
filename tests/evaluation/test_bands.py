"""Scores of many models against `Hits`, and bootstrap limits against normal theory."""

from __future__ import annotations

import numpy as np
import pytest

from cytally.evaluation.bands import Scored, at_most, draws_of, paired_difference
from cytally.evaluation.matching import Hits


def some(seed: int, chance: float, cells: int = 300, models: int = 4) -> Scored:
    rng = np.random.default_rng(seed)
    objects = np.random.default_rng(99).poisson(1.2, cells)
    met = rng.binomial(objects[:, None], chance, (cells, models))
    return Scored(met, rng.poisson(0.2, (cells, models)), objects)


def test_scores_are_those_of_hits() -> None:
    scored = some(1, 0.6)
    for k in range(4):
        missed = int((scored.objects - scored.met[:, k]).sum())
        hits = Hits(int(scored.met[:, k].sum()), int(scored.false[:, k].sum()), missed)
        assert scored.precision()[k] == hits.precision and scored.recall()[k] == hits.recall
        assert scored.f1()[k] == pytest.approx(2 * hits.true / (2 * hits.true + hits.false + hits.missed))
        assert scored.false_per_cell()[k] == pytest.approx(hits.false / 300)


def test_weights_of_one_are_no_weights() -> None:
    scored = some(2, 0.5)
    ones = np.ones((1, 300))
    for measure in (Scored.precision, Scored.recall, Scored.f1, Scored.false_per_cell):
        assert measure(scored, ones)[0] == pytest.approx(measure(scored, None))


def test_limits_of_a_difference_are_those_of_normal_theory() -> None:
    """One model each, independent: variance of a share is p (1 - p) / n; the bootstrap's agree within 15 %."""
    first, second = some(3, 0.5, 2000, 1), some(4, 0.7, 2000, 1)
    found = paired_difference(first, second, Scored.recall, draws_of(2000))
    n = first.objects.sum()
    expected = 1.96 * np.sqrt((0.5 * 0.5 + 0.7 * 0.3) / n)
    assert found.settled and abs(found.value - 0.2) < 2 * expected
    assert (found.upper - found.lower) / 2 == pytest.approx(expected, rel=0.15)


def test_a_way_does_not_differ_from_itself() -> None:
    scored = some(5, 0.4)
    found = paired_difference(scored, scored, Scored.precision, draws_of(300, 50))
    assert (found.value, found.lower, found.upper) == (0, 0, 0) and not found.settled


def test_other_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="the same cells"):
        paired_difference(some(1, 0.5), some(1, 0.5, 200), Scored.recall, draws_of(300, 5))


def test_nothing_predicted_is_precise_and_finds_nothing() -> None:
    quiet = Scored(np.zeros((3, 1), int), np.zeros((3, 1), int), np.array([1, 0, 2]))
    assert quiet.precision()[0] == 1 and quiet.recall()[0] == 0 and quiet.f1()[0] == 0


def test_the_lowest_threshold_that_stays_low() -> None:
    rates = np.array([[0.5, 0.2, 0.05, 0.0], [0.0, 0.0, 0.0, 0.0], [0.1, 0.02, 0.3, 0.01], [1.0, 1.0, 1.0, 1.0]])
    assert at_most(rates, 0.1).tolist() == [2, 0, 3, 3]
