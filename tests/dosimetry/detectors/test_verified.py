"""A glance decides as a close look at everything would, for less work."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cytally.dosimetry.detectors.candidates import propose
from cytally.dosimetry.detectors.cooccurrence import confirmed, may_count
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.detectors.verified import ByVerifier
from cytally.inference.ensemble import add_verifiers
from cytally.inference.views import VIEWS
from cytally.nets.unet import Architecture
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.training.checkpoints import save_tensors, weights_of
from cytally.types import Detections

ARCHITECTURE = VerifierArchitecture(Architecture(filters=2, depth=3, widest=8), 32)


def with_limits(ensemble, probability, weights=None, **more):
    update = {"probability": probability, "cooccurrence_weight": weights} | more
    thresholds = ensemble.card.thresholds.model_copy(update=update)
    return replace(ensemble, card=ensemble.card.model_copy(update={"thresholds": thresholds}))


@pytest.fixture(params=["openvino", "torch"])
def unsure(random_ensemble, tmp_path, request):
    """An ensemble with two verifiers that answer anything between 0 and 1."""
    paths = [tmp_path / f"r{k}.safetensors" for k in range(2)]
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        network = Verifier(ARCHITECTURE)
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(layer.running_mean, -0.3, 0.3)
                torch.nn.init.uniform_(layer.running_var, 0.1, 0.3)
        torch.nn.init.normal_(network.answer[-1].weight, std=3.0)
        save_tensors(path, weights_of(network))
    add_verifiers(random_ensemble, paths, ARCHITECTURE.arguments, {})
    return load_ensemble(random_ensemble, request.param)


@pytest.mark.parametrize("weights", [None, [0.8, 0.5], [0.0, 1.5]], ids=str)
@pytest.mark.parametrize("strict", [False, True])
def test_a_glance_decides_as_a_close_look(unsure, weights, strict, rng):
    kept = 0
    for quantile in (0.2, 0.9, 0.97, 0.995):
        for _ in range(4):
            values = rng.normal(0.5, 0.5, (96, 128)).astype(np.float32)
            found = propose(values, unsure)
            said = ByVerifier(with_limits(unsure, [0.0, 0.0])).judge(values, found).probability
            limit = float(np.clip(np.quantile(said, quantile), 0, 0.999))
            rule = ByVerifier(with_limits(unsure, [limit, limit], weights, co_occurrence=strict))
            quick, slow = rule.decide(values), rule.judge(values, found)
            kept += len(slow)
            assert quick.names == slow.names
            for name in ("row", "col", "votes", "probability"):
                np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))
    assert kept > 20


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("weights", [None, [0.8, 0.5], [3.0, 1.0]], ids=str)
@pytest.mark.parametrize("limits", [[0.9675, 0.8494], [0.3, 0.01], [0.0, 0.0]], ids=str)
def test_what_cannot_count_at_most_counts_never(shipped, limits, weights, strict, rng):
    """Whatever the probabilities are below their bounds; and at the bounds themselves nothing is held open in vain."""
    ensemble, open_ = with_limits(shipped, limits, weights, co_occurrence=strict, hard_rule_probability=limits), 0
    for _ in range(200):
        count = int(rng.integers(1, 7))
        places, classes = rng.uniform(0, 90, (count, 2)), rng.integers(0, 2, count)
        high = rng.uniform(0, 1, count) ** rng.uniform(0.2, 3)
        may = may_count(places, classes, high, ensemble)
        open_ += may.sum()
        for share in (1.0, rng.uniform(0, 1, count)):
            names = [shipped.classes[k] for k in classes]
            none = np.zeros(count)
            found = Detections(*places.T, tuple(names), none.astype(int), none, none, 2, high * share)
            kept = confirmed(found, ensemble)
            counts = np.isin(places[:, 0], kept.row)
            assert not (counts & ~may).any()
            if isinstance(share, float):
                np.testing.assert_array_equal(counts, may)
    assert open_ > 20


def test_a_cell_without_aberrations_is_not_looked_at_eight_times(unsure, rng, monkeypatch):
    """In single precision five views show that nothing can count; a cell with aberrations is finished, not begun anew."""
    values = rng.normal(0.5, 0.5, (96, 128)).astype(np.float32)
    found, asked = propose(values, unsure), []
    for one in unsure.verifiers:
        network = one._network()
        monkeypatch.setattr(network, "_rough", None, raising=False)
        plain = network.views
        monkeypatch.setattr(
            network,
            "views",
            lambda crops, which, plain=plain: (
                asked.append(len(crops) * len(range(VIEWS)[which])) or plain(crops, which)
            ),
        )
    said = ByVerifier(with_limits(unsure, [0.0, 0.0])).judge(values, found).probability
    asked.clear()
    assert not len(ByVerifier(with_limits(unsure, [float(said.max())] * 2)).decide(values))
    few = sum(asked)
    assert 2 * 5 * len(found) <= few < 2 * 7 * len(found)
    asked.clear()
    assert len(ByVerifier(with_limits(unsure, [0.0, 0.0], [0.0, 0.0])).decide(values)) == len(said)
    assert sum(asked) == 2 * VIEWS * len(found)
