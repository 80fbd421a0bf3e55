"""What an ensemble for nuclei must say of itself: its task, and how far its counts are off."""

import json
from dataclasses import asdict

import pytest
import torch

from cytally.errors import EnsembleError
from cytally.inference.card import CARD, Card, Thresholds
from cytally.inference.ensemble import write_ensemble
from cytally.livecell.ensemble import LIVE_CELLS, load_ensemble
from cytally.livecell.nuclei import ByEnsemble
from cytally.nets.unet import Architecture, UNet
from cytally.training.checkpoints import save_tensors, weights_of

TINY = Architecture(classes=2, filters=2, depth=3, stride=2, sharp=True, widest=8)


@pytest.fixture
def folder(tmp_path):
    """An untrained ensemble of one member."""
    torch.manual_seed(1)
    save_tensors(tmp_path / "epoch_001.safetensors", weights_of(UNet(TINY)))
    card = Card(
        name="tiny",
        task="livecell",
        classes=["nucleus", "core"],
        stride=TINY.step,
        normalisation=dict(LIVE_CELLS.normalisation),
        arguments=asdict(TINY),
        members=[],
        training={"count_error": 0.1},
        thresholds=Thresholds(confidence=[[0.5, 0.5]], agreement=[0, 0]),
    )
    write_ensemble(tmp_path / "ensemble", card, [tmp_path / "epoch_001.safetensors"])
    return tmp_path / "ensemble"


def note(folder, error):
    """Write another count error into the card."""
    card = json.loads((folder / CARD).read_text())
    card["training"]["count_error"] = error
    (folder / CARD).write_text(json.dumps(card))


def test_what_decides_the_limits_of_a_count_belongs_to_the_detector(folder):
    """A run that was made with one error is not continued with another."""
    before = ByEnsemble(load_ensemble(folder))
    note(folder, 0.2)
    after = ByEnsemble(load_ensemble(folder))
    assert (before.count_error, after.count_error) == (0.1, 0.2)
    assert before.identity != after.identity


def test_nobody_measured_is_no_error_and_no_limits(folder):
    note(folder, None)
    assert ByEnsemble(load_ensemble(folder)).count_error is None


@pytest.mark.parametrize("error", ["0.1", -0.1, True, [0.1], float("inf")])
def test_a_count_error_that_is_none_is_refused(folder, error):
    note(folder, error)
    with pytest.raises(EnsembleError, match="expected count_error"):
        load_ensemble(folder)
