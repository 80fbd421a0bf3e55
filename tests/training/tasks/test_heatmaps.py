"""Heatmaps: tiny runs learn, resume exactly, begin from other weights, and refuse what does not belong."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from cytally.errors import RunError
from cytally.nets.unet import Architecture
from cytally.training import pool as pools
from cytally.training.checkpoints import load_tensors, member_path
from cytally.training.examples import Targets, TrainingCell
from cytally.training.loop import fit
from cytally.training.pool import Pool, PoolSettings
from cytally.training.tasks.heatmaps import (
    FURTHER,
    PAPER,
    SHIPPED,
    HeatmapTask,
    TrainingSettings,
    criterion_at,
    heatmap_batch,
)


@pytest.fixture(scope="module", autouse=True)
def _cells_made_here():
    """Threads instead of processes that each load torch first; test_devices trains with processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pools,
            "ProcessPoolExecutor",
            lambda count, _, begin, given: ThreadPoolExecutor(count, initializer=begin, initargs=given),
        )
        yield


SMALL = Architecture(filters=2, depth=3, widest=8)


@dataclass(frozen=True)
class Dots:
    """Cells with one bright dot of class 0 and one bar of class 1."""

    seed: int = 0

    def cell(self, index: int) -> TrainingCell:
        rng = np.random.default_rng([self.seed, index])
        density = rng.normal(0, 0.05, (72, 72)).astype(np.float32)
        (r, c), (y, x) = rng.integers(12, 60, (2, 2))
        density[r - 4 : r + 5, c - 4 : c + 5] += 1.0
        density[y - 1 : y + 2, x - 8 : x + 9] += 1.0
        return TrainingCell.pack(density, np.array([[r, c], [y, x]], float), [0, 1], [True, True])


def settings(**changes):
    plain = TrainingSettings(
        epochs=3,
        late_from=2,
        batch=4,
        side=64,
        warm=2,
        ramp=1,
        pool=PoolSettings(size=12, fresh=3, workers=1),
    )
    return replace(plain, **changes)


class Killed(Exception):
    pass


def killing(epoch):
    def report(stage, done, total):
        if stage.startswith(f"epoch {epoch} ") and done == 2:
            raise Killed

    return report


def test_a_run_learns_and_leaves_a_checkpoint_per_epoch(tmp_path):
    fit(
        HeatmapTask(Dots(), SMALL, settings(epochs=8, rate=1e-2, late_rate=1e-2, emphasis=0, warm=0, weight=0.0)),
        tmp_path,
    )
    rows = (tmp_path / "curves.csv").read_text().splitlines()
    losses = [float(row.split(",")[1]) for row in rows[1:]]
    assert len(losses) == 8 and losses[-1] < losses[0]
    assert all(member_path(tmp_path, epoch).is_file() for epoch in range(1, 9))


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path):
    fit(HeatmapTask(Dots(), SMALL, settings()), tmp_path / "whole")
    with pytest.raises(Killed):
        fit(HeatmapTask(Dots(), SMALL, settings()), tmp_path / "killed", killing(3))
    assert not member_path(tmp_path / "killed", 3).exists()
    fit(HeatmapTask(Dots(), SMALL, settings()), tmp_path / "killed")
    for epoch in (1, 2, 3):
        whole, _ = load_tensors(member_path(tmp_path / "whole", epoch))
        killed, _ = load_tensors(member_path(tmp_path / "killed", epoch))
        for name, tensor in whole.items():
            torch.testing.assert_close(killed[name], tensor, rtol=0, atol=2e-3)  # half precision


def test_a_finished_run_does_nothing_more(tmp_path):
    fit(HeatmapTask(Dots(), SMALL, settings(epochs=1)), tmp_path)
    before = member_path(tmp_path, 1).stat().st_mtime_ns
    fit(HeatmapTask(Dots(), SMALL, settings(epochs=1)), tmp_path)
    assert member_path(tmp_path, 1).stat().st_mtime_ns == before


def test_other_settings_in_the_same_folder_are_refused_but_more_epochs_are_not(tmp_path):
    fit(HeatmapTask(Dots(), SMALL, settings(epochs=1)), tmp_path)
    with pytest.raises(RunError, match="other settings"):
        fit(HeatmapTask(Dots(), SMALL, settings(epochs=1, rate=0.5)), tmp_path)
    fit(HeatmapTask(Dots(), SMALL, settings(epochs=2)), tmp_path)
    assert member_path(tmp_path, 2).is_file()


