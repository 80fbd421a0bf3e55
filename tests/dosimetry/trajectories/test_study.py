"""From a run to a page: on a tiny run whose weights walk at random, and on clouds whose truth is known."""

import json
import re
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.exceptions import ConvergenceWarning
from tests.cases.commands import dosimetry
from tests.cases.paths import a_run

from cytally.dosimetry.trajectories import judged as module
from cytally.dosimetry.trajectories.follow import CENTROIDS, GRID, Sampled, folds, follow
from cytally.dosimetry.trajectories.judged import LEVEL, MEASURES, detections
from cytally.dosimetry.trajectories.layers import Sight
from cytally.dosimetry.trajectories.places import PlacedCell
from cytally.dosimetry.trajectories.probe import _colours, _tell_apart
from cytally.dosimetry.trajectories.study import TrajectorySettings, trajectories
from cytally.dosimetry.trajectories.telling.numbers import arrays, numbers
from cytally.dosimetry.trajectories.telling.page import page, write_trajectories
from cytally.dosimetry.trajectories.telling.sentences import sentences
from cytally.errors import SettingsError
from cytally.files.json import read_json
from cytally.progress import silent


def three_clouds(rng, epochs=5, apart=12.0):
    """Three classes far apart in 6 dimensions; each epoch turns and scales all of them at once."""
    groups, cells = np.repeat([0, 1, 2], 40), np.tile(np.arange(10), 12)
    middles = apart * np.eye(3, 6)
    last = middles[groups] + rng.normal(size=(120, 6))
    turns = [np.linalg.qr(rng.normal(size=(6, 6)))[0] for _ in range(epochs - 1)]
    clouds = [*((k + 1) * last @ turn + k for k, turn in enumerate(turns)), last]
    return Sampled(np.stack(clouds), groups, groups, cells)


@pytest.mark.parametrize("align", ["last", "first", "generalised"])
def test_clouds_that_only_turn_and_grow_stand_still(rng, align):
    """All that is left after alignment is nothing; classes are told apart, and entropy is low where they lie."""
    sampled = three_clouds(rng)
    found = follow(sampled, align, 0, silent)
    np.testing.assert_allclose(found.points - found.points[0], 0, atol=1e-8 * np.abs(found.points).max())
    assert (found.separation > 0.97).all()
    np.testing.assert_allclose(found.cka, 1, atol=1e-9)
    assert found.plane_path.walk.sizes.max() < 1e-7 * np.abs(found.points).max()
    assert found.map.mean.shape == (GRID, GRID, 3) and np.allclose(found.map.mean.sum(axis=2), 1)
    assert (found.map.entropy >= 0).all() and (found.map.entropy <= np.log(3) + 1e-9).all()
    assert len(found.centroids.classes) == 3 * CENTROIDS and found.centroids.sizes.sum() == 120
    own = found.plane.mean(found.points[-1]).argmax(axis=1)
    assert (own == sampled.groups).mean() > 0.97


def test_features_that_are_given_are_placed_as_those_of_the_epoch(rng):
    sampled = three_clouds(rng)
    plane = follow(sampled, "last", 0, silent).plane
    points = [plane.place(number, sampled.features[number]) for number in (0, 2, -1)]
    np.testing.assert_allclose(points[0], points[2], atol=1e-7)
    np.testing.assert_allclose(points[1], points[2], atol=1e-7)
    assert plane.probabilities(0, np.zeros((0, 2))).shape == (0, 3)


def test_the_twin_has_the_steps_of_the_paths_and_ends_where_they_do(rng):
    sampled = three_clouds(rng)
    shaken = Sampled(sampled.features + rng.normal(size=sampled.features.shape), *(sampled.groups,) * 2, sampled.cells)
    found = follow(shaken, "last", 0, silent)
    real, twin = (np.linalg.norm(np.diff(each, axis=0), axis=2) for each in (found.paths, found.twin))
    np.testing.assert_allclose(real, twin)
    np.testing.assert_allclose(found.paths[-1], found.twin[-1])
    assert not np.allclose(found.paths[0], found.twin[0])


def test_no_cell_stands_on_both_sides_of_a_fold_and_rare_classes_ask_for_more_cells():
    groups, cells = np.tile([0, 1, 2], 20), np.repeat(np.arange(12), 5)
    for train, test in folds(groups, cells, 0):
        assert not set(cells[train]) & set(cells[test])
    rare = np.where(groups == 0, 2, groups)
    rare[0] = 0
    with pytest.raises(SettingsError, match=r"at least two cells, got dicentric in 1, .*; raise --cells"):
        folds(rare, cells, 0)


