"""Verifiers: labelled crops -> a network that says what lies in the middle of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cytally.errors import RunError
from cytally.files.runs import locked
from cytally.nets.verifier import Verifier, VerifierArchitecture
from cytally.progress import Progress, silent
from cytally.training import augment
from cytally.training.checkpoints import (
    load_tensors,
    optimiser_tensors,
    restore_optimiser,
    save_tensors,
    weights_of,
)  # fmt: skip
from cytally.training.devices import lightning
from cytally.training.examples import ZERO, unpack
from cytally.training.loop import ahead

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


def rate_at(step: int, steps: int, settings: VerifierSettings) -> float:
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
    crops: Crops, architecture: VerifierArchitecture, settings: VerifierSettings, path: Path,
    progress: Progress = silent, start: Path | None = None,
) -> None:  # fmt: skip
    """Train a verifier; a killed call goes on after its last whole epoch.

    Parameters
    ----------
    crops : Crops
    architecture : ReaderArchitecture
    settings : VerifierSettings
    path : Path
        Gets the weights (safetensors, half precision); `path`.state keeps the rest meanwhile.
    progress : callable
    start : Path, optional
        Weights to begin from: of a verifier, or of a U-Net such as a member of an ensemble.

    Raises
    ------
    RunError
        Too few crops, weights of another architecture, a verifier of other settings there, another
        process at work there, or a loss that is no longer a number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        if path.is_file():
            _same_reader(path, settings, crops)
        else:
            _trained(crops, architecture, settings, path, progress, start)


def _trained(
    crops: Crops, architecture: VerifierArchitecture, settings: VerifierSettings, path: Path, progress: Progress,
    start: Path | None,
) -> None:  # fmt: skip
    if len(crops) < settings.batch:
        raise RunError(
            f"{path}: expected at least {settings.batch} places to learn from, got {len(crops)}; "
            "use more cells or a smaller batch"
        )
    fabric = lightning(single=True)  # a verifier learns in minutes
    torch.manual_seed(settings.seed)
    bare = Verifier(architecture)
    if start is not None:
        _begin_from(bare, start)
    optimiser = torch.optim.AdamW(bare.parameters(), lr=settings.rate, weight_decay=settings.decay)
    model, optimiser = fabric.setup(bare.to(memory_format=torch.channels_last), optimiser)
    state = path.with_suffix(".state")
    for epoch in range(_restored(state, model, optimiser, settings), settings.epochs):
        loss = _epoch(epoch, fabric, model, optimiser, crops, settings, progress, path.stem)
        if not np.isfinite(loss):
            raise RunError(f"{path}: the loss of epoch {epoch + 1} is not a number; lower the rate")
        tensors = {f"model.{k}": v for k, v in model.state_dict().items()} | optimiser_tensors(optimiser)
        save_tensors(state, tensors, {"epoch": epoch + 1, "settings": asdict(settings)})
    save_tensors(path, weights_of(bare), {"settings": asdict(settings), "crops": len(crops)})
    state.unlink(missing_ok=True)


def _same_reader(path: Path, settings: VerifierSettings, crops: Crops) -> None:
    notes = load_tensors(path)[1]
    if notes.get("settings") != asdict(settings) or notes.get("crops") != len(crops):
        raise RunError(f"{path}: holds a verifier made under other settings; give another --out")


def _begin_from(model: Verifier, start: Path) -> None:
    weights = {k: v.float() for k, v in load_tensors(start)[0].items()}
    part: torch.nn.Module = model.unet if "head.weight" in weights else model
    try:
        part.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise RunError(f"{start}: weights of another architecture: {error}") from error


def _restored(state: Path, model: torch.nn.Module, optimiser: Any, settings: VerifierSettings) -> int:
    """Epochs already done under the same settings."""
    if not state.is_file():
        return 0
    tensors, notes = load_tensors(state)
    if notes.get("settings") != asdict(settings):
        return 0
    try:
        model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
        restore_optimiser(optimiser, tensors)
        return int(notes["epoch"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise RunError(
            f"{state}: expected the state of this training, got {type(error).__name__} ({error}); remove it to start anew"
        ) from error


def _epoch(
    epoch: int, fabric: Fabric, model: Any, optimiser: Any, crops: Crops,
    settings: VerifierSettings, progress: Progress, name: str,
) -> float:  # fmt: skip
    model.train()
    rng = np.random.default_rng([settings.seed, epoch])
    order = rng.permutation(len(crops))
    batches = [
        order[k : k + settings.batch] for k in range(0, len(order) - settings.batch + 1, settings.batch)
    ]
    steps = settings.epochs * len(batches)
    side = int(getattr(model, "module", model).architecture.side)
    losses: list[float] = []

    def prepare(chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        return examples(crops, chosen, side, settings.jitter, rng), torch.from_numpy(crops.labels[chosen])

    for step, (images, labels) in enumerate(ahead(prepare, batches)):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(epoch * len(batches) + step, steps, settings)
        answers = model(fabric.to_device(images))
        loss = functional.cross_entropy(
            answers.float(), fabric.to_device(labels), label_smoothing=settings.smoothing
        )
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
        stage = f"{name}: epoch {epoch + 1} of {settings.epochs}, loss {np.mean(losses[-50:]):.3f}"
        progress(stage, step + 1, len(batches))
    return float(np.mean(losses))


def examples(
    crops: Crops, chosen: NDArray[np.int64], side: int, jitter: int, rng: np.random.Generator
) -> Tensor:
    """Crops (n, 1, side, side) turned, mirrored, shifted, restained."""
    images = np.empty((len(chosen), 1, side, side), np.float32)
    for image, index in zip(images, chosen, strict=True):
        how = augment.draw(rng)
        off = rng.integers(-jitter, jitter + 1, 2) + (STORED - side) // 2
        moved = augment.move_image(crops.pixels[index], how, (int(off[0]), int(off[1])), side, ZERO)
        image[0] = augment.restain(unpack(moved), how, rng)
    return torch.from_numpy(images).to(memory_format=torch.channels_last)
