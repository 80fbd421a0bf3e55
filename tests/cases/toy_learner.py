"""A learner in one file: a straight line through noisy points. What `Task` asks for, and no more."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from cytally.training.task import Task


@dataclass(frozen=True)
class LineSettings:
    """y = 2 x - 1 and noise, shown in batches."""

    epochs: int = 4
    points: int = 48
    size: int = 8
    rate: float = 0.1
    seed: int = 3


@dataclass(frozen=True)
class Points:
    """Columns of x and y, shape (n, 1)."""

    x: Tensor
    y: Tensor


class LineTask(Task[np.ndarray, Points]):
    """A slope and an intercept."""

    def __init__(self, settings: LineSettings) -> None:
        self.settings, self.epochs = settings, settings.epochs

    def identity(self):
        return asdict(self.settings)

    def network(self):
        torch.manual_seed(self.settings.seed)
        return nn.Linear(1, 1)

    def optimiser(self, network):
        return torch.optim.Adam(network.parameters(), lr=self.settings.rate)

    def items(self, epoch, share):
        self.rng = np.random.default_rng([self.settings.seed, epoch])
        return share.of(self.rng.permutation(self.settings.points).reshape(-1, self.settings.size))

    def batch(self, item):
        x = torch.from_numpy(item / self.settings.points).float()[:, None]
        noise = torch.from_numpy(self.rng.normal(0, 0.01, x.shape)).float()
        return Points(x, 2 * x - 1 + noise)

    def rate(self, epoch, step, steps):
        return self.settings.rate

    def loss(self, network, batch, fabric):
        return (network(fabric.to_device(batch.x)).float() - fabric.to_device(batch.y)).square().mean()
