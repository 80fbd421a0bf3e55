"""Random walks: the analytic shares, and two ways of drawing the same steps."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from cytally.statistics.walks import chance_of, random_steps, random_walk, share_of_long_walk, walk_of


def test_shares_of_a_long_walk_are_those_of_antognini_and_sohl_dickstein():
    chance = chance_of(np.ones(300), 1_000_000, draws=4, seed=1)
    for component in (1, 2, 3, 4, 5):
        assert chance.shares[0, component - 1] == pytest.approx(share_of_long_walk(component), rel=0.02)
    assert share_of_long_walk(1) == pytest.approx(0.6079, abs=1e-4)
    assert chance.straightness[0] == pytest.approx(1 / np.sqrt(300), rel=0.05)
    assert abs(chance.cosine[0]) < 1e-3


def test_ten_steps_give_the_shares_that_ten_members_gave():
    """Ten points: .62 .16 .07 .04 .03, whatever the size of the space."""
    shares = chance_of(np.ones(9), 300_000, draws=20).shares[0]
    np.testing.assert_allclose(shares[:5], [0.62, 0.16, 0.07, 0.04, 0.03], atol=0.02)


def test_a_path_is_described_as_by_scikit_learn_and_by_hand(rng):
    points = np.cumsum(rng.normal(size=(9, 70_000)), axis=0)
    walk, theirs = walk_of(points), PCA().fit(points)
    np.testing.assert_allclose(walk.shares, theirs.explained_variance_ratio_[:8], rtol=1e-8)
    np.testing.assert_allclose(np.abs(walk.scores), np.abs(theirs.transform(points)[:, :2]), rtol=1e-6, atol=1e-6)
    steps = np.diff(points, axis=0)
    np.testing.assert_allclose(walk.sizes, np.linalg.norm(steps, axis=1))
    cosines = (steps[1:] * steps[:-1]).sum(axis=1) / walk.sizes[1:] / walk.sizes[:-1]
    np.testing.assert_allclose(walk.cosines, cosines, atol=1e-9)
    assert walk.straightness == pytest.approx(np.linalg.norm(points[-1] - points[0]) / walk.sizes.sum())


def test_a_straight_path_and_one_that_rests():
    line = walk_of(np.arange(5.0)[:, None] * np.ones(3))
    assert line.straightness == pytest.approx(1) and line.shares[0] == pytest.approx(1)
    np.testing.assert_allclose(line.cosines, 1)
    rest = walk_of(np.ones((4, 3)))
    assert np.isnan(rest.straightness) and np.isnan(rest.cosines).all() and (rest.shares == 0).all()


@pytest.mark.parametrize("dimension", [3, 40])
def test_steps_have_their_sizes_and_the_angles_of_their_space(dimension):
    """Of independent directions in d dimensions the mean squared cosine is 1 / d."""
    rng, sizes = np.random.default_rng(5), np.array([1.0, 2.0, 0.5, 3.0])
    drawn = [random_steps(sizes, dimension, rng) for _ in range(2000)]
    np.testing.assert_allclose(np.linalg.norm(drawn[0], axis=1), sizes)
    for first, second in ((0, 1), (2, 3)):
        squared = [(each[first] @ each[second] / sizes[first] / sizes[second]) ** 2 for each in drawn]
        assert abs(np.mean(squared) - 1 / dimension) < 4 * np.std(squared) / np.sqrt(len(squared))


def test_points_side_by_side_walk_each_on_their_own(rng):
    sizes = np.array([[1.0, 2.0], [3.0, 4.0]])
    points = random_walk(sizes, 50, rng)
    assert points.shape == (3, 4) and (points[0] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(np.diff(points, axis=0).reshape(2, 2, 2), axis=2), sizes)
