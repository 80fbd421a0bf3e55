"""What is followed: runs, layers, places; and everything that is refused, with its words."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.cases.paths import PLAIN, a_run

from cytally.dosimetry.density import normalise
from cytally.dosimetry.measure.causes import cause
from cytally.dosimetry.training.sources import paper_cells
from cytally.dosimetry.trajectories.checkpoints import TrainedRun
from cytally.dosimetry.trajectories.layers import layer_names, look
from cytally.dosimetry.trajectories.places import KINDS, groups_of, placed
from cytally.dosimetry.trajectories.study import TrajectorySettings, trajectories
from cytally.errors import RunError, SettingsError
from cytally.nets.unet import Architecture, UNet
from cytally.progress import silent
from cytally.training.checkpoints import load_tensors, member_path, save_tensors, weights_of


def test_a_run_is_found_in_its_folder_and_above_it(tmp_path):
    folder = a_run(tmp_path / "ensemble" / "training", 5)
    for given in (folder, folder.parent):
        run = TrainedRun.open(given)
        assert (run.folder, run.epochs, run.architecture, run.seed) == (folder, (1, 2, 3, 4, 5), PLAIN, 1)


def test_every_other_epoch_is_counted_back_from_the_last(tmp_path):
    run = TrainedRun.open(a_run(tmp_path, 8))
    assert run.chosen(every=2).epochs == (2, 4, 6, 8)
    assert run.chosen(begin=3, every=2).epochs == (4, 6, 8)
    assert run.chosen(begin=6).epochs == (6, 7, 8)


def test_a_network_is_the_one_that_was_saved(tmp_path):
    run = TrainedRun.open(a_run(tmp_path, 3))
    stored, _ = load_tensors(member_path(tmp_path, 2))
    state = run.network(2).state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in stored.items())
    weights = {name: tensor for name, tensor in stored.items() if "running" not in name}
    assert run.path(2).shape == (sum(tensor.numel() for tensor in weights.values()),)
    assert sorted(run.path(2)) == pytest.approx(sorted(np.concatenate([t.ravel() for t in weights.values()])))


def refused(folder, words, error=RunError, **settings):
    with pytest.raises(error, match=words) as caught:
        trajectories(folder, TrajectorySettings(**{"cells": 4, **settings}), silent)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_training_is_refused(tmp_path):
    refused(tmp_path, r"expected the folder of a training with run\.json, found none; give what `train --out` made")
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"ensemble": "metaphase-3"}}))
    member_path(tmp_path, 1).write_bytes(b"")
    refused(tmp_path, r"run\.json: expected the settings of a training of heatmaps, got no architecture; give")
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"architecture": {"side": 96}}}))
    refused(tmp_path, r"run\.json: expected the settings .* got unknown argument\(s\) of the architecture: side; give")
    (tmp_path / "run.json").write_text(json.dumps({"settings": {"architecture": {"classes": 1}}}))
    refused(tmp_path, "expected channels for dicentrics and fragments, got 1; give")
    (tmp_path / "run.json").write_text("{")
    refused(tmp_path, "run.json")


def test_a_training_without_checkpoints_is_refused(tmp_path):
    refused(a_run(tmp_path, 0), r"expected checkpoints epoch_001\.safetensors.* found none; train first")


def test_fewer_than_three_epochs_are_refused(tmp_path):
    folder = a_run(tmp_path, 4)
    words = "expected at least 3 epochs to follow, got {} of 4; train longer, or lower --every or --from"
    refused(folder, words.format(2), SettingsError, every=2)
    refused(folder, words.format(1), SettingsError, begin=4)
    refused(folder, words.format(0), SettingsError, begin=9)


def test_a_layer_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    names = "stem, down.0, down.1, up.0, up.1, deepest, decoder"
    refused(a_run(tmp_path, 3), f"expected a layer among {names}, got 'up.7'", SettingsError, layer="up.7")
    assert layer_names(PLAIN)[3] == "up.0" and len(layer_names(Architecture(depth=5))) == 9


def test_other_settings_that_cannot_be_are_refused(tmp_path):
    folder = a_run(tmp_path, 3)
    refused(folder, "expected an alignment among first, last, generalised, got 'mean'", SettingsError, align="mean")
    refused(folder, "expected at least two cells, got 1; raise --cells", SettingsError, cells=1)
    refused(folder, "has not learnt from, got seed 1, that of .*; give another --seed", SettingsError, seed=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_checkpoint_with_values_that_are_no_numbers_is_refused(tmp_path, value):
    folder = a_run(tmp_path, 3)
    tensors, _ = load_tensors(member_path(folder, 2))
    tensors["head.bias"][0] = value
    save_tensors(member_path(folder, 2), tensors)
    refused(folder, r"epoch_002\.safetensors: holds values that are not numbers \(in head\.bias\)")


def test_a_damaged_checkpoint_is_refused(tmp_path):
    folder = a_run(tmp_path, 3)
    whole = member_path(folder, 3).read_bytes()
    member_path(folder, 3).write_bytes(whole[: len(whole) // 2])
    refused(folder, r"epoch_003\.safetensors: expected a safetensors file, got")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"filters": 4}, r"stem\.1\.0\.weight: expected \(8, 16, 3, 3\), got \(16, 16, 3, 3\)"),
        ({"depth": 5}, r"up\.1\.0\.weight: expected \(8, 24, 3, 3\)"),
        ({"classes": 3}, r"head\.weight: expected \(2, 8, 1, 1\), got \(3, 8, 1, 1\)"),
    ],
)
def test_a_checkpoint_of_another_architecture_is_refused(tmp_path, other, words):
    folder = a_run(tmp_path, 3)
    network = UNet(replace(PLAIN, **other))
    save_tensors(member_path(folder, 2), weights_of(network))
    refused(folder, rf"epoch_002.*expected weights of the architecture in run\.json.*({words}).*from one training")


def test_features_are_those_of_the_network_itself(tmp_path, rng):
    """Hooks note what `UNet.features` gives; a place is read where its pixel lies in the layer's grid."""
    network = TrainedRun.open(a_run(tmp_path, 3)).network(3)
    density = rng.random((50, 70), dtype=np.float32)
    seen = look(network, density, ("decoder", "deepest", "stem", "up.0", "down.1"))
    with torch.inference_mode():
        whole = np.pad(density, [(0, -side % PLAIN.multiple) for side in density.shape])
        decoder, deepest = network.features(torch.from_numpy(whole)[None, None])
        heat = network(torch.from_numpy(whole)[None, None])
    np.testing.assert_array_equal(seen.features["decoder"], decoder[0])
    np.testing.assert_array_equal(seen.features["deepest"], deepest[0])
    np.testing.assert_array_equal(seen.features["down.1"], deepest[0])
    places = np.array([[0.0, 0.0], [3.4, 3.6], [49.0, 69.0], [-0.5, 69.4]])
    row, col = (
        np.array([0, 0, 12, 0]),
        np.array([0, 1, 17, 17]),
    )  # pixel 3.6 is nearer to the middle of the second place
    np.testing.assert_array_equal(seen.at("decoder", places), decoder[0].numpy()[:, row, col].T)
    around = heat[0].numpy()[:, 11:14, 16:18].max(axis=(1, 2))  # beyond the padded cell there is none
    assert seen.at("deepest", places).shape == (4, deepest.shape[1])
    assert (seen.confidences(places)[2] >= around - 1e-7).all()


