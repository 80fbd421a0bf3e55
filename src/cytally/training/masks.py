"""Crops with masks -> a network, by focal cross-entropy, stopped when validation no longer gains.

Salomon-Sorensen 2023, section 5.3: every crop is turned, shifted, sheared and mirrored anew each
time; Adam; the loss on fields kept apart decides when to stop and which epochs become members.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cytally.errors import RunError
from cytally.files.names import shown
from cytally.files.runs import locked
from cytally.nets.losses import focal_cross_entropy
from cytally.nets.unet import Architecture, UNet, he_normal
from cytally.progress import Progress, silent
from cytally.training import augment
from cytally.training.checkpoints import (
    STATE,
    load_tensors,
    member_path,
    optimiser_tensors,
    read_curves,
    restore_optimiser,
    save_tensors,
    weights_of,
)  # fmt: skip
from cytally.training.devices import lightning
from cytally.training.folder import CURVES, Row, check_settings, note_settings, restored, rows_of, write_curve
from cytally.training.loop import ahead
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


def fit_masks(
    training: Sequence[MaskedCrop], validation: Sequence[MaskedCrop], architecture: Architecture,
    settings: MaskSettings, folder: Path, *, progress: Progress = silent,
    start: Path | None = None,
) -> list[Path]:  # fmt: skip
    """Train, keeping the best epochs; an interrupted run resumes.

    Parameters
    ----------
    training, validation : sequence of MaskedCrop
    architecture : Architecture
        Sharp, with two classes.
    settings : MaskSettings
    folder : Path
        Gets run.json, curves.csv, the best epoch_NNN.safetensors and the state to resume from.
    progress : callable
    start : Path, optional
        Weights of the same architecture to begin from (transfer).

    Returns
    -------
    list of Path
        Weights of the best epochs, best first.

    Raises
    ------
    RunError
        Nothing to train or validate on; another run in the folder, a damaged one, or one that another
        process is training; foreign weights to start from; the loss is no longer a number.
    """
    if not training or not validation:
        raise RunError(
            f"expected crops to train and to validate on, got {len(training)} and {len(validation)}"
        )
    with locked(folder):
        check_settings(folder, architecture, settings)
        note_settings(folder, architecture, settings)
        rows = _trained(training, validation, architecture, settings, folder, progress, start)
    return [member_path(folder, epoch) for epoch in best_epochs(rows, settings.members)]


def _trained(
    training: Sequence[MaskedCrop], validation: Sequence[MaskedCrop], architecture: Architecture,
    settings: MaskSettings, folder: Path, progress: Progress, start: Path | None,
) -> list[Row]:  # fmt: skip
    """Rows of all epochs, of which earlier calls may have done some."""
    fabric = lightning(single=True)
    model = _begin(architecture, settings, start).to(memory_format=torch.channels_last)
    model, optimiser = fabric.setup(model, torch.optim.Adam(model.parameters(), lr=settings.rate))
    rows = restored(folder, partial(_restore, model, optimiser)) or []
    _follow(folder, rows, settings.members)
    for epoch in range(len(rows) + 1, settings.epochs + 1):
        if _finished(rows, settings):
            break
        started = time.monotonic()
        loss = _learn(epoch, fabric, model, optimiser, training, settings, progress)
        row: Row = {"epoch": epoch, "loss": loss, "validation": _validate(fabric, model, validation, settings),
               "seconds": time.monotonic() - started}  # fmt: skip
        if not np.isfinite([loss, row["validation"]]).all():
            raise RunError(
                f"{shown(folder)}: the loss of epoch {epoch} is not a number; lower the rate and give another --out"
            )
        rows.append(row)
        _save(folder, rows, model, optimiser, settings.members)
    return rows


def best_epochs(rows: Sequence[dict[str, Any]], count: int) -> list[int]:
    """Epochs of least validation loss, the least first."""
    ordered = sorted(rows, key=lambda row: (float(row["validation"]), int(row["epoch"])))
    return [int(row["epoch"]) for row in ordered[:count]]


def read_curve(folder: Path) -> list[dict[str, float]]:
    """Rows of curves.csv."""
    path = folder / CURVES
    if not path.is_file():
        return []
    return [{name: float(value) for name, value in row.items()} for row in read_curves(path)]


def example(
    crop: MaskedCrop, side: int, how: augment.Augmentation, corner: tuple[int, int]
) -> tuple[Float32, Float32]:
    """Image (side, side) and targets (2, side, side) of a crop, moved alike."""
    image, mask = augment.move_with_mask(crop.packed, crop.mask, how, corner, side)
    return unpacked(image), np.stack([mask > 0, mask > 1]).astype(np.float32)


def unpacked(packed: NDArray[np.uint8]) -> Float32:
    """Flattened contrast of packed pixels."""
    return (packed.astype(np.float32) - 128) / np.float32(_GREY)


def _learn(
    epoch: int, fabric: Any, model: Any, optimiser: Any, crops: Sequence[MaskedCrop], settings: MaskSettings,
    progress: Progress,
) -> float:  # fmt: skip
    model.train()
    for group in optimiser.param_groups:
        group["lr"] = settings.late_rate if epoch > settings.epochs * 2 / 3 else settings.rate
    rng = np.random.default_rng([settings.seed, epoch])
    steps = max(settings.steps, -(-len(crops) // settings.batch))
    order = np.concatenate(
        [rng.permutation(len(crops)) for _ in range(-(-steps * settings.batch // len(crops)))]
    )
    chosen = [order[k * settings.batch : (k + 1) * settings.batch] for k in range(steps)]
    losses: list[float] = []
    for step, (image, target) in enumerate(
        ahead(lambda picked: _batch(crops, picked, settings, rng), chosen), 1
    ):
        loss = focal_cross_entropy(
            model(fabric.to_device(image)), fabric.to_device(target), settings.gamma, settings.alpha
        )
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        losses.append(float(loss.detach()))
        progress(f"epoch {epoch} of at most {settings.epochs}, loss {np.mean(losses[-50:]):.4f}", step, steps)
    return float(np.mean(losses))


def _batch(
    crops: Sequence[MaskedCrop], picked: NDArray[np.int64], settings: MaskSettings, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    images, targets = [], []
    smallest = min(min(crops[k].packed.shape) for k in picked)
    side = settings.side or smallest // 32 * 32
    for k in picked:
        crop = crops[k]
        how = augment.draw_plain(rng, side)
        corner = tuple(int(rng.integers(0, max(size - side, 0) + 1)) for size in crop.packed.shape)
        image, target = example(crop, side, how, (corner[0], corner[1]))
        images.append(augment.restain(image, how, rng, (-6.5, 6.5)))
        targets.append(target)
    batch = torch.from_numpy(np.stack(images))[:, None].to(memory_format=torch.channels_last)
    return batch, torch.from_numpy(np.stack(targets))


def _validate(fabric: Any, model: Any, crops: Sequence[MaskedCrop], settings: MaskSettings) -> float:
    """Mean loss over whole crops, not augmented, cut to multiples that fit."""
    model.eval()
    multiple = int(getattr(model, "module", model).architecture.multiple)
    losses = []
    with torch.inference_mode():
        for crop in crops:
            height, width = (size // multiple * multiple for size in crop.packed.shape)
            image = torch.from_numpy(unpacked(crop.packed[:height, :width]))[None, None]
            mask = crop.mask[:height, :width]
            target = torch.from_numpy(np.stack([mask > 0, mask > 1]).astype(np.float32))[None]
            answer = model(fabric.to_device(image.to(memory_format=torch.channels_last)))
            losses.append(
                float(focal_cross_entropy(answer, fabric.to_device(target), settings.gamma, settings.alpha))
            )
    return float(np.mean(losses))


def _finished(rows: Sequence[dict[str, Any]], settings: MaskSettings) -> bool:
    return bool(rows) and int(rows[-1]["epoch"]) - best_epochs(rows, 1)[0] >= settings.patience


def _begin(architecture: Architecture, settings: MaskSettings, start: Path | None) -> UNet:
    torch.manual_seed(settings.seed)
    model = UNet(architecture)
    if start is None:
        he_normal(model)
        return model
    tensors, _ = load_tensors(start)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, strict=False)
    except RuntimeError as error:
        raise RunError(
            f"{start}: weights of another architecture; train with the preset they came from"
        ) from error
    return model


def _restore(model: Any, optimiser: Any, tensors: dict[str, Tensor], notes: Mapping[str, Any]) -> list[Row]:
    """Put everything back; rows of the epochs already done."""
    model.load_state_dict({k[6:]: v for k, v in tensors.items() if k.startswith("model.")})
    restore_optimiser(optimiser, tensors)
    return rows_of(notes)


def _save(folder: Path, rows: list[Row], model: Any, optimiser: Any, members: int) -> None:
    epoch = int(rows[-1]["epoch"])
    if epoch in best_epochs(rows, members):
        save_tensors(
            member_path(folder, epoch), weights_of(getattr(model, "module", model)), {"epoch": epoch}
        )
    state = {f"model.{k}": v for k, v in model.state_dict().items()} | optimiser_tensors(optimiser)
    save_tensors(folder / STATE, state, {"rows": rows})
    _follow(folder, rows, members)


def _follow(folder: Path, rows: list[Row], members: int) -> None:
    """What follows from the state: the curve, and which epochs are kept."""
    write_curve(folder, rows)
    kept = {member_path(folder, each) for each in best_epochs(rows, members)}
    for path in folder.glob("epoch_*.safetensors"):
        if path not in kept:
            path.unlink()
