"""What a training leaves on disk, read back."""

import pytest
import torch

from cytally.errors import FileError, OutputError, RunError
from cytally.nets.unet import Architecture, UNet
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.training import checkpoints
from cytally.training.checkpoints import load_tensors, load_weights, read_curves, save_tensors, weights_of

PLAIN = Architecture(filters=2, depth=3, widest=8)


def test_curves_are_numbers_and_a_loss_may_be_nan(tmp_path):
    (tmp_path / "curves.csv").write_text("epoch,loss,validation\n1,0.5,nan\n2,1e-3,0.25\n")
    assert read_curves(tmp_path / "curves.csv") == [
        {"epoch": "1", "loss": "0.5", "validation": "nan"},
        {"epoch": "2", "loss": "1e-3", "validation": "0.25"},
    ]
    (tmp_path / "curves.csv").write_text("epoch,loss\n")
    assert read_curves(tmp_path / "curves.csv") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch,loss\n1,low\n", "line 2: expected numbers only"),
        ("epoch,loss\n1.5,0.1\n", "expected a whole number .* in epoch"),
        ("epoch,loss\n1\n", "line 2: expected 2 columns, got 1"),
        ("step,loss\n1,0.1\n", "missing epoch|expected a line of headings"),
        ("", "got an empty table"),
    ],
)
def test_damaged_curves_are_refused(tmp_path, text, words):
    (tmp_path / "curves.csv").write_text(text)
    with pytest.raises(FileError, match=words):
        read_curves(tmp_path / "curves.csv")


def test_a_damaged_state_is_named(tmp_path):
    (tmp_path / "state.safetensors").write_bytes(b"not tensors")
    with pytest.raises(RunError, match="state.safetensors: expected a safetensors file"):
        load_tensors(tmp_path / "state.safetensors")


def test_a_checkpoint_is_whole_or_absent(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full_disk)
    with pytest.raises(OutputError, match="No space"):
        save_tensors(tmp_path / "epoch_001.safetensors", {"a": torch.zeros(2)})
    assert not (tmp_path / "epoch_001.safetensors").exists()


def saved(network, path):
    save_tensors(path, weights_of(network, torch.float32))
    return path


def same(one, other):
    state = other.state_dict()
    return all(torch.equal(value, state[name]) for name, value in one.state_dict().items())


def test_weights_come_back_whole(tmp_path):
    one, other = UNet(PLAIN), UNet(PLAIN)
    load_weights(other, saved(one, tmp_path / "a.safetensors"))
    assert same(one, other)


def test_a_member_begins_a_network_with_more_channels_where_the_head_may_differ(tmp_path):
    """Two channels come from the member, two stay as they were drawn."""
    member = saved(UNet(PLAIN), tmp_path / "member.safetensors")
    wider = UNet(Architecture(classes=4, filters=2, depth=3, widest=8))
    drawn = wider.head.weight.detach().clone()
    with pytest.raises(RunError, match="weights of another architecture"):
        load_weights(wider, member)
    load_weights(wider, member, headless=True)
    taken = load_tensors(member)[0]["head.weight"]
    assert torch.equal(wider.head.weight[:2], taken) and torch.equal(wider.head.weight[2:], drawn[2:])


def test_a_verifier_begins_from_a_member_or_from_a_verifier(tmp_path):
    how = VerifierArchitecture(PLAIN, 48)
    member, first, second = UNet(PLAIN), Verifier(how), Verifier(how)
    load_weights(second, saved(member, tmp_path / "member.safetensors"))
    assert same(member, second.unet) and not same(first, second)
    load_weights(second, saved(first, tmp_path / "verifier.safetensors"))
    assert same(first, second)


@pytest.mark.parametrize(
    "other",
    [
        Architecture(filters=4, depth=3, widest=16),
        Architecture(filters=2, depth=4, widest=8),
        Architecture(filters=2, depth=3, widest=8, stem="plain"),
    ],
)
@pytest.mark.parametrize("headless", [False, True])
def test_weights_of_another_network_are_refused(tmp_path, other, headless):
    """Wider, deeper, another stem: none is taken in part and without a word."""
    path = saved(UNet(other), tmp_path / "other.safetensors")
    with pytest.raises(RunError, match="other.safetensors: weights of another architecture"):
        load_weights(UNet(PLAIN), path, headless=headless)
    back = saved(UNet(PLAIN), tmp_path / "plain.safetensors")
    with pytest.raises(RunError, match="weights of another architecture"):
        load_weights(UNet(other), back, headless=headless)


def test_a_file_without_the_weights_of_any_network_is_refused(tmp_path):
    save_tensors(tmp_path / "a.safetensors", {"weight": torch.zeros(3)})
    with pytest.raises(RunError, match="weights of another architecture"):
        load_weights(UNet(PLAIN), tmp_path / "a.safetensors")
    save_tensors(tmp_path / "b.safetensors", {})
    with pytest.raises(RunError, match="weights of another architecture"):
        load_weights(UNet(PLAIN), tmp_path / "b.safetensors")
