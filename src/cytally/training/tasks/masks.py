"""Crops with masks -> a network, by focal cross-entropy, stopped when validation no longer gains.

Salomon-Sorensen 2023, section 5.3: every crop is turned, shifted, sheared and mirrored anew each
time; Adam; the loss on fields kept apart decides when to stop and which epochs become members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from cytally.errors import RunError
from cytally.nets.losses import focal_cross_entropy
from cytally.nets.unet import Architecture, UNet, he_normal
from cytally.progress import Progress, silent
from cytally.training import augment
from cytally.training.checkpoints import load_weights, member_path
from cytally.training.loop import fit
from cytally.training.task import Row, Share, Task
from cytally.types import IntArray

Float32 = NDArray[np.float32]
#: Channels: nucleus, and its core, which parts nuclei that touch.
CLASSES = ("nucleus", "core")
#: A core is where the distance to the outline exceeds this share of the nucleus' largest.
CORE = 0.45
_GREY = 20.0  # bytes per unit of contrast; 0 lies at 128: -6.4 .. 6.35


@dataclass(frozen=True)
class MaskedCrop:
    """One example, small enough to keep thousands.

    Attributes
    ----------
    packed : ndarray of uint8, shape (h, w)
        Flattened image in steps of 1/20 about 128.
    mask : ndarray of uint8, shape (h, w)
        0 ground, 1 nucleus, 2 its core.
    """

    packed: NDArray[np.uint8]
    mask: NDArray[np.uint8]

    @staticmethod
    def of(flat: Float32, labels: IntArray) -> MaskedCrop:
        """Keep a flattened crop and the nuclei in it."""
        packed = np.clip(np.rint(flat * np.float32(_GREY) + 128), 0, 255).astype(np.uint8)
        return MaskedCrop(packed, core_mask(labels))


@dataclass(frozen=True)
class MaskSettings:
    """All that steers a run; saved with it, compared on resuming.

    Attributes
    ----------
    epochs, patience : int
        Most epochs; those without a new best validation loss after which it stops.
    steps : int
        Fewest optimiser steps per epoch: few crops are seen several times, turned anew.
    batch, side : int
        Crops per step; edge of the part of a crop that is shown, pixels (0: all of it).
    rate, late_rate : float
        Learning rate of Adam, and the rate after two thirds of the epochs.
    gamma, alpha : float
        Of the focal cross-entropy.
    members : int
        Best epochs that are kept.
    """

    epochs: int = 3000
    patience: int = 250
    steps: int = 1
    batch: int = 4
    side: int = 0
    rate: float = 2e-4
    late_rate: float = 2e-4
    gamma: float = 2.0
    alpha: float = 0.5
    members: int = 5
    seed: int = 1


def core_mask(labels: IntArray) -> NDArray[np.uint8]:
    """0 ground, 1 nucleus, 2 where a nucleus is deep: cores of touching nuclei do not touch."""
    inside = (labels > 0).astype(np.uint8)
    apart = inside.copy()
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shifted = np.roll(labels, (down, right), (0, 1))
        apart[(shifted != labels) & (shifted > 0) & (labels > 0)] = 0
    depth = cv2.distanceTransform(np.pad(apart, 1, mode="edge"), cv2.DIST_L2, 5)[1:-1, 1:-1]
    deepest = np.zeros(int(labels.max()) + 1, np.float32)
    np.maximum.at(deepest, labels.ravel(), depth.ravel())
    return np.asarray(inside + ((depth > CORE * deepest[labels]) & (labels > 0) & (apart > 0)), np.uint8)


def fit_masks(task: MaskTask, folder: Path, progress: Progress = silent) -> list[Path]:
    """Train, keeping the best epochs; an interrupted run resumes.

    Parameters
    ----------
    task : MaskTask
    folder : Path
        Of the run, as `loop.fit` writes it.
    progress : callable

    Returns
    -------
    list of Path
        Weights of the best epochs, best first.

    Raises
    ------
    RunError
        As `loop.fit`; weights of another architecture to begin from.
    """
    rows = fit(task, folder, progress)
    return [member_path(folder, epoch) for epoch in best_epochs(rows, task.settings.members)]


@dataclass(frozen=True)
class MaskBatch:
    """b crops.

    Attributes
    ----------
    images : Tensor, shape (b, 1, side, side)
    targets : Tensor, shape (b, 2, side, side)
        1 on nuclei, and on their cores.
    """

    images: Tensor
    targets: Tensor


class MaskTask(Task[NDArray[np.int64], MaskBatch]):
    """Nuclei and their cores, pixel by pixel.

    Parameters
    ----------
    training, validation : sequence of MaskedCrop
    architecture : Architecture
        Sharp, with two classes.
    settings : MaskSettings
    start : Path, optional
        Weights of the same architecture to begin from (transfer).

    Raises
    ------
    RunError
        Nothing to train or validate on.
    """

    def __init__(
        self,
        training: Sequence[MaskedCrop],
        validation: Sequence[MaskedCrop],
        architecture: Architecture,
        settings: MaskSettings,
        start: Path | None = None,
    ) -> None:
        if not training or not validation:
            raise RunError(f"expected crops to train and to validate on, got {len(training)} and {len(validation)}")
        self.training, self.validation = training, validation
        self.architecture, self.settings, self.start = architecture, settings, start
        self.epochs = settings.epochs
        self._rng = np.random.default_rng()

    def identity(self) -> dict[str, object]:
        """Architecture and settings."""
        return {"architecture": asdict(self.architecture)} | asdict(self.settings)

    def network(self) -> UNet:
        """A network with weights as He drew them, or with those of an earlier run."""
        torch.manual_seed(self.settings.seed)
        network = UNet(self.architecture)
        if self.start is None:
            he_normal(network)
        else:
            load_weights(network, self.start)
        return network

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(network.parameters(), lr=self.settings.rate)

    def items(self, epoch: int, share: Share) -> Sequence[NDArray[np.int64]]:
        """Numbers of the crops of each step; few crops are shown several times."""
        settings, count = self.settings, len(self.training)
        self._rng = np.random.default_rng([settings.seed, epoch])
        steps = max(settings.steps, -(-count // settings.batch))
        rounds = -(-steps * settings.batch // count)
        order = np.concatenate([self._rng.permutation(count) for _ in range(rounds)])
        return share.of([order[k * settings.batch : (k + 1) * settings.batch] for k in range(steps)])

    def batch(self, item: NDArray[np.int64]) -> MaskBatch:
        """Parts of crops, moved and restained."""
        images, targets = [], []
        smallest = min(min(self.training[k].packed.shape) for k in item)
        side = self.settings.side or smallest // 32 * 32
        for k in item:
            crop = self.training[k]
            how = augment.draw_plain(self._rng, side)
            row, col = (int(self._rng.integers(0, max(size - side, 0) + 1)) for size in crop.packed.shape)
            image, target = example(crop, side, how, (row, col))
            images.append(augment.restain(image, how, self._rng, (-6.5, 6.5)))
            targets.append(target)
        batch = torch.from_numpy(np.stack(images))[:, None].to(memory_format=torch.channels_last)
        return MaskBatch(batch, torch.from_numpy(np.stack(targets)))

    def rate(self, epoch: int, step: int, steps: int) -> float:
        """Lower after two thirds of the epochs."""
        late = epoch > self.settings.epochs * 2 / 3
        return self.settings.late_rate if late else self.settings.rate

    def loss(self, network: nn.Module, batch: MaskBatch, fabric: Fabric) -> Tensor:
        """Focal cross-entropy."""
        answer, targets = network(fabric.to_device(batch.images)), fabric.to_device(batch.targets)
        return focal_cross_entropy(answer, targets, self.settings.gamma, self.settings.alpha)

    def after_epoch(self, network: nn.Module, fabric: Fabric) -> Row:
        """Mean loss over whole crops that were kept apart, not augmented."""
        network.eval()
        with torch.inference_mode():
            losses = [float(self.loss(network, self._whole(crop), fabric)) for crop in self.validation]
        return {"validation": float(np.mean(losses))}

    def _whole(self, crop: MaskedCrop) -> MaskBatch:
        """All of a crop, cut to multiples that fit."""
        multiple = self.architecture.multiple
        height, width = (size // multiple * multiple for size in crop.packed.shape)
        image = torch.from_numpy(unpacked(crop.packed[:height, :width]))[None, None]
        mask = crop.mask[:height, :width]
        target = torch.from_numpy(np.stack([mask > 0, mask > 1]).astype(np.float32))[None]
        return MaskBatch(image.to(memory_format=torch.channels_last), target)

    def kept(self, rows: Sequence[Row]) -> set[int]:
        """The best epochs."""
        return set(best_epochs(rows, self.settings.members))

    def finished(self, rows: Sequence[Row]) -> bool:
        """No better epoch for as long as patience lasts."""
        return bool(rows) and int(rows[-1]["epoch"]) - best_epochs(rows, 1)[0] >= self.settings.patience


def best_epochs(rows: Sequence[Row], count: int) -> list[int]:
    """Epochs of least validation loss, the least first."""
    ordered = sorted(rows, key=lambda row: (float(row["validation"]), int(row["epoch"])))
    return [int(row["epoch"]) for row in ordered[:count]]


def example(crop: MaskedCrop, side: int, how: augment.Augmentation, corner: tuple[int, int]) -> tuple[Float32, Float32]:
    """Image (side, side) and targets (2, side, side) of a crop, moved alike."""
    image, mask = augment.move_with_mask(crop.packed, crop.mask, how, corner, side)
    return unpacked(image), np.stack([mask > 0, mask > 1]).astype(np.float32)


def unpacked(packed: NDArray[np.uint8]) -> Float32:
    """Flattened contrast of packed pixels."""
    return (packed.astype(np.float32) - 128) / np.float32(_GREY)
