"""The exact saving and the tiles give what looking everywhere gives."""

import numpy as np
import pytest
import torch

from cytally.detection.vote import detect
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.training.sources import SimulatedSource
from cytally.inference import windows
from cytally.inference.runtime import TorchMember
from cytally.inference.votes import cast_votes, crops, look_everywhere, predict
from cytally.nets.unet import Architecture, UNet
from cytally.training.examples import unpack


@pytest.fixture(scope="module")
def densities():
    source = SimulatedSource(31, silent=0.4, dicentrics=2.0)
    return [unpack(source.cell(k).packed) for k in range(4)]


def same_detections(ensemble, density):
    thresholds = ensemble.card.thresholds
    results = []
    for saving in (True, False):
        cast = cast_votes(density, ensemble, saving=saving)
        results.append((cast, detect(cast.votes, cast.maps, thresholds.agreement, ensemble.classes, 4)))
    (quick_cast, quick), (full_cast, full) = results
    for channel, agreement in enumerate(thresholds.agreement):
        np.testing.assert_array_equal(quick_cast.votes[channel] > agreement, full_cast.votes[channel] > agreement)
    assert quick.names == full.names
    np.testing.assert_array_equal(quick.votes, full.votes)
    for name in ("row", "col", "confidence", "spread"):  # windows of another shape: rounding differs
        np.testing.assert_allclose(getattr(quick, name), getattr(full, name), atol=1e-4)
    return quick_cast.maps, full_cast.maps, full


@pytest.mark.parametrize("agreement", [1, 2, 3])
def test_the_saving_changes_no_decision(shipped, densities, agreement):
    ensemble = shipped.with_thresholds(agreement=agreement, confidence=0.8)
    skipped, found = 0, 0
    for density in densities:
        quick, full, detections = same_detections(ensemble, density)
        skipped += int(((quick == 0) & (full != 0)).sum())
        found += len(detections)
    assert skipped > 0, "nothing was saved: the test would show nothing"
    if agreement == 2:
        assert found > 0


def test_the_saving_holds_where_thresholds_differ_by_class(shipped, densities):
    thresholds = shipped.card.thresholds.model_copy(update={"agreement": [3, 1]})
    card = shipped.card.model_copy(update={"thresholds": thresholds})
    ensemble = type(shipped)(card, shipped.members)
    found = [same_detections(ensemble, density)[2] for density in densities]
    assert sum(map(len, found)) > 0


def test_tiles_give_the_whole_exactly_in_double_precision(monkeypatch, shipped, densities):
    stored = shipped.members[0]
    network = UNet(stored.architecture)
    network.load_state_dict({k: torch.from_numpy(v) for k, v in stored.weights().items()}, strict=False)
    member = TorchMember(network.double(), torch.float64)
    density = np.tile(densities[0], (1, 2))
    whole = look_everywhere(density, member)
    monkeypatch.setattr(windows, "TILE", 256)
    np.testing.assert_allclose(look_everywhere(density, member), whole, atol=1e-12, rtol=0)


def test_tiles_give_the_whole_within_what_is_promised(monkeypatch, shipped, densities):
    """Libraries take other kernels for other shapes; docs/processors.md promises 1e-4."""
    density = np.tile(densities[0], (1, 2))
    whole = look_everywhere(density, shipped.members[0])
    monkeypatch.setattr(windows, "TILE", 256)
    np.testing.assert_allclose(look_everywhere(density, shipped.members[0]), whole, atol=1e-4, rtol=0)


@pytest.mark.parametrize("shape", [(17, 16), (33, 250), (250, 33), (16, 16)])
def test_any_size_is_padded_and_cut(random_ensemble, shape, rng):
    ensemble = load_ensemble(random_ensemble)
    maps = predict(rng.random(shape).astype(np.float32), ensemble)
    assert maps.shape == (4, 2, -(-shape[0] // 4), -(-shape[1] // 4))


def test_windows_hold_every_vote_and_nothing_without_votes(random_ensemble, rng):
    how = load_ensemble(random_ensemble).members[0].architecture
    voted = rng.random((200, 220)) > 0.9997
    covered = np.zeros((100, 110), bool)  # coarse cells of 8 pixels, two places of the map
    for window in crops(voted, how):
        covered[window] = True
    assert np.kron(covered, np.ones((2, 2), bool))[voted].all()
    assert crops(np.zeros_like(voted), how) == []


def test_folding_changes_nothing_but_rounding():
    torch.manual_seed(0)
    network = UNet(Architecture(filters=4, depth=3, widest=16))
    for _ in range(5):  # give the normalisation layers statistics
        network.train()(torch.randn(4, 1, 64, 64) * 2 + 1)
    network.eval()
    image = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    with torch.inference_mode():
        plain = network(torch.from_numpy(image)[None, None])[0].numpy()
    np.testing.assert_allclose(TorchMember(network, torch.float32)(image), plain, atol=2e-6)  # float32 rounding


def test_low_precision_stays_near(shipped, densities):
    networks = [UNet(Architecture(**shipped.card.arguments))]
    torch.manual_seed(0)
    exact, rough = TorchMember(networks[0], torch.float32), TorchMember(networks[0], torch.bfloat16)
    difference = np.abs(exact.padded(densities[0]) - rough.padded(densities[0])).max()
    assert difference < 0.03  # bfloat16 keeps 8 bits; measured 0.022-0.026 for comparable networks
