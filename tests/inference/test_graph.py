"""Graphs against the networks that they stand for."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.errors import EnsembleError, SettingsError
from cytally.inference import members as module
from cytally.inference.graph import GraphMember, GraphVerifier, eight_views
from cytally.inference.members import runtime_for
from cytally.inference.runtime import TorchMember, TorchVerifier
from cytally.nets.architecture import Architecture, VerifierArchitecture
from cytally.nets.unet import UNet
from cytally.nets.verifier import Verifier

KINDS = [
    Architecture(filters=3, depth=3, widest=10),
    Architecture(filters=4, depth=4, widest=8, stem="plain", dropout=0.1),
    Architecture(filters=4, depth=3, stride=2, sharp=True, classes=3),
    Architecture(filters=4, depth=3, stride=1),
    Architecture(filters=2, depth=5, widest=6),
]


def filled(network, seed=0):
    """Random weights and statistics, so that every fold and every tap shows."""
    torch.manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for part in (layer.weight, layer.bias, layer.running_mean):
                torch.nn.init.uniform_(part, -0.5, 1.0)
            torch.nn.init.uniform_(layer.running_var, 0.5, 1.5)
        if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (1, 1):
            torch.nn.init.normal_(layer.weight, std=0.3)
            torch.nn.init.normal_(layer.bias, std=0.3)
    network.eval()
    return network, {k: v.numpy() for k, v in network.state_dict().items() if v.is_floating_point()}


@pytest.mark.parametrize("how", KINDS, ids=str)
def test_a_graph_answers_as_its_network(how, rng):
    network, weights = filled(UNet(how))
    image = rng.normal(0.3, 0.5, (3 * how.multiple, 4 * how.multiple)).astype(np.float32)
    graph = GraphMember(how, weights, "float32")
    whole = TorchMember(network, torch.float32)(image)
    assert whole.std() > 0.005
    np.testing.assert_allclose(graph(image), whole, atol=1e-5)
    odd = image[: 2 * how.multiple + 3, : 3 * how.multiple + 1]
    np.testing.assert_allclose(graph.padded(odd), TorchMember(network, torch.float32).padded(odd), atol=1e-5)


@pytest.mark.parametrize("how", KINDS, ids=str)
def test_a_window_of_a_graph_is_that_of_the_whole(how, rng):
    _, weights = filled(UNet(how), 1)
    cell = how.multiple
    image = rng.normal(0.3, 0.5, (9 * cell, 10 * cell)).astype(np.float32)
    graph = GraphMember(how, weights, "float32")
    inside = graph.inside(image, (slice(4, 6), slice(0, 3)))
    unit = cell // how.step
    np.testing.assert_allclose(inside, graph(image)[:, 4 * unit : 6 * unit, : 3 * unit], atol=1e-5)


@pytest.mark.parametrize(("how", "side"), [(KINDS[0], 32), (KINDS[3], 40), (Architecture(filters=4, depth=4), 96)])
def test_a_reading_graph_answers_as_its_network(how, side, rng):
    kind = VerifierArchitecture(how, side)
    network, weights = filled(Verifier(kind))
    crops = rng.normal(0.3, 0.5, (5, side, side)).astype(np.float32)
    slow = TorchVerifier(network, torch.float32)(crops)
    np.testing.assert_allclose(GraphVerifier(kind, weights, "float32")(crops), slow, atol=1e-5)
    np.testing.assert_allclose(slow.sum(axis=1), 1, atol=1e-5)


def test_eight_views_are_all_turns_and_mirrors(rng):
    crop = rng.random((5, 5)).astype(np.float32)
    views = {view.tobytes() for view in eight_views(crop)}
    assert len(views) == 8
    assert {
        np.ascontiguousarray(one).tobytes() for one in (crop, crop.T, crop[::-1], crop[:, ::-1], crop[::-1, ::-1])
    } <= views


def test_the_shipped_ensemble_answers_alike_on_both_runtimes(rng):
    """Equal to rounding in float32; the identity does not name what it ran on."""
    by_torch, by_graph = load_ensemble(runtime="torch"), load_ensemble(runtime="openvino")
    assert by_torch.card.identity == by_graph.card.identity
    assert by_torch.runtime.startswith("torch 2") and by_graph.runtime.startswith("openvino 20")
    stored = by_graph.members[-1]
    image = rng.normal(0.2, 0.3, (128, 160)).astype(np.float32)
    network = UNet(stored.architecture)
    network.load_state_dict({k: torch.from_numpy(v) for k, v in stored.weights().items()}, strict=False)
    slow = TorchMember(network.eval(), torch.float32)(image)
    np.testing.assert_allclose(GraphMember(stored.architecture, stored.weights(), "float32")(image), slow, atol=1e-5)


def test_scoring_starts_without_torch_and_without_figures():
    code = (
        "import sys, numpy as np; "
        "from cytally.dosimetry.detectors.ensemble import load_ensemble; e = load_ensemble(runtime='openvino'); "
        "e.rule.decide(np.zeros((64, 64), np.float32)); import cytally.dosimetry.scoring.workers; "
        "print([m for m in ('torch', 'matplotlib', 'scipy', 'openvino_telemetry') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


def test_only_members_that_look_are_built(shipped):
    ensemble = load_ensemble(runtime="openvino")
    from cytally.dosimetry.detectors.candidates import propose

    density = np.zeros((64, 64), np.float32)
    density[20:40, 20:30] = 1.0
    propose(density, ensemble)
    built = [k for k, member in enumerate(ensemble.members) if member._ready is not None]
    assert 3 in built and set(built) <= {0, 3, 6, 9}


def test_a_runtime_that_is_not_there_is_named(monkeypatch):
    with pytest.raises(SettingsError, match="expected a runtime among auto, torch, openvino, got 'tensorrt'"):
        runtime_for("tensorrt")
    monkeypatch.setattr(module, "find_spec", lambda name: object() if name == "torch" else None)
    with pytest.raises(SettingsError, match="openvino is not installed: pip install openvino"):
        load_ensemble(runtime="openvino")
    assert runtime_for("auto") == "torch"
    assert load_ensemble().runtime.startswith("torch")


def test_openvino_alone_is_enough_and_nothing_at_all_is_not(monkeypatch):
    monkeypatch.setattr(module.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(module, "find_spec", lambda name: object() if name == "openvino" else None)
    assert runtime_for() == "openvino"
    with pytest.raises(SettingsError, match="torch is not installed: pip install torch, or choose openvino"):
        runtime_for("torch")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="no runtime is installed: pip install openvino or torch"):
        runtime_for()


def test_auto_leaves_other_processors_and_gpus_to_torch(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    monkeypatch.setattr(module, "_has_gpu", lambda: False)
    monkeypatch.setattr(module.platform, "machine", lambda: "AMD64")
    assert runtime_for() == "openvino"
    monkeypatch.setattr(module.platform, "machine", lambda: "arm64")
    assert runtime_for() == "torch"
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(module, "_has_gpu", lambda: True)
    assert runtime_for() == "torch"


def test_a_member_changed_after_it_was_checked_is_named(random_ensemble):
    ensemble = load_ensemble(random_ensemble)
    path = random_ensemble / "member_00.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(EnsembleError, match="member_00.safetensors: member differs from its hash"):
        ensemble.members[0].padded(np.zeros((32, 32), np.float32))


def test_half_formats_are_widened(tmp_path, rng):
    values = rng.normal(size=(3, 4)).astype(np.float32)
    for kind in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        from safetensors.torch import save

        content = save({"a": torch.from_numpy(values).to(kind)})
        wide = module._fitting(content, {"a": (3, 4)}, tmp_path)["a"]
        np.testing.assert_array_equal(wide, torch.from_numpy(values).to(kind).float().numpy())
    with pytest.raises(EnsembleError, match="expected floating tensors, got I64"):
        module._fitting(save({"a": torch.zeros(3, dtype=torch.int64)}), {"a": (3,)}, tmp_path)
    with pytest.raises(EnsembleError, match=r"expected a of shape \(2, 2\), got \(3, 4\)"):
        module._fitting(content, {"a": (2, 2)}, tmp_path)


@pytest.mark.parametrize("runtime", ["torch", "float32", "default"])
def test_a_glance_says_between_what_the_answer_lies_and_finishing_gives_it(runtime, rng):
    kind = VerifierArchitecture(Architecture(filters=2, depth=3, widest=8), 32)
    network, weights = filled(Verifier(kind))
    one = TorchVerifier(network) if runtime == "torch" else GraphVerifier(kind, weights)
    if runtime == "float32":
        one._rough = None  # as on a processor without bfloat16
    crops = rng.normal(0.3, 0.5, (9, 32, 32)).astype(np.float32)
    seen, whole = one.glance(crops), one(crops)
    assert (seen.low <= whole).all() and (whole <= seen.high).all()
    assert (seen.high - seen.low).max() < 0.4
    np.testing.assert_array_equal(one.finish(crops, seen), whole)
    some = np.arange(9) % 2 == 0
    np.testing.assert_array_equal(one.finish(crops[some], seen.of(some)), whole[some])
