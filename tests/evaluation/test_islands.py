"""Islands decide as whole maps do: every count against `match_components` on dense maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytally.evaluation.islands import FLOOR, answers_of, hits_of, parts, tallied
from cytally.evaluation.matching import components, match_components
from cytally.labels.points import SIGMA, spots

LIMITS = (0.1, 0.3, 0.5, 0.8)


def scene(seed: int, models: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Maps with a few blurred bumps in each model, some at labels."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 160, (int(rng.integers(0, 5)), 2))
    maps = np.zeros((models, 40, 40), np.float32)
    for k in range(models):
        bumps = np.concatenate(
            [places[rng.random(len(places)) < 0.7] + rng.normal(0, 4, 2), rng.uniform(0, 160, (3, 2))]
        )
        for bump in bumps:
            maps[k] = np.maximum(maps[k], spots(bump[None], (40, 40), 4, 1.5) * rng.uniform(0.05, 1))
    return maps, places


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_counts_are_those_of_the_whole_maps(seed: int) -> None:
    maps, places = scene(seed)
    cell = answers_of(maps, places, 4)
    groups = np.array([[0, 1, 2, 3], [5, 4, 1, 0]])
    singles = tallied(cell, LIMITS, np.arange(6)[:, None], (0,))
    voted = tallied(cell, LIMITS, groups, (1, 2, 3))
    truth = spots(places, (40, 40), 4, SIGMA)
    half = maps.astype(np.float16)
    objects = np.array([cell.objects])
    for c, limit in enumerate(np.asarray(LIMITS, np.float16)):
        for k in range(6):
            slow = match_components(half[k] > limit, truth)
            assert tuple(int(part[0, k, c, 0]) for part in hits_of(singles[None], objects)) == (
                slow.true,
                slow.false,
                slow.missed,
            )
        for g, group in enumerate(groups):
            for a, agreement in enumerate((1, 2, 3)):
                slow = match_components((half[group] > limit).sum(axis=0) > agreement, truth)
                assert tuple(int(part[0, g, c, a]) for part in hits_of(voted[None], objects)) == (
                    slow.true,
                    slow.false,
                    slow.missed,
                )


def test_parts_are_the_components_of_each_mask() -> None:
    masks = np.random.default_rng(1).random((50, 7, 9)) > 0.6
    assert parts(masks).tolist() == [components(mask) for mask in masks]


@pytest.mark.parametrize("kept", [0.0, FLOOR - 0.01])
def test_what_no_model_answers_is_not_kept(kept: float) -> None:
    cell = answers_of(np.full((3, 8, 8), kept, np.float32), np.array([[10.0, 10.0]]), 4)
    assert cell.islands == () and cell.objects == 1
    assert tallied(cell, LIMITS, np.arange(3)[:, None], (0,)).sum() == 0
