import pytest
from tests.training.test_loop import SMALL, Dots, settings

from cytally.errors import RunError
from cytally.nets.unet import Architecture
from cytally.training.checkpoints import load_tensors, member_path
from cytally.training.loop import FURTHER, criterion_at, fit


def test_a_run_can_begin_from_the_weights_of_another(tmp_path):
    fit(Dots(), SMALL, settings(epochs=1), tmp_path / "one")
    first = member_path(tmp_path / "one", 1)
    still = settings(epochs=1, rate=0.0, late_rate=0.0, decay=0.0)
    fit(Dots(), SMALL, still, tmp_path / "two", start=first)
    before, after = load_tensors(first)[0], load_tensors(member_path(tmp_path / "two", 1))[0]
    for name in before:
        if name.endswith(("weight", "bias")):  # running statistics move even at rate 0
            assert (before[name] == after[name]).all(), name


def test_weights_of_another_architecture_are_refused(tmp_path):
    fit(Dots(), SMALL, settings(epochs=1), tmp_path / "one")
    with pytest.raises(RunError, match="another architecture"):
        fit(Dots(), Architecture(filters=4, depth=3, widest=16), settings(epochs=1), tmp_path / "two",
            start=member_path(tmp_path / "one", 1))  # fmt: skip


def test_further_keeps_sparsity_from_its_first_epoch():
    assert criterion_at(1, FURTHER) == (0.2, 0.0)