def test_places_are_what_the_simulator_put_there():
    """Judged by `cause`, which knows the bodies, and by the picture."""
    source, seen = paper_cells(31), np.zeros(len(KINDS), int)
    for number in range(6):
        made = source.simulated(number)
        density = normalise(made.image)
        cell = placed(made, density, np.random.default_rng(number))
        labels = np.concatenate(cell.labels)
        at = np.clip(np.rint(cell.places).astype(int), 0, np.array(density.values.shape) - 1)
        for place, kind, (row, col) in zip(cell.places, cell.kinds, at, strict=True):
            name, why = KINDS[kind], cause(density.to_image(place[None])[0], made)
            seen[kind] += 1
            assert (why == "debris or nucleus") == (name in ("nucleus", "debris", "empty slide")), (name, why)
            assert name != "crossing" or why == "crossing or overlapping"
            assert (density.values[row, col] < 0.3) == (name == "empty slide") or name in ("debris", *KINDS[:3])
            if kind > 1:
                assert np.linalg.norm(labels - place, axis=1).min() > 20
        counts = np.bincount(cell.kinds, minlength=len(KINDS))
        assert counts[:2].sum() == len(labels) and counts[2:].max() <= len(labels)
    assert (seen > 0).all(), dict(zip(KINDS, seen, strict=True))
    assert groups_of(np.arange(len(KINDS))).tolist() == [0, 1, 2, 2, 2, 2, 2]
