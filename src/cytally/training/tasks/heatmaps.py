"""Cells with labelled points -> heatmaps: L2 and Sparse Variation on crops of a pool of cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from cytally.labels.points import SIGMA
from cytally.nets.losses import heatmap_loss
from cytally.nets.unet import Architecture, UNet
from cytally.progress import Progress
from cytally.training import augment
from cytally.training.checkpoints import load_weights
from cytally.training.devices import shared
from cytally.training.examples import ZERO, CellSource, Targets, TrainingCell, choose_corner, unpack
from cytally.training.pool import Pool, PoolSettings
from cytally.training.task import Batch, Item, Row, Share, Task

#: Leading channels whose false answers make a cell a hard negative.
ALARMING = 2


@dataclass(frozen=True)
class TrainingSettings:
    """All that steers a run; saved with it, compared on resuming.

    Attributes
    ----------
    epochs : int
    rate, late_rate : float
        Learning rate until epoch `late_from`, and the constant one from then on,
        from whose checkpoints members are taken.
    decay : float
        Weight decay; decoupled (AdamW) unless `coupled`.
    weight, rho : float
        Lambda and rho of the Sparse Variation term (preprint eq. 1 and 3).
    emphasis, warm, ramp : float, int, int
        For `warm` epochs objects weigh 1 + emphasis (falling to 0) and lambda is 0,
        as sparsity from the start teaches a network to answer 0; then lambda rises
        over `ramp` epochs.
    side : int
        Edge of the crops in normalised pixels.
    augmented : bool
    """

    epochs: int = 60
    late_from: int = 24
    batch: int = 8
    rate: float = 2e-3
    late_rate: float = 5e-4
    decay: float = 1e-2
    coupled: bool = False
    weight: float = 0.2
    rho: float = 0.1
    emphasis: float = 15.0
    warm: int = 6
    ramp: int = 6
    side: int = 384
    sigma: float = SIGMA
    augmented: bool = True
    seed: int = 1
    pool: PoolSettings = field(default_factory=PoolSettings)


#: As the preprint: no augmentation, whole spread, constant rate, last 50 checkpoints.
PAPER = TrainingSettings(
    epochs=100,
    late_from=51,
    batch=12,
    rate=3e-4,
    late_rate=3e-4,
    decay=0.1,
    coupled=True,
    emphasis=0.0,
    warm=0,
    ramp=0,
    side=640,
    augmented=False,
    pool=PoolSettings(size=5430, fresh=0, hard=0.0),
)
#: The same with a fifth of the cells, cropped closer: two twins in about an hour on two cores. Sparse Variation waits ten epochs
#: and rises for ten: from the first step it would leave a network of this size with nothing but empty maps.
PAPER_SMALL = replace(
    PAPER,
    epochs=60,
    late_from=11,
    warm=10,
    ramp=10,
    side=384,
    pool=PoolSettings(size=1000, fresh=0, hard=0.0, workers=1),
)
#: What ships.
SHIPPED = TrainingSettings()
#: From weights that already find objects (`start`).
FURTHER = replace(
    SHIPPED,
    epochs=40,
    late_from=20,
    rate=6e-4,
    late_rate=3e-4,
    emphasis=0.0,
    warm=0,
    ramp=0,
)
#: Last steps of a trained network, small ones.
FINISH = replace(FURTHER, epochs=14, late_from=4, rate=1e-4, late_rate=1e-4)
PRESETS = {"shipped": SHIPPED, "further": FURTHER, "finish": FINISH, "paper": PAPER, "paper-small": PAPER_SMALL}


@dataclass(frozen=True)
class HeatmapBatch:
    """One crop of each of b cells.

    Attributes
    ----------
    numbers : tuple of int
        The cells.
    images : Tensor, shape (b, 1, side, side)
    heatmaps : Tensor, shape (b, classes, side/stride, side/stride)
    known : Tensor, shape (b, classes, 1, 1)
        1 for each channel that is labelled, else 0.
    """

    numbers: tuple[int, ...]
    images: Tensor
    heatmaps: Tensor
    known: Tensor


class Taught(Protocol):
    """Settings of a learner that AdamW teaches."""

    @property
    def seed(self) -> int:
        """Of fresh weights."""

    @property
    def rate(self) -> float:
        """Highest learning rate."""

    @property
    def decay(self) -> float:
        """Weight decay."""


class UNetTask(Task[Item, Batch]):
    """A learner whose network is a U-Net, with fresh weights or those of an earlier run, and whose optimiser is AdamW."""

    architecture: Architecture
    settings: Taught
    start: Path | None

    def network(self) -> UNet:
        """A network with fresh weights, or with those of an earlier run."""
        return begun(self.architecture, self.settings.seed, self.start)

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """AdamW."""
        return torch.optim.AdamW(network.parameters(), lr=self.settings.rate, weight_decay=self.settings.decay)


class HeatmapTask(Task[list[int], HeatmapBatch]):
    """Heatmaps of points, learnt from a pool of cells of which some are exchanged after each epoch.

    Parameters
    ----------
    source : CellSource
        Gives cell number n; must be picklable, as it also runs in another process.
    architecture : Architecture
    settings : TrainingSettings
        `epochs` may be another when a run resumes.
    start : Path, optional
        Weights (safetensors) of the same architecture to begin from.
    """

    several = True
    free = ("epochs",)

    def __init__(
        self, source: CellSource, architecture: Architecture, settings: TrainingSettings, start: Path | None = None
    ) -> None:
        self.architecture, self.settings, self.start = architecture, settings, start
        self.epochs = settings.epochs
        self._pool = Pool(source, settings.pool)
        self._rng = np.random.default_rng()
        self._alarms: dict[int, float] = {}
        self._criterion = (0.0, 0.0)

    def identity(self) -> dict[str, object]:
        """Architecture and settings."""
        return {"architecture": asdict(self.architecture)} | asdict(self.settings)

    def network(self) -> UNet:
        """A network with fresh weights, or with those of an earlier run."""
        return begun(self.architecture, self.settings.seed, self.start)

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        """AdamW, or Adam where the decay is coupled."""
        kind = torch.optim.Adam if self.settings.coupled else torch.optim.AdamW
        return kind(network.parameters(), lr=self.settings.rate, weight_decay=self.settings.decay)

    @contextmanager
    def running(self, progress: Progress) -> Iterator[None]:
        """Processes make cells ahead; the pool is filled before the first epoch."""
        self._pool.start()
        try:
            missing = self._pool.fill()
            for position, number in enumerate(missing, start=1):
                self._pool.fetch(number)
                progress("making cells", position, len(missing))
            yield
        finally:
            self._pool.stop()

    def items(self, epoch: int, share: Share) -> Sequence[list[int]]:
        """Numbers of the cells of each batch; every process draws the same order and takes its share."""
        if epoch > 1:
            self._pool.exchange()
        seed = self.settings.seed
        common = np.random.default_rng([seed, epoch, 0])
        batches = share.of(list(_batches(self._pool.numbers, self.settings.batch, common)))
        self._rng = common if share.rank == 0 else np.random.default_rng([seed, epoch, share.rank])
        self._alarms, self._criterion = {}, criterion_at(epoch, self.settings)
        return batches

    def batch(self, item: list[int]) -> HeatmapBatch:
        """One crop of each cell."""
        cells = [self._pool.cells[number] for number in item]
        how = self.architecture
        targets = Targets(how.classes, how.step, self.settings.sigma)
        return heatmap_batch(item, cells, self.settings, targets, self._rng)

    def rate(self, epoch: int, step: int, steps: int) -> float:
        """Constant from `late_from` on."""
        return self.settings.late_rate if epoch >= self.settings.late_from else self.settings.rate

    def loss(self, network: nn.Module, batch: HeatmapBatch, fabric: Fabric) -> Tensor:
        """L2 and Sparse Variation over the channels that are labelled."""
        images, heatmaps, known = map(fabric.to_device, (batch.images, batch.heatmaps, batch.known))
        predicted = network(images) * known
        weight, emphasis = self._criterion
        loss = heatmap_loss(predicted.float(), heatmaps, weight, self.settings.rho, emphasis)
        self._alarms |= _alarms(batch.numbers, predicted, heatmaps)
        return loss

    def after_epoch(self, network: nn.Module, fabric: Fabric) -> Row:
        """Cells made so far, and the mean of the strongest false alarm of each cell in the pool."""
        self._pool.alarm |= shared(fabric, self._pool.numbers, self._alarms)
        mean = float(np.mean(list(self._pool.alarm.values()) or [0.0]))
        return {"cells_seen": self._pool.next_number, "alarm": mean}

    def kept(self, rows: Sequence[Row]) -> set[int]:
        """Every epoch: members are drawn from them."""
        return {int(row["epoch"]) for row in rows}

    def notes(self) -> dict[str, object]:
        """Which cells are in the pool, for how long, and how they alarmed."""
        return self._pool.notes()

    def restore(self, notes: Mapping[str, object]) -> None:
        """The pool as it was; its cells are made again from their numbers."""
        self._pool.restore(notes)


def begun(architecture: Architecture, seed: int, start: Path | None) -> UNet:
    """A network with fresh weights, or with those of an earlier run, whose last layer may be another.

    Parameters
    ----------
    architecture : Architecture
    seed : int
        Of fresh weights.
    start : Path or None
        Checkpoint to go on from.
    """
    torch.manual_seed(seed)
    network = UNet(architecture)
    if start is not None:
        load_weights(network, start, headless=True)
    return network


def criterion_at(epoch: int, settings: TrainingSettings) -> tuple[float, float]:
    """Lambda and emphasis of an epoch (counted from 1)."""
    if epoch <= settings.warm:
        return 0.0, settings.emphasis * (1 - (epoch - 1) / settings.warm)
    return settings.weight * min(1.0, (epoch - settings.warm) / max(settings.ramp, 1)), 0.0


def heatmap_batch(
    numbers: Sequence[int],
    cells: Sequence[TrainingCell],
    settings: TrainingSettings,
    targets: Targets,
    rng: np.random.Generator,
) -> HeatmapBatch:
    """One crop of each cell, and the heatmaps that a network should answer."""
    images, heatmaps = [], []
    for cell in cells:
        corner = choose_corner(cell, settings.side, rng)
        how = augment.draw(rng) if settings.augmented else augment.Augmentation()
        crop = unpack(augment.move_image(cell.packed, how, corner, settings.side, ZERO))
        places = augment.move_points(cell.places, how, corner, settings.side)
        images.append(augment.restain(crop, how, rng))
        heatmaps.append(targets.draw(places, cell.classes, settings.side))
    image = torch.from_numpy(np.stack(images))[:, None].to(memory_format=torch.channels_last)
    known = torch.from_numpy(np.stack([cell.known[: targets.classes] for cell in cells])).float()[:, :, None, None]
    return HeatmapBatch(tuple(numbers), image, torch.from_numpy(np.stack(heatmaps)) * known, known)


def _batches(numbers: list[int], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    order = rng.permutation(len(numbers))
    for start in range(0, len(order) - size + 1, size):
        yield [numbers[i] for i in order[start : start + size]]


def _alarms(numbers: Sequence[int], predicted: Tensor, targets: Tensor) -> dict[int, float]:
    """The strongest answer of each crop where no label is near."""
    first = slice(0, ALARMING)  # auxiliary channels are full of objects
    quiet = predicted.detach()[:, first].float() * (targets[:, first] < 0.01)
    return dict(zip(numbers, quiet.amax(dim=(1, 2, 3)).tolist(), strict=True))
