"""Masks: images and masks move together, a run resumes exactly, the best epochs are kept."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cases.nuclei import QUICK, TINY, grid

from cytally.errors import RunError
from cytally.training import augment
from cytally.training.checkpoints import member_path
from cytally.training.folder import read_curve
from cytally.training.tasks.masks import MaskedCrop, MaskTask, best_epochs, example, fit_masks, unpacked


@given(st.integers(0, 2**20), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=25)
def test_image_and_mask_are_augmented_together(seed, row, col):
    """A mask moved as an image is the image of the moved mask, but for pixels on outlines."""
    labels = grid()
    flat = np.where(labels > 0, 3.0, -1.0).astype(np.float32)
    how = augment.draw_plain(np.random.default_rng(seed), 64)
    image, target = example(MaskedCrop.of(flat, labels), 64, how, (row % 32, col % 32))
    agree = (image > 1.0) == (target[0] > 0.5)
    assert agree.mean() > 0.97
    assert (target[1] <= target[0]).all()


def test_packing_keeps_contrast_to_a_fortieth():
    flat = np.linspace(-6, 6, 400, dtype=np.float32).reshape(20, 20)
    assert np.abs(unpacked(MaskedCrop.of(flat, np.zeros((20, 20), np.int32)).packed) - flat).max() <= 0.0251


def test_training_goes_on_where_it_was_killed(tmp_path):
    """Three epochs at once and two calls of which the first was cut after one: the same weights."""
    rng = np.random.default_rng(1)
    crops = [MaskedCrop.of(rng.normal(0, 1, (96, 96)).astype(np.float32) + 2 * (grid() > 0), grid()) for _ in range(4)]
    whole = fit_masks(MaskTask(crops, crops[:1], TINY, QUICK), tmp_path / "whole")

    class Killed(Exception):
        pass

    def kill(stage, done, total):
        if stage.startswith("epoch 2"):
            raise Killed

    with pytest.raises(Killed):
        fit_masks(MaskTask(crops, crops[:1], TINY, QUICK), tmp_path / "cut", kill)
    again = fit_masks(MaskTask(crops, crops[:1], TINY, QUICK), tmp_path / "cut")
    assert [p.name for p in whole] == [p.name for p in again]
    assert whole[0].read_bytes() == again[0].read_bytes()
    assert len(read_curve(tmp_path / "cut")) == 3
    assert len(list((tmp_path / "cut").glob("epoch_*"))) == 2  # only the best are kept
    with pytest.raises(RunError, match="other settings"):
        fit_masks(MaskTask(crops, crops[:1], TINY, replace(QUICK, batch=1)), tmp_path / "cut")
    with pytest.raises(RunError, match="to train and to validate"):
        fit_masks(MaskTask(crops, [], TINY, QUICK), tmp_path / "none")


def test_patience_returns_to_the_best():
    rows = [{"epoch": k, "validation": v} for k, v in enumerate((3.0, 1.0, 2.0, 1.0, 5.0), start=1)]
    assert best_epochs(rows, 3) == [2, 4, 3]


def test_a_run_stops_when_validation_no_longer_gains(tmp_path):
    """At a rate of 0 only running statistics change: patience of 1 ends it long before 50 epochs."""
    crops = [MaskedCrop.of(2.0 * (grid() > 0).astype(np.float32), grid())]
    still = replace(QUICK, epochs=50, patience=1, steps=1, rate=0.0, late_rate=0.0, members=1)
    best = fit_masks(MaskTask(crops, crops, TINY, still), tmp_path)
    rows = read_curve(tmp_path)
    assert len(rows) < 50 and best == [member_path(tmp_path, best_epochs(rows, 1)[0])] and best[0].is_file()
    assert rows[-1]["validation"] >= min(row["validation"] for row in rows)
