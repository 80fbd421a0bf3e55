"""Heatmaps and crops learnt from what lies on the device: for a GPU, which waits for nobody there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from cytally.nets.losses import heatmap_loss
from cytally.nets.unet import STRIDE, Architecture
from cytally.training import augment
from cytally.training.banked.bank import Bank, CellBank, restained
from cytally.training.task import Row, Share
from cytally.training.tasks.crops import CropBatch, CropTask
from cytally.training.tasks.heatmaps import HeatmapBatch, TrainingSettings, UNetTask, criterion_at


@dataclass(frozen=True)
class Course:
    """How a network goes through a bank of cells.

    Attributes
    ----------
    steps : int
        Batches of an epoch.
    alone_from : int
        Epoch from which channels after the first `answers` teach nothing any more.
    answers : int
    """

    steps: int = 400
    alone_from: int = 10
    answers: int = 2


class BankedHeatmaps(UNetTask[NDArray[np.int64], HeatmapBatch]):
    """Heatmaps of points from a bank of cells, each drawn by its weight; hard ones more often."""

    free = ("epochs",)

    def __init__(
        self,
        bank: CellBank,
        weights: NDArray[np.float64],
        architecture: Architecture,
        settings: TrainingSettings,
        course: Course,
        start: Path | None = None,
    ) -> None:
        self.bank, self.weights, self.architecture = bank, weights / weights.sum(), architecture
        self.settings: TrainingSettings = settings
        self.course, self.start = course, start
        self.epochs = settings.epochs
        self._rng = np.random.default_rng()
        self._epoch = 0
        self._hard = np.ones(len(weights))
        self._alarms: list[tuple[NDArray[np.int64], Tensor]] = []

    def identity(self) -> dict[str, Any]:
        """Architecture, settings and how many cells there are."""
        how = {"architecture": asdict(self.architecture), "course": asdict(self.course), "cells": len(self.weights)}
        return how | asdict(self.settings)

    def items(self, epoch: int, share: Share) -> Sequence[NDArray[np.int64]]:
        """Numbers of the cells of each batch, by weight and by how strongly each alarmed."""
        self._rng = np.random.default_rng([self.settings.seed, epoch])
        torch.manual_seed(1000 * self.settings.seed + epoch)
        self._epoch, self._alarms = epoch, []
        chance = self.weights * self._hard
        shape = self.course.steps, self.settings.batch
        return list(self._rng.choice(len(chance), size=shape, p=chance / chance.sum()))

    def batch(self, item: NDArray[np.int64]) -> HeatmapBatch:
        """One crop of each cell, made on the device."""
        side, numbers = self.settings.side, [int(n) for n in item]
        how = [augment.draw(self._rng) for _ in numbers]
        corners = [self.bank.corner(n, side, self._rng) for n in numbers]
        matrices = np.stack([one.matrix(corner, side) for one, corner in zip(how, corners, strict=True)])
        images = restained(self.bank.cut(numbers, matrices, side), how)
        heat, known = self.bank.labels(numbers, matrices, self.architecture.classes, side, STRIDE, self.settings.sigma)
        if self._epoch >= self.course.alone_from:
            known[:, self.course.answers :] = 0
        return HeatmapBatch(tuple(numbers), images.to(memory_format=torch.channels_last), heat * known, known)

    def rate(self, epoch: int, step: int, steps: int) -> float:
        """Half a cosine from `rate` to `late_rate` until `late_from`, constant from then on."""
        done = min((epoch - 1 + step / steps) / max(self.settings.late_from - 1, 1), 1.0)
        high, low = self.settings.rate, self.settings.late_rate
        warm = min(1.0, ((epoch - 1) * steps + step + 1) / 200)
        return float(warm * (low + (high - low) * 0.5 * (1 + np.cos(np.pi * done))))

    def loss(self, network: nn.Module, batch: HeatmapBatch, fabric: Fabric) -> Tensor:
        """L2 and Sparse Variation over the channels that are labelled."""
        predicted = network(batch.images) * batch.known
        weight, emphasis = criterion_at(self._epoch, self.settings)
        quiet = predicted.detach()[:, : self.course.answers].float()
        quiet = quiet * (batch.heatmaps[:, : self.course.answers] < 0.01)
        self._alarms.append((np.array(batch.numbers), quiet.amax(dim=(1, 2, 3))))
        return heatmap_loss(predicted.float(), batch.heatmaps, weight, self.settings.rho, emphasis)

    def after_epoch(self, network: nn.Module, fabric: Fabric) -> Row:
        """Cells that raised the strongest false alarms come twice as often."""
        numbers = np.concatenate([n for n, _ in self._alarms])
        alarms = torch.cat([a for _, a in self._alarms]).cpu().numpy()
        worst = numbers[alarms >= np.quantile(alarms, 1 - self.settings.pool.hard)]
        self._hard = np.maximum(1.0, self._hard * 0.9)
        self._hard[worst] = 3.0
        return {"alarm": float(alarms.mean())}

    def kept(self, rows: Sequence[Row]) -> set[int]:
        """Every epoch at the late rate: members are drawn from them."""
        return {int(row["epoch"]) for row in rows if row["epoch"] >= self.settings.late_from} | super().kept(rows)

    def notes(self) -> dict[str, Any]:
        """Which cells are hard."""
        return {"hard": self._hard.round(4).tolist()}

    def restore(self, notes: Mapping[str, Any]) -> None:
        """Take the hard cells back."""
        self._hard = np.array(notes["hard"])


class BankedCrops(CropTask):
    """A verifier whose crops lie on the device."""

    def __init__(self, *args: Any, device: torch.device | str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._bank = Bank(list(self.crops.pixels), device)

    def batch(self, item: NDArray[np.int64]) -> CropBatch:
        """Crops turned, mirrored, shifted and restained on the device."""
        side, stored = self.architecture.side, self.crops.pixels.shape[-1]
        how = [augment.draw(self._rng) for _ in item]
        jitter = self.settings.jitter
        off = self._rng.integers(-jitter, jitter + 1, (len(item), 2)) + (stored - side) // 2
        matrices = np.stack([one.matrix((int(r), int(c)), side) for one, (r, c) in zip(how, off, strict=True)])
        images = restained(self._bank.cut([int(n) for n in item], matrices, side), how)
        labels = torch.from_numpy(self.crops.labels[item]).to(images.device)
        return CropBatch(images.to(memory_format=torch.channels_last), labels)