def spot(heat, row, col, value):
    heat[row, col] = value


def test_detections_are_maxima_matched_one_to_one_with_their_class():
    """Cell 0: a hit, a second maximum near the same label (false), one too low. Cell 1: right place, other class."""
    heat = np.zeros((2, 2, 24, 24), np.float32)
    spot(heat[0, 0], 5, 5, 0.9)
    spot(heat[0, 0], 5, 9, 0.6)
    spot(heat[0, 0], 20, 20, LEVEL - 0.01)
    heat[1, 1, 10:12, 10] = 0.5  # a plateau is one detection
    none = np.zeros((0, 2))
    cells = [
        PlacedCell(np.zeros((96, 96), np.uint8), (np.array([[21.5, 22.0]]), none), none, np.zeros(0, int)),
        PlacedCell(np.zeros((96, 96), np.uint8), (np.array([[42.0, 42.0]]), none), none, np.zeros(0, int)),
    ]
    found = detections([Sight({}, each, (96, 96)) for each in heat], cells)
    assert found.cells.tolist() == [0, 0, 1] and found.classes.tolist() == [0, 0, 1]
    assert found.false.tolist() == [False, True, True] and found.missed == 1
    np.testing.assert_allclose(found.places[:2], [[21.5, 21.5], [21.5, 37.5]])


def test_measures_of_detections_by_hand():
    mean = np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    latent = np.stack([mean, mean[::-1]])
    confidences = np.array([[0.9, 0.4], [0.7, 0.2]])
    found = module._values(mean, latent, confidences, np.array([0, 1]))
    assert tuple(found) == MEASURES
    np.testing.assert_allclose(found["latent entropy"], [0, np.log(3)])
    np.testing.assert_allclose(found["entropy of the last classifier"], [0, np.log(3)])
    both = -(2 / 3 * np.log(2 / 3) + 2 * np.log(1 / 6) / 6)
    np.testing.assert_allclose(found["entropy along the path"], [both, both])
    np.testing.assert_allclose(found["latent doubt of its class"], [0, 2 / 3])
    np.testing.assert_allclose(found["mean confidence"], [-0.8, -0.3])
    np.testing.assert_allclose(found["confidence of the last"], [-0.9, -0.4])
    np.testing.assert_allclose(found["spread"], [0.1, 0.1])
    assert found["votes"].tolist() == [-2, -1]


def test_a_probe_finds_what_is_there_and_nothing_where_nothing_is(rng):
    nucleus, cells = np.tile([True, False], 60), np.repeat(np.arange(20), 6)
    features = rng.normal(size=(120, 4))
    blind = _tell_apart(features, nucleus, cells, 0)
    assert blind.low < 0.5 < blind.high
    features[nucleus, 2] += 8
    assert _tell_apart(features, nucleus, cells, 0).value > 0.999
    assert np.isnan(_tell_apart(features, np.arange(120) < 3, cells, 0).value)


