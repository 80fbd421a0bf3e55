"""Verifiers: labelled crops -> a network that says what lies in the middle of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cytally.errors import RunError
from cytally.files.names import shown
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.progress import Progress, silent
from cytally.training import augment
from cytally.training.checkpoints import load_weights, member_path
from cytally.training.examples import ZERO, unpack
from cytally.training.loop import fit
from cytally.training.task import Share, Task

#: Edge of stored crops: room to turn and shift one of 96 pixels.
STORED = 128


@dataclass(frozen=True)
class Crops:
    """Places to learn from.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (n, 128, 128)
        Density around each place, packed as in `TrainingCell`.
    labels : ndarray of int, shape (n,)
        Class of each; the number of classes where it is none of them.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @staticmethod
    def joined(parts: Sequence[Crops]) -> Crops:
        """All crops of several parts, in order; there may be no part at all."""
        nothing = Crops(np.zeros((0, STORED, STORED), np.uint8), np.zeros(0, np.int64))
        return Crops(
            np.concatenate([part.pixels for part in (nothing, *parts)]),
            np.concatenate([part.labels for part in (nothing, *parts)]),
        )


@dataclass(frozen=True)
class VerifierSettings:
    """All that steers the training of a verifier.

    Attributes
    ----------
    epochs, batch : int
    rate : float
        Highest learning rate of AdamW: reached after `warm` of all steps, then falling
        to 0 as half a cosine.
    decay, smoothing : float
        Weight decay; label smoothing of the cross-entropy.
    jitter : int
        Pixels by which the middle may be off.
    """

    epochs: int = 10
    batch: int = 128
    rate: float = 6e-4
    warm: float = 0.15
    decay: float = 0.02
    smoothing: float = 0.02
    jitter: int = 4
    seed: int = 1


#: From a verifier that already knows what it is asked.
REFRESH = replace(VerifierSettings(), epochs=4, rate=3e-4)


class Warmed(Protocol):
    """Settings of a learning rate that rises to `rate` over the share `warm` of all steps, and falls to 0."""

    @property
    def rate(self) -> float:
        """Highest learning rate."""

    @property
    def warm(self) -> float:
        """Share of the steps in which it is reached."""


def rate_at(step: int, steps: int, settings: Warmed) -> float:
    """Learning rate of a step (counted from 0).

    Examples
    --------
    >>> settings = VerifierSettings(rate=1.0, warm=0.5)
    >>> [round(rate_at(k, 4, settings), 2) for k in range(4)]
    [0.5, 1.0, 0.85, 0.15]
    """
    warm = max(int(settings.warm * steps), 1)
    if step < warm:
        return settings.rate * (step + 1) / warm
    done = (step - warm + 0.5) / max(steps - warm, 1)
    return float(settings.rate * 0.5 * (1 + np.cos(np.pi * done)))


def fit_verifier(
    crops: Crops,
    architecture: VerifierArchitecture,
    settings: VerifierSettings,
    folder: Path,
    progress: Progress = silent,
    start: Path | None = None,
) -> Path:
    """Train a verifier; an interrupted run resumes.

    Parameters
    ----------
    crops : Crops
    architecture : VerifierArchitecture
    settings : VerifierSettings
    folder : Path
        Of the run, as `loop.fit` writes it; its name is said in progress messages.
    progress : callable
    start : Path, optional
        Weights to begin from: of a verifier, or of a U-Net such as a member of an ensemble.

    Returns
    -------
    Path
        Weights of the last epoch (safetensors, half precision).

    Raises
    ------
    RunError
        Too few crops; weights of another architecture to begin from; as `loop.fit`.
    """
    if len(crops) < settings.batch:
        raise RunError(
            f"{shown(folder)}: expected at least {settings.batch} places to learn from, got {len(crops)}; "
            "use more cells or a smaller batch"
        )
    task = CropTask(crops, architecture, settings, start, title=folder.name)
    return member_path(folder, len(fit(task, folder, progress)))


@dataclass(frozen=True)
class CropBatch:
    """b crops.

    Attributes
    ----------
    images : Tensor, shape (b, 1, side, side)
    labels : Tensor of int64, shape (b,)
    """

    images: Tensor
    labels: Tensor


class CropTask(Task[NDArray[np.int64], CropBatch]):
    """What lies in the middle of a crop. It is learnt in minutes, on one device."""

    def __init__(
        self,
        crops: Crops,
        architecture: VerifierArchitecture,
        settings: VerifierSettings,
        start: Path | None = None,
        *,
        title: str = "",
    ) -> None:
        self.crops, self.architecture = crops, architecture
        self.settings, self.start, self.title = settings, start, title
        self.epochs = settings.epochs
        self._rng = np.random.default_rng()

    def identity(self) -> dict[str, object]:
        """Architecture, settings, and how many crops there are."""
        return {"architecture": asdict(self.architecture), "crops": len(self.crops)} | asdict(self.settings)

    def network(self) -> Verifier:
        """A verifier with fresh weights, or with those of a verifier or a member."""
        torch.manual_seed(self.settings.seed)
        network = Verifier(self.architecture)
        if self.start is not None:
            load_weights(network, self.start)
        return network

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(network.parameters(), lr=self.settings.rate, weight_decay=self.settings.decay)

    def items(self, epoch: int, share: Share) -> Sequence[NDArray[np.int64]]:
        """Numbers of the crops of each step."""
        self._rng = np.random.default_rng([self.settings.seed, epoch - 1])
        order, size = self._rng.permutation(len(self.crops)), self.settings.batch
        return share.of([order[k : k + size] for k in range(0, len(order) - size + 1, size)])

    def batch(self, item: NDArray[np.int64]) -> CropBatch:
        """Crops, moved and restained, and their labels."""
        images = moved_crops(self.crops, item, self.architecture.side, self.settings.jitter, self._rng)
        return CropBatch(images, torch.from_numpy(self.crops.labels[item]))

    def rate(self, epoch: int, step: int, steps: int) -> float:
        """Warm-up, then half a cosine, over all steps of all epochs."""
        return rate_at((epoch - 1) * steps + step, self.epochs * steps, self.settings)

    def loss(self, network: nn.Module, batch: CropBatch, fabric: Fabric) -> Tensor:
        """Cross-entropy with smoothed labels."""
        answers, labels = network(fabric.to_device(batch.images)), fabric.to_device(batch.labels)
        return functional.cross_entropy(answers.float(), labels, label_smoothing=self.settings.smoothing)


def moved_crops(crops: Crops, chosen: NDArray[np.int64], side: int, jitter: int, rng: np.random.Generator) -> Tensor:
    """Crops (n, 1, side, side) turned, mirrored, shifted, restained."""
    images = np.empty((len(chosen), 1, side, side), np.float32)
    for image, index in zip(images, chosen, strict=True):
        how = augment.draw(rng)
        off = rng.integers(-jitter, jitter + 1, 2) + (STORED - side) // 2
        moved = augment.move_image(crops.pixels[index], how, (int(off[0]), int(off[1])), side, ZERO)
        image[0] = augment.restain(unpack(moved), how, rng)
    return torch.from_numpy(images).to(memory_format=torch.channels_last)