def test_sparsity_waits_for_the_warm_up():
    plan = [criterion_at(epoch, SHIPPED) for epoch in range(1, 25)]
    assert [weight for weight, _ in plan[:6]] == [0.0] * 6
    assert plan[0][1] == 15.0 and plan[6][1] == 0.0
    assert plan[-1] == (0.2, 0.0)
    assert criterion_at(1, PAPER) == (0.2, 0.0)


def test_the_paper_preset_is_the_papers():
    assert (PAPER.epochs, PAPER.batch, PAPER.rate, PAPER.late_rate, PAPER.decay) == (100, 12, 3e-4, 3e-4, 0.1)
    assert PAPER.epochs - PAPER.late_from + 1 == 50 and not PAPER.augmented and PAPER.coupled


def test_cells_with_the_strongest_false_alarms_stay_longest():
    pool = Pool(Dots(), PoolSettings(size=10, fresh=4, hard=0.3, workers=1))
    pool.start()
    try:
        for number in pool.fill():
            pool.fetch(number)
        pool.alarm = {number: float(number in (2, 5, 7)) for number in pool.numbers}
        pool.exchange()
        assert {2, 5, 7} <= set(pool.numbers)
        assert len(pool.numbers) == len(pool.cells) == 10 and max(pool.numbers) == 13
    finally:
        pool.stop()


def test_a_run_can_begin_from_the_weights_of_another(tmp_path):
    fit(HeatmapTask(Dots(), SMALL, settings(epochs=1)), tmp_path / "one")
    first = member_path(tmp_path / "one", 1)
    still = settings(epochs=1, rate=0.0, late_rate=0.0, decay=0.0)
    fit(HeatmapTask(Dots(), SMALL, still, first), tmp_path / "two")
    before, after = load_tensors(first)[0], load_tensors(member_path(tmp_path / "two", 1))[0]
    for name in before:
        if name.endswith(("weight", "bias")):  # running statistics move even at rate 0
            assert (before[name] == after[name]).all(), name


def test_weights_of_another_architecture_are_refused(tmp_path):
    fit(HeatmapTask(Dots(), SMALL, settings(epochs=1)), tmp_path / "one")
    with pytest.raises(RunError, match="another architecture"):
        fit(
            HeatmapTask(
                Dots(),
                Architecture(filters=4, depth=3, widest=16),
                settings(epochs=1),
                member_path(tmp_path / "one", 1),
            ),
            tmp_path / "two",
        )


@pytest.mark.parametrize("stride", [2, 4])
def test_labels_lie_on_the_grid_of_the_network(rng, stride):
    """A label at (41, 23) is drawn around its place of the grid, 41 // stride and 23 // stride."""
    task = HeatmapTask(Dots(), replace(SMALL, stride=stride), settings(augmented=False))
    cell = TrainingCell.pack(np.zeros((64, 64), np.float32), np.array([[41.0, 23.0]]), [0], [True, True])
    task._pool.cells[0] = cell
    batch = task.batch([0])
    assert task.network().eval()(batch.images).shape == batch.heatmaps.shape
    heat = batch.heatmaps[0, 0].numpy()
    assert np.unravel_index(heat.argmax(), heat.shape) == (41 // stride, 23 // stride)


def test_further_keeps_sparsity_from_its_first_epoch():
    assert criterion_at(1, FURTHER) == (0.2, 0.0)


def test_a_channel_that_was_not_labelled_teaches_nothing(rng):
    places = np.array([[40.0, 40.0]])
    cell = TrainingCell.pack(np.zeros((96, 96), np.float32), places, [1], [True, False])
    how = TrainingSettings(side=64, augmented=False)
    batch = heatmap_batch([0], [cell], how, Targets(2, 4), rng)
    assert batch.known.flatten().tolist() == [1.0, 0.0] and batch.heatmaps[0, 1].max() == 0
    full = TrainingCell.pack(np.zeros((96, 96), np.float32), places, [1], [True, True])
    assert heatmap_batch([0], [full], how, Targets(2, 4), rng).heatmaps[0, 1].max() > 0.5
