"""Clouds that move: against known inverses, scikit-learn and analytic values."""

import numpy as np
import pytest
from scipy.stats import special_ortho_group
from sklearn.decomposition import PCA

from cytally.errors import SettingsError
from cytally.statistics.trajectories import (
    REFERENCES,
    alignments,
    centroid_paths,
    cka_matrix,
    class_entropy,
    linear_cka,
    mean_classifier,
    principal_axes,
    procrustes,
)


def moved(cloud, rng, scale=3.7):
    turn = special_ortho_group.rvs(cloud.shape[1], random_state=rng)
    return scale * cloud @ turn + rng.normal(size=cloud.shape[1])


@pytest.mark.parametrize("to", REFERENCES)
def test_turned_scaled_and_shifted_copies_come_to_lie_on_each_other(rng, to):
    cloud = rng.normal(size=(80, 12)) * np.arange(1, 13)
    clouds = [moved(cloud, rng, scale) for scale in (0.2, 1.0, 5.0)]
    there = [move(each) for move, each in zip(alignments(clouds, to), clouds, strict=True)]
    size = np.linalg.norm(there[0] - there[0].mean(axis=0))
    assert all(np.linalg.norm(each - there[0]) < 1e-9 * size for each in there)
    if to != "generalised":
        stays = 0 if to == "first" else -1
        np.testing.assert_allclose(there[stays], clouds[stays], rtol=1e-9, atol=1e-9)


def test_the_generalised_reference_is_the_mean_of_what_it_aligned(rng):
    cloud = rng.normal(size=(60, 5)) * np.arange(1, 6)
    clouds = [moved(cloud + 0.3 * rng.normal(size=cloud.shape), rng) for _ in range(6)]
    there = np.stack([move(each) for move, each in zip(alignments(clouds, "generalised"), clouds, strict=True)])
    mean = there.mean(axis=0)
    again = procrustes(mean, there[0])
    for each, cloud in zip(there, clouds, strict=True):
        np.testing.assert_allclose(procrustes(cloud, mean).rotation, procrustes(cloud, each).rotation, atol=1e-6)
    assert again.scale > 0


def test_a_cloud_of_one_point_has_no_scale(rng):
    move = procrustes(np.ones((10, 3)), rng.normal(size=(10, 3)))
    assert move.scale == 0 and np.isfinite(move(np.ones((10, 3)))).all()


def test_clouds_that_cannot_be_aligned_are_refused(rng):
    with pytest.raises(SettingsError, match="alignment among first, last, generalised, got 'middle'"):
        alignments([np.zeros((3, 2))], "middle")
    with pytest.raises(SettingsError, match="clouds of one shape"):
        alignments([np.zeros((3, 2)), np.zeros((4, 2))])
    with pytest.raises(SettingsError, match="clouds of one shape"):
        alignments([])


def test_axes_and_shares_are_those_of_scikit_learn(rng):
    cloud = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)) + 4
    theirs, ours = PCA().fit(cloud), principal_axes(cloud)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose(np.abs(ours.directions), np.abs(theirs.components_), atol=1e-9)
    np.testing.assert_allclose(np.abs(ours.project(cloud, 3)), np.abs(theirs.transform(cloud)[:, :3]), atol=1e-9)
    assert (principal_axes(np.ones((5, 3))).shares == 0).all()


def test_cka_is_1_under_rotation_and_scale_and_near_0_for_unrelated_clouds(rng):
    cloud = rng.normal(size=(20_000, 8))
    assert linear_cka(cloud, moved(cloud, rng)) == pytest.approx(1, abs=1e-12)
    assert linear_cka(cloud, rng.normal(size=(20_000, 5))) < 0.005
    assert np.isnan(linear_cka(cloud, np.ones((20_000, 2))))
    stretched = cloud * np.arange(1, 9)
    found = cka_matrix([cloud, stretched])
    # X^T Y = n diag(a), X^T X = n I, Y^T Y = n diag(a^2): sum a^2 / (sqrt(8) sqrt(sum a^4))
    a = np.arange(1, 9.0)
    assert found[0, 1] == found[1, 0] == pytest.approx((a**2).sum() / np.sqrt(8 * (a**4).sum()), abs=0.01)


def test_entropy_and_mean_classifier():
    assert class_entropy(np.full((2, 3), 1 / 3)) == pytest.approx(np.log(3), abs=1e-15)
    assert class_entropy(np.array([0.0, 1.0, 0.0])) == 0
    both = np.array([[[1.0, 0, 0]], [[0, 0, 1.0]]])
    assert mean_classifier(both).tolist() == [[0.5, 0, 0.5]]
    assert class_entropy(mean_classifier(both)) == pytest.approx(np.log(2))


def test_centroids_keep_their_members(rng):
    """Two far groups in class 0, one in class 1; at the first epoch all lie elsewhere."""
    last = np.concatenate([rng.normal(size=(10, 3)), 50 + rng.normal(size=(20, 3)), 9 + rng.normal(size=(7, 3))])
    first = rng.normal(size=last.shape)
    found = centroid_paths(np.stack([first, last]), np.repeat([0, 1], (30, 7)), 2, seed=3)
    assert found.classes.tolist() == [0, 0, 1, 1] and sorted(found.sizes[:2]) == [10, 20] and found.sizes.sum() == 37
    assert len(set(found.members[:10])) == len(set(found.members[10:30])) == 1
    small = found.members[0]
    np.testing.assert_allclose(found.paths[:, small], [first[:10].mean(axis=0), last[:10].mean(axis=0)])


def test_a_class_of_one_point_has_one_centroid(rng):
    found = centroid_paths(rng.normal(size=(2, 5, 3)), np.array([0, 0, 0, 0, 1]), 3)
    assert found.classes.tolist() == [0, 0, 0, 1] and found.sizes[3] == 1
