"""Crops made on a device are those that `augment` makes one by one."""

import numpy as np
import torch

from cytally.training import augment
from cytally.training.banked.bank import Bank, CellBank, restained
from cytally.training.examples import ZERO, Targets, TrainingCell, pack, unpack


def smooth(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(rng.random(shape, np.float32), (0, 0), 4) * 4 - 1


def test_a_batch_of_crops_is_that_of_the_slow_twin() -> None:
    rng = np.random.default_rng(3)
    images = [pack(smooth(rng, shape)) for shape in ((120, 150), (100, 90))]
    bank = Bank(images, "cpu")
    how = [augment.Augmentation(angle=0.7, size=1.1, mirror=True), augment.Augmentation(angle=-2.0, size=0.9)]
    corners = [(20, 30), (-10, 5)]
    matrices = np.stack([one.matrix(corner, 64) for one, corner in zip(how, corners, strict=True)])
    crops = bank.cut([0, 1], matrices, 64).numpy()[:, 0]
    for crop, image, one, corner in zip(crops, images, how, corners, strict=True):
        slow = unpack(augment.move_image(image, one, corner, 64, ZERO))
        # OpenCV interpolates in steps of 1/32 pixel and rounds to bytes of 1/73
        assert np.abs(crop - slow)[2:-2, 2:-2].mean() < 0.01
        assert np.quantile(np.abs(crop - slow), 0.98) < 0.04


def test_stain_and_focus_are_those_of_the_slow_twin() -> None:
    rng = np.random.default_rng(4)
    crop = smooth(rng, (48, 48))
    how = [augment.Augmentation(gain=1.2, gamma=0.9, blur=0.6), augment.Augmentation(gain=0.8)]
    fast = restained(torch.from_numpy(np.stack([crop, crop]))[:, None], how).numpy()[:, 0]
    for result, one in zip(fast, how, strict=True):
        np.testing.assert_allclose(result, augment.restain(crop, one, rng), atol=0.01)


def test_labels_move_as_the_image_does() -> None:
    rng = np.random.default_rng(5)
    places = rng.uniform(10, 90, (6, 2))
    cell = TrainingCell.pack(smooth(rng, (100, 100)), places, [0, 0, 1, 1, 1, 0], [True, False])
    how, corner = augment.Augmentation(angle=0.4, size=1.05, mirror=True), (3, -7)
    matrix = how.matrix(corner, 96)
    heat, known = CellBank([cell], "cpu").labels([0], matrix[None], 2, 96, 4, 2.0)
    slow = Targets(2, 4, 2.0).draw(augment.move_points(cell.places, how, corner, 96), cell.classes, 96)
    np.testing.assert_allclose(heat[0].numpy(), slow, atol=5e-4)  # the slow one ends at four sigma
    assert known[0, :, 0, 0].tolist() == [1.0, 0.0]
