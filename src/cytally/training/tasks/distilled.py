"""Distillation: heatmaps of large networks, and points -> one small network that answers as they do.

A network that only proposes places may be small, as long as it misses none that a larger one would propose and a
verifier confirm. Its teachers say of every place how likely they hold it; that teaches more than points do, which say
yes or no (Hinton, Vinyals and Dean 2015, arXiv:1503.02531).
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
from torch.nn import functional

from cytally.labels.points import SIGMA
from cytally.nets.unet import Architecture
from cytally.training import augment
from cytally.training.examples import ZERO, Targets, TrainingCell, choose_corner, unpack
from cytally.training.task import Row, Share
from cytally.training.tasks.crops import rate_at
from cytally.training.tasks.heatmaps import UNetTask

Float32 = NDArray[np.float32]
_BYTE = np.float32(255.0)


@dataclass(frozen=True)
class TaughtCell:
    """A cell and what the teachers see in it.

    Attributes
    ----------
    cell : TrainingCell
    heat : ndarray of uint8, shape (classes, h / stride, w / stride)
        255 times the square root of the teachers' mean heatmap: fine steps where answers are low.
    """

    cell: TrainingCell
    heat: NDArray[np.uint8]

    @staticmethod
    def of(cell: TrainingCell, mean: Float32) -> TaughtCell:
        """Keep a cell and the teachers' mean heatmap (classes, h / stride, w / stride)."""
        return TaughtCell(cell, np.rint(np.sqrt(mean.clip(0, 1)) * _BYTE).astype(np.uint8))


@dataclass(frozen=True)
class DistillationSettings:
    """All that steers a distillation.

    Attributes
    ----------
    epochs, steps, batch : int
        An epoch is so many steps; each cell is as likely as any other.
    side : int
        Edge of the crops in pixels.
    rate, decay, warm : float
        Of AdamW, as for verifiers.
    points : float
        Share of the target that the points give; the teachers give the rest.
    emphasis : float
        A place counts 1 + emphasis * target times.
    """

    epochs: int = 20
    steps: int = 400
    batch: int = 16
    side: int = 384
    rate: float = 2e-3
    decay: float = 0.01
    warm: float = 0.02
    points: float = 0.3
    emphasis: float = 8.0
    seed: int = 1


@dataclass(frozen=True)
class TaughtBatch:
    """One crop of each of b cells.

    Attributes
    ----------
    images : Tensor, shape (b, 1, side, side)
    heatmaps : Tensor, shape (b, classes, side / stride, side / stride)
    """

    images: Tensor
    heatmaps: Tensor


class DistillationTask(UNetTask[NDArray[np.int64], TaughtBatch]):
    """Answer as the teachers do.

    Parameters
    ----------
    cells : sequence of TaughtCell
    architecture : Architecture
        Of the small network; its classes are those of the teachers' heatmaps.
    settings : DistillationSettings
    start : Path, optional
        Weights of the same architecture to begin from.
    """

    def __init__(
        self,
        cells: Sequence[TaughtCell],
        architecture: Architecture,
        settings: DistillationSettings,
        start: Path | None = None,
        title: str = "",
    ) -> None:
        self.cells, self.architecture, self.start = cells, architecture, start
        self.settings: DistillationSettings = settings
        self.epochs, self.title = settings.epochs, title
        self._rng = np.random.default_rng()

    def identity(self) -> dict[str, object]:
        """Architecture, settings, and how many cells there are."""
        return {"architecture": asdict(self.architecture), "cells": len(self.cells)} | asdict(self.settings)

    def items(self, epoch: int, share: Share) -> Sequence[NDArray[np.int64]]:
        """Numbers of the cells of each step."""
        self._rng = np.random.default_rng([self.settings.seed, epoch])
        shape = self.settings.steps, self.settings.batch
        return list(self._rng.integers(0, len(self.cells), shape))

    def batch(self, item: NDArray[np.int64]) -> TaughtBatch:
        """One crop of each cell, moved and restained, and what is to be answered."""
        images, heatmaps = zip(*(self._example(self.cells[k]) for k in item), strict=True)
        image = torch.from_numpy(np.stack(images))[:, None].to(memory_format=torch.channels_last)
        return TaughtBatch(image, torch.from_numpy(np.stack(heatmaps)))

    def _example(self, taught: TaughtCell) -> tuple[Float32, Float32]:
        cell, how, side = taught.cell, self.architecture, self.settings.side
        corner, move = choose_corner(cell, side, self._rng), augment.draw(self._rng)
        crop = unpack(augment.move_image(cell.packed, move, corner, side, ZERO))
        points = Targets(how.classes, how.step, SIGMA).draw(
            augment.move_points(cell.places, move, corner, side), cell.classes, side
        )
        heat = np.stack([moved_heat(each, move, corner, side, how.step) for each in taught.heat])
        share = self.settings.points * cell.known[: how.classes, None, None]
        target = (1 - share) * heat + share * points
        return augment.restain(crop, move, self._rng), target.astype(np.float32)

    def rate(self, epoch: int, step: int, steps: int) -> float:
        """Warm-up, then half a cosine, over all steps of all epochs."""
        return rate_at((epoch - 1) * steps + step, self.epochs * steps, self.settings)

    def kept(self, rows: Sequence[Row]) -> set[int]:
        """Every epoch of the second half: members are drawn from them."""
        return {int(row["epoch"]) for row in rows if 2 * row["epoch"] > self.epochs} | super().kept(rows)

    def loss(self, network: nn.Module, batch: TaughtBatch, fabric: Fabric) -> Tensor:
        """Cross-entropy with the target's probabilities."""
        answers, target = network(fabric.to_device(batch.images)).float(), fabric.to_device(batch.heatmaps)
        return functional.binary_cross_entropy(answers, target, 1 + self.settings.emphasis * target)


def moved_heat(
    heat: NDArray[np.uint8], how: augment.Augmentation, corner: tuple[int, int], side: int, step: int
) -> Float32:
    """The teachers' heatmap of a moved crop, (side / step, side / step), from that of the cell."""
    matrix = how.matrix(
        corner, side
    )  # pixels of the cell -> of the crop; a place k of a map is pixel (k + 1/2) step - 1/2
    middle = (step - 1) / 2
    shift = (matrix[:, :2] @ np.full(2, middle) + matrix[:, 2] - middle) / step
    scaled = np.concatenate([matrix[:, :2], shift[:, None]], axis=1)
    edge = side // step
    moved = cv2.warpAffine(heat, scaled[::-1][:, [1, 0, 2]], (edge, edge), flags=cv2.INTER_LINEAR)
    return np.asarray((moved / _BYTE) ** 2, np.float32)