def test_colours_follow_the_largest_component_of_standardised_channels():
    """Two halves that differ in all channels but one that is constant: two colours, whatever the scale of a channel."""
    maps = np.zeros((4, 6, 8), np.float32)
    maps[:3, :, 4:] = np.array([1, 1000, 0.001], np.float32)[:, None, None]
    colours = _colours([maps, maps], 0)
    assert colours.shape == (6, 8, 3) and len(np.unique(colours.reshape(-1, 3), axis=0)) == 2
    assert (colours[:, :4] == colours[0, 0]).all() and (colours[0, 0] != colours[0, 7]).any()


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """Four epochs of a tiny run, 16 cells."""
    folder = a_run(tmp_path_factory.mktemp("run"), 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an untrained network's features do not separate
        return trajectories(folder, TrajectorySettings(cells=16, seed=5), silent)


def test_weights_that_walk_at_random_are_called_a_random_walk(followed):
    walk, chance = followed.weights.walk, followed.weights.chance
    np.testing.assert_allclose(walk.cosines, 0, atol=0.1)
    assert abs(walk.shares[0] - chance.shares[0, 0]) < 0.02
    assert walk.straightness == pytest.approx(1 / np.sqrt(3), abs=0.02)


def test_arrays_and_numbers_fit_each_other(followed):
    held = arrays(followed)
    count, places = 4, len(followed.sampled.kinds)
    assert held["features"].shape[:2] == held["points"].shape[:2] == (count, places)
    assert held["centroids"].shape == held["centroid_twin"].shape
    assert held["measures"].shape == (len(held["detection_false"]), len(MEASURES))
    assert held["weights_chance"].shape == (3, 3) and held["cka"].shape == (4, 4)
    documented = re.findall(r"`(\w+)`", arrays.__doc__)
    for name in held:
        stem = next(
            (p for p in ("weights", "centroid_path_in_plane", "centroid_path") if name.startswith(p + "_")), None
        )
        assert name in documented or (stem in documented and name.removeprefix(str(stem)) in documented), name
    told = json.loads(json.dumps(numbers(followed), allow_nan=False))
    assert told["epochs"] == [1, 2, 3, 4] and sum(told["places"].values()) == places
    found = told["detections"]
    assert found["true"] + found["false"] == len(held["detection_false"])


def test_the_page_is_whole_and_says_each_sentence(followed, tmp_path):
    text = page(followed)
    said = sentences(followed)
    assert set(said) == {"clouds", "paths", "shares", "cka", "areas", "probe"}
    assert all(line.endswith(".") and "nan" not in line.lower() for line in said.values()), said
    assert text.count("<svg") == 5 and "epoch 4" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text)
    write_trajectories(followed, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "trajectories.html",
        "trajectories.json",
        "trajectories.npz",
    ]
    read_json(tmp_path / "out" / "trajectories.json")
    with np.load(tmp_path / "out" / "trajectories.npz", allow_pickle=False) as held:
        np.testing.assert_array_equal(held["cka"], followed.followed.cka)


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_computed(tmp_path):
    (tmp_path / "file").write_text("")
    folder = a_run(tmp_path / "run", 3)
    said = dosimetry("trajectories", folder, "--out", tmp_path / "file" / "below", "--cells", 2)
    assert said.exit_code == 1 and said.stderr.count("\n") == 1
    assert re.search("below: cannot be written .see .*file.; give another --out", said.stderr)


def test_the_command_writes_and_says(tmp_path):
    folder = a_run(tmp_path / "made" / "training", 5)
    words = ("--cells", 14, "--seed", 3, "--layer", "deepest", "--align", "generalised", "--from", 2, "--every", 1)
    result = dosimetry("trajectories", tmp_path / "made", "--out", tmp_path / "out", *words)
    assert result.exit_code == 0, result.stderr + repr(result.exception)
    assert (
        "epochs 2 to 5 (4 of them); layer deepest, 16 channels" in (tmp_path / "out" / "trajectories.html").read_text()
    )
    assert result.stdout.count("\n") == 7 and "page: " in result.stdout and "classifiers: 4 of 4" in result.stderr
    told = read_json(tmp_path / "out" / "trajectories.json")
    assert told["settings"]["align"] == "generalised" and told["epochs"] == [2, 3, 4, 5]
    assert folder.is_dir()


def test_bad_input_is_one_line(tmp_path):
    result = dosimetry("trajectories", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert "expected the folder of a training with run.json" in result.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("epochs", "told"), [(0.0, "stays above"), (float("nan"), "cannot be said")])
def test_a_layer_that_rests_is_said_so(followed, epochs, told):
    cka = followed.followed.cka + epochs
    assert told in sentences(replace(followed, followed=replace(followed.followed, cka=cka)))["cka"]


def test_without_false_or_true_detections_nothing_is_ranked(followed):
    judged = followed.judged
    none = replace(judged.detected, false=np.zeros(len(judged.detected.false), bool))
    assert "nothing can be ranked" in sentences(replace(followed, judged=replace(judged, detected=none)))["areas"]


def test_scoring_starts_without_scikit_learn():
    """Imports of the command that many wait for."""
    words = "import sys, cytally.cli.main, cytally.dosimetry.scoring.run, cytally.dosimetry.trajectories.study"
    code = f"{words}; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_distance_from_known_places_is_that_of_the_nearest_by_epoch(rng):
    plane = follow(three_clouds(rng), "last", 0, silent).plane
    points = rng.normal(size=(4, 2)) * 20
    slow = [np.linalg.norm(known[:, None] - points, axis=2).min(axis=0) for known in plane.known]
    np.testing.assert_allclose(plane.distance(points), np.mean(slow, axis=0))
    rho = module._rank_correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 9]))
    assert rho == pytest.approx(spearmanr([1, 2, 3, 4], [1, 3, 2, 9]).statistic)
    assert np.isnan(module._rank_correlation(np.ones(4), np.arange(4.0)))
