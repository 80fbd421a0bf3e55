"""Verifiers learn what they are shown, resume exactly, and refuse what does not belong."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cytally.errors import RunError
from cytally.inference.runtime import TorchVerifier
from cytally.nets.unet import Architecture, UNet
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.training.checkpoints import load_tensors, save_tensors, weights_of
from cytally.training.examples import pack
from cytally.training.tasks.crops import STORED, Crops, VerifierSettings, fit_verifier, rate_at

SMALL = VerifierArchitecture(Architecture(filters=4, depth=3, widest=16), 48)
SHORT = VerifierSettings(epochs=4, batch=16, rate=4e-3)


def shapes(count, seed):
    """A long bar (0), a square (1) or nothing (2) in the middle of each crop."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    density = rng.normal(0, 0.1, (count, STORED, STORED)).astype(np.float32)
    for image, kind in zip(density, labels, strict=True):
        if kind < 2:
            high, wide = ((4, 14), (8, 8))[kind]
            image[64 - high : 64 + high, 64 - wide : 64 + wide] += 1
    return Crops(pack(density), labels.astype(np.int64))


class Killed(Exception):
    pass


def test_a_verifier_learns_to_tell_shapes_apart(tmp_path):
    path = fit_verifier(shapes(400, 1), SMALL, replace(SHORT, epochs=6), tmp_path / "verifier_00")
    assert path == tmp_path / "verifier_00" / "epoch_006.safetensors"
    network = Verifier(SMALL)
    network.load_state_dict({k: v.float() for k, v in load_tensors(path)[0].items()}, strict=False)
    fresh = shapes(90, 2)
    middle = (fresh.pixels[:, 40:88, 40:88].astype(np.float32) - 36) / 73
    said = TorchVerifier(network.eval(), torch.float32)(middle).argmax(axis=1)
    assert (said == fresh.labels).mean() > 0.9  # a third by chance
    assert len(list(path.parent.glob("epoch_*"))) == 1


def test_a_killed_verifier_goes_on_as_if_nothing_had_happened(tmp_path):
    crops = shapes(48, 3)

    def killing(stage, done, total):
        if "epoch 3 of 4" in stage:
            raise Killed

    run = tmp_path / "b"
    whole = fit_verifier(crops, SMALL, SHORT, tmp_path / "a")
    with pytest.raises(Killed):
        fit_verifier(crops, SMALL, SHORT, run, killing)
    stages = []
    cut = fit_verifier(crops, SMALL, SHORT, run, lambda stage, done, total: stages.append(stage))
    assert "b: epoch 3 of 4" in stages[0]
    one, other = load_tensors(whole)[0], load_tensors(cut)[0]
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], msg=name)
    before = cut.read_bytes()
    fit_verifier(crops, SMALL, SHORT, run, killing)  # done: nothing is trained again
    assert cut.read_bytes() == before


def test_a_verifier_of_other_settings_is_not_taken_for_this_one(tmp_path):
    crops, path = shapes(16, 8), tmp_path / "r"
    fit_verifier(crops, SMALL, replace(SHORT, epochs=1), path)
    with pytest.raises(RunError, match=r"other settings \(epochs\); give another --out"):
        fit_verifier(crops, SMALL, replace(SHORT, epochs=2), path)
    with pytest.raises(RunError, match=r"other settings \(crops\)"):
        fit_verifier(shapes(20, 8), SMALL, replace(SHORT, epochs=1), path)


def test_it_may_begin_from_a_member_or_from_another_verifier(tmp_path):
    torch.manual_seed(0)
    member, verifier = (tmp_path / f"{name}.safetensors" for name in ("m", "r"))
    network = UNet(SMALL.unet)
    save_tensors(member, weights_of(network, torch.float32))
    crops, still = shapes(16, 4), replace(SHORT, epochs=1, rate=0.0, decay=0.0)
    made = fit_verifier(crops, SMALL, still, tmp_path / "out", start=member)
    taken = load_tensors(made)[0]["unet.down.0.0.weight"]
    torch.testing.assert_close(taken, network.state_dict()["down.0.0.weight"].half())
    save_tensors(verifier, weights_of(Verifier(SMALL)))
    again = fit_verifier(crops, SMALL, still, tmp_path / "more", start=verifier)
    more = load_tensors(again)[0]["answer.0.weight"]
    torch.testing.assert_close(more, load_tensors(verifier)[0]["answer.0.weight"])


def test_too_few_places_and_foreign_weights_are_refused(tmp_path):
    with pytest.raises(RunError, match="expected at least 16 places to learn from, got 5"):
        fit_verifier(shapes(5, 5), SMALL, SHORT, tmp_path / "a")
    save_tensors(tmp_path / "f.safetensors", weights_of(UNet(Architecture(filters=2, depth=3, widest=8))))
    with pytest.raises(RunError, match="weights of another architecture"):
        fit_verifier(shapes(16, 6), SMALL, SHORT, tmp_path / "b", start=tmp_path / "f.safetensors")


@pytest.mark.parametrize(("step", "rate"), [(0, 0.5), (1, 1.0), (3, 0.5 * (1 + np.cos(np.pi * 0.75)))])
def test_the_rate_warms_up_and_then_falls_as_half_a_cosine(step, rate):
    """Four steps, half of them to warm up: the middle of each later step decides."""
    assert rate_at(step, 4, VerifierSettings(rate=1.0, warm=0.5)) == pytest.approx(rate)
