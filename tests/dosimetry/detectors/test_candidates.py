"""Verification: crops, views, and what is kept."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from cytally.dosimetry.detectors.candidates import SURE, crops_at, heatmaps, peaks, propose, proposing, verify
from cytally.dosimetry.detectors.cooccurrence import confirmed
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.detectors.heatmap import ByVote
from cytally.dosimetry.detectors.verified import ByVerifier
from cytally.errors import EnsembleError, SettingsError
from cytally.inference.ensemble import add_verifiers
from cytally.inference.runtime import TorchVerifier
from cytally.inference.votes import predict
from cytally.nets.unet import Architecture
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.training.checkpoints import save_tensors, weights_of
from cytally.types import Detections

ARCHITECTURE = VerifierArchitecture(Architecture(filters=2, depth=3, widest=8), 32)


def verifier(seed):
    torch.manual_seed(seed)
    network = Verifier(ARCHITECTURE)
    for layer in network.modules():  # fresh normalisation layers would fold to nothing
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
    torch.nn.init.normal_(network.answer[-1].weight, std=2.0)
    return network.eval()


@pytest.fixture
def twice_read(random_ensemble, tmp_path):
    """An ensemble with two small random verifiers."""
    paths = [tmp_path / f"r{k}.safetensors" for k in range(2)]
    for k, path in enumerate(paths):
        save_tensors(path, weights_of(verifier(k)))
    add_verifiers(random_ensemble, paths, ARCHITECTURE.arguments, {"cells": 0})
    return load_ensemble(random_ensemble)


def found(rows, cols, names):
    n = len(rows)
    return Detections(
        np.array(rows, float),
        np.array(cols, float),
        tuple(names),
        np.full(n, 4),
        np.full(n, 0.9),
        np.zeros(n),
        4,
        np.full(n, np.nan),
    )


def test_crops_are_cut_around_places_and_end_in_empty_slide(rng):
    density = rng.normal(size=(50, 60)).astype(np.float32)
    inner, corner, outside = crops_at(density, np.array([20.2, 3.0, -40.0]), np.array([30.0, 58.0, 5.0]), 16)
    np.testing.assert_array_equal(inner, density[12:28, 22:38])
    padded = np.pad(density, 16)
    np.testing.assert_array_equal(corner, padded[3 + 8 : 3 + 24, 58 + 8 : 58 + 24])
    assert not outside.any()


def test_proposals_are_the_local_maxima_of_the_mean_heatmap(random_ensemble, rng):
    ensemble = load_ensemble(random_ensemble)
    values = rng.normal(0.5, 0.5, (160, 200)).astype(np.float32)
    found = propose(values, ensemble, 4)
    mean = predict(values, ensemble).mean(axis=0)
    slow = set()
    for channel, (name, level) in enumerate((("dicentric", 0.06), ("fragment", 0.12))):
        heat = np.pad(mean[channel], 3, mode="symmetric")
        for row, col in np.argwhere(mean[channel] > level):
            if mean[channel][row, col] == heat[row : row + 7, col : col + 7].max():
                slow.add((4 * row + 1.5, 4 * col + 1.5, name))
    mine = set(zip(found.row, found.col, found.names, strict=True))
    assert mine <= slow and len(mine) > 10
    for row, col, name in slow - mine:  # a flat top is one place
        assert any(n == name and np.hypot(r - row, c - col) < 12 for r, c, n in mine)
    assert found.members == 4 and found.votes.max() <= 4


class Pointwise:
    """A member that answers at a place by the mean density there, and by its own choice of places."""

    architecture = Architecture(filters=2, depth=3, widest=8)

    def __init__(self, low, high, answer):
        self.low, self.high, self.answer = low, high, answer

    def inside(self, density, window):
        height, width = (size // 4 for size in density.shape)
        mean = density.reshape(height, 4, width, 4).mean(axis=(1, 3))
        heat = np.where((mean > self.low) & (mean < self.high), self.answer * mean, 0).astype(np.float32)
        unit = self.architecture.multiple // self.architecture.step
        rows, cols = (slice(part.start * unit, part.stop * unit) for part in window)
        return np.stack([heat, heat])[:, rows, cols]


def test_no_proposal_is_lost_around_which_the_first_member_answers_more_than_the_gate(random_ensemble, rng):
    """And where it does not, others alone do not propose: the gate rules out, and only there."""
    ensemble, values = load_ensemble(random_ensemble), np.zeros((512, 512), np.float32)
    for row, col in rng.integers(20, 490, (40, 2)):
        values[row : row + 12, col : col + 12] = rng.uniform(0.2, 1.0)
    members = [Pointwise(0.1, 9, 0.5), Pointwise(0.6, 9, 0.01), Pointwise(0.1, 9, 0.5), Pointwise(0.1, 9, 0.5)]
    chosen = proposing(ensemble, 4)
    every = np.stack([one.inside(values, (slice(0, 99), slice(0, 99))) for one in members])
    first = cv2.dilate(every[1].max(axis=0), np.ones((7, 7), np.uint8))  # the second of four looks first
    without, gated = peaks(every, ensemble, chosen), peaks(heatmaps(values, members), ensemble, chosen)
    proposed = list(zip(without.names, without.row, without.col, strict=True))
    kept = set(zip(gated.names, gated.row, gated.col, strict=True))
    enough = [first[int(row) // 4, int(col) // 4] > SURE for _, row, col in proposed]
    assert {place for place, sure in zip(proposed, enough, strict=True) if sure} <= kept
    assert 5 < sum(enough) < len(proposed) - 5 and len(kept) < len(proposed)


def test_a_flat_top_is_proposed_once_and_counts_its_votes(random_ensemble):
    ensemble = load_ensemble(random_ensemble)
    maps = np.zeros((4, 2, 20, 20), np.float32)
    maps[:, 0, 5:7, 5:8] = np.array([0.4, 0.6, 0.7, 0.7])[:, None, None]  # T_C is 0.5
    maps[:, 1, 15, 3] = 0.05
    found = peaks(maps, ensemble, proposing(ensemble, 4))
    assert found.names == ("dicentric",) and found.votes.tolist() == [3]
    assert found.confidence[0] == pytest.approx(0.6) and found.spread[0] == pytest.approx(0.1225, abs=1e-4)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_place_of_the_map_is_the_middle_of_its_pixels(random_ensemble, stride):
    """Stride 2: place (5, 9) covers rows 10 and 11 and columns 18 and 19."""
    whole = load_ensemble(random_ensemble)
    ensemble = replace(whole, card=whole.card.model_copy(update={"stride": stride}))
    maps = np.zeros((4, 2, 20, 20), np.float32)
    maps[:, 0, 5, 9] = 0.7
    found = peaks(maps, ensemble, proposing(ensemble, 4))
    covered = np.arange(stride)
    assert (found.row[0], found.col[0]) == (np.mean(5 * stride + covered), np.mean(9 * stride + covered))


def test_members_that_propose_are_spread_over_the_run(random_ensemble, shipped):
    assert proposing(shipped) == [0, 3]
    assert proposing(load_ensemble(random_ensemble), 4) == [0, 1, 2, 3]


def test_a_verifier_answers_as_the_mean_over_turned_and_mirrored_crops(rng):
    crops = rng.normal(size=(3, 32, 32)).astype(np.float32)
    network = verifier(3)
    quick = TorchVerifier(network, torch.float32)(crops)
    slow = np.zeros((3, 3))
    with torch.no_grad():
        for mirrored in (crops, crops[:, :, ::-1]):
            for turns in range(4):
                view = torch.from_numpy(np.rot90(mirrored, turns, (1, 2)).copy())[:, None]
                slow += network(view).softmax(1).numpy() / 8
    np.testing.assert_allclose(quick, slow, atol=1e-5)  # float32, other order of sums
    np.testing.assert_allclose(quick.sum(axis=1), 1, atol=1e-5)
    turned = np.rot90(crops, 1, (1, 2)).copy()
    np.testing.assert_allclose(TorchVerifier(network, torch.float32)(turned), quick, atol=1e-5)


def test_what_verifiers_do_not_confirm_is_dropped_and_the_rest_keeps_its_probability(twice_read, rng):
    density = rng.normal(0.5, 0.5, (120, 140)).astype(np.float32)
    places = found(rng.uniform(0, 120, 90), rng.uniform(0, 140, 90), ["dicentric", "fragment"] * 45)
    said = verify(density, places, twice_read)
    own = said[np.arange(90), [0, 1] * 45]
    limits = [float(np.median(own[::2])), float(np.median(own[1::2]))]
    thresholds = twice_read.card.thresholds.model_copy(update={"probability": limits})
    strict = replace(twice_read, card=twice_read.card.model_copy(update={"thresholds": thresholds}))
    kept = ByVerifier(strict).judge(density, places)
    expected = own > np.array(limits * 45)
    assert 0 < len(kept) < 90 and len(kept) == expected.sum()
    np.testing.assert_array_equal(kept.row, places.row[expected])
    np.testing.assert_allclose(kept.probability, own[expected])


def test_without_verifiers_the_members_vote(twice_read):
    assert isinstance(twice_read.rule, ByVerifier)
    assert isinstance(twice_read.with_thresholds(confidence=0.5).rule, ByVote)


def test_verifiers_belong_to_the_identity(random_ensemble, twice_read, tmp_path):
    other = tmp_path / "other.safetensors"
    save_tensors(other, weights_of(verifier(9)))
    before = twice_read.card.identity
    assert load_ensemble(random_ensemble).card.identity == before
    assert twice_read.with_thresholds(probability=0.7).card.identity != before
    assert add_verifiers(random_ensemble, [other], ARCHITECTURE.arguments, {}).identity != before


def test_a_changed_verifier_and_missing_thresholds_are_named(random_ensemble, twice_read):
    path = random_ensemble / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"thresholds": card["thresholds"] | {"probability": None}}))
    with pytest.raises(EnsembleError, match="expected verifiers and probabilities for them, or neither"):
        load_ensemble(random_ensemble)
    path.write_text(json.dumps(card | {"thresholds": card["thresholds"] | {"probability": [0.5]}}))
    with pytest.raises(EnsembleError, match="expected probability from 0 to below 1 for 2 classes"):
        load_ensemble(random_ensemble)
    path.write_text(json.dumps(card | {"verifier": card["verifier"] | {"colour": 3}}))
    with pytest.raises(EnsembleError, match=r"unknown argument\(s\) of the verifier: colour"):
        load_ensemble(random_ensemble)
    path.write_text(json.dumps(card))
    (random_ensemble / "verifier_01.safetensors").write_bytes(b"x")
    with pytest.raises(EnsembleError, match="verifier_01.safetensors: member differs"):
        load_ensemble(random_ensemble)


def test_a_reading_needs_verifiers(random_ensemble):
    with pytest.raises(SettingsError, match="no verifiers"):
        load_ensemble(random_ensemble).with_thresholds(probability=0.5)


@pytest.mark.parametrize("side", [8, 44])
def test_an_impossible_side_is_refused(side):
    with pytest.raises(SettingsError, match="a multiple of 8"):
        VerifierArchitecture(ARCHITECTURE.unet, side)


def test_asking_for_votes_lets_the_members_vote(twice_read):
    voting = twice_read.with_thresholds(confidence=0.3, agreement=1)
    assert voting.verifiers == () and voting.card.thresholds.probability is None
    assert voting.card.identity != twice_read.card.identity
    assert len(twice_read.with_thresholds(co_occurrence=True).verifiers) == 2
    with pytest.raises(SettingsError, match="got both"):
        twice_read.with_thresholds(agreement=1, probability=0.5)


def test_a_fragment_elsewhere_weighs_unless_co_occurrence_is_asked_for(twice_read):
    """Dicentrics of 0.7: one cell holds a fragment, one does not; alone 0.8 would be needed."""
    update = {
        "probability": [0.75, 0.5],
        "cooccurrence_weight": [0.5, 0.0],
        "hard_rule_probability": [0.8, 0.5],
    }
    thresholds = twice_read.card.thresholds.model_copy(update=update)
    ensemble = replace(twice_read, card=twice_read.card.model_copy(update={"thresholds": thresholds}))
    with_fragment = replace(found([10, 90], [10, 90], ["dicentric", "fragment"]), probability=np.array([0.7, 0.9]))
    without = replace(found([10], [10], ["dicentric"]), probability=np.array([0.7]))
    assert confirmed(with_fragment, ensemble).names == ("dicentric", "fragment")
    assert confirmed(with_fragment, ensemble).probability == pytest.approx([7 / 8, 0.9])  # odds 7/3 x sqrt(9)
    assert len(confirmed(without, ensemble)) == 0
    strict = ensemble.with_thresholds(co_occurrence=True)
    assert confirmed(with_fragment, strict).names == ("fragment",)


def test_weights_belong_to_the_identity(random_ensemble, twice_read):
    card = twice_read.card
    weighed = card.thresholds.model_copy(
        update={"cooccurrence_weight": [0.5, 0.2], "hard_rule_probability": [0.9, 0.8]}
    )
    assert card.model_copy(update={"thresholds": weighed}).identity != card.identity
    path = random_ensemble / "card.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"thresholds": stored["thresholds"] | {"cooccurrence_weight": [0.5]}}))
    with pytest.raises(EnsembleError, match=r"expected cooccurrence_weight from 0 to 5 for 2 classes"):
        load_ensemble(random_ensemble)
