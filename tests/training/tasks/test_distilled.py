"""A small network learns from what large ones answer; their heatmaps move with the image."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from cytally.labels.points import spots
from cytally.nets.unet import Architecture, UNet
from cytally.training import augment
from cytally.training.checkpoints import load_weights, member_path
from cytally.training.examples import TrainingCell, unpack
from cytally.training.loop import fit
from cytally.training.tasks.distilled import DistillationSettings, DistillationTask, TaughtCell, moved_heat

SMALL = Architecture(classes=2, filters=3, depth=3, widest=16)
SHORT = DistillationSettings(epochs=3, steps=25, batch=8, side=64, rate=1e-2, seed=3)


def scene(seed):
    """Round blots in empty slide, big ones and small ones."""
    rng = np.random.default_rng(seed)
    density = np.zeros((96, 104), np.float32)
    places = rng.uniform(10, 86, (6, 2))
    for k, (row, col) in enumerate(places):
        cv2.circle(density, (int(col), int(row)), 13 if k % 2 else 4, 1.0, -1)
    known = [True, True]
    return TrainingCell.pack(density, places, [k % 2 for k in range(6)], known)


def teacher(density):
    """Answers 0.6 at whatever is stained, in the channel that its size says."""
    small = cv2.resize(density, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    big = cv2.erode(small, np.ones((3, 3), np.uint8))
    large = cv2.dilate(big, np.ones((3, 3), np.uint8))
    return 0.6 * np.stack([np.clip(small - large, 0, 1), large])


@pytest.mark.parametrize("seed", range(6))
def test_heatmaps_move_with_the_image(seed):
    rng = np.random.default_rng(seed)
    places, how, corner = rng.uniform(40, 150, (3, 2)), augment.draw(rng), (18, 25)
    heat = spots(places, (48, 48), 4, 2.0)
    moved = moved_heat(np.rint(np.sqrt(heat) * 255).astype(np.uint8), how, corner, 160, 4)
    expected = spots(augment.move_points(places, how, corner, 160), (40, 40), 4, 2.0 * how.size)
    np.testing.assert_allclose(moved, expected, atol=0.08)  # interpolation between places of a spot 2 wide
    assert moved.max() > 0.9


def test_low_answers_are_kept_finely():
    values = np.linspace(0, 1, 4096, dtype=np.float32).reshape(1, 64, 64)
    cell = scene(0)
    stored = (TaughtCell.of(cell, values).heat / np.float32(255)) ** 2
    assert np.abs(stored - values).max() < 0.004 and np.abs(stored - values)[values < 0.1].max() < 0.0013


def test_a_small_network_answers_as_its_teachers(tmp_path):
    cells = [TaughtCell.of(cell, teacher(unpack(cell.packed))) for cell in map(scene, range(30))]
    task = DistillationTask(cells, SMALL, replace(SHORT, points=0.0))
    rows = fit(task, tmp_path / "run")
    assert [path.name for path in sorted((tmp_path / "run").glob("epoch_*"))] == [
        "epoch_002.safetensors",
        "epoch_003.safetensors",
    ]
    network = UNet(SMALL)
    load_weights(network, member_path(tmp_path / "run", len(rows)))
    network.eval()
    image = unpack(scene(99).packed)
    with torch.inference_mode():
        said = network(torch.from_numpy(image)[None, None])[0].numpy()
    wanted = teacher(image)
    assert np.corrcoef(said.ravel(), wanted.ravel())[0, 1] > 0.8
    sure = wanted[1] > 0.3
    assert abs(said[1][sure].mean() - wanted[1][sure].mean()) < 0.12  # as sure as they, and no surer


def test_points_weigh_where_they_are_known():
    unlabelled = replace(scene(1), known=np.array([True, False]))
    task = DistillationTask([TaughtCell.of(unlabelled, np.zeros((2, 24, 26), np.float32))], SMALL, SHORT)
    task.items(1, None)
    target = task.batch(np.zeros(8, int)).heatmaps
    assert target.shape == (8, 2, 16, 16) and float(target.max()) <= SHORT.points + 1e-6
    assert float(target[:, 0].max()) > 0.2 and float(target[:, 1].max()) == 0
