"""Checkpoints of one run -> one averaged network, or networks drawn from a Gaussian around it.

The mean of late checkpoints is SWA (Izmailov 2018; thesis eq. 1.48). Their scatter gives SWAG: its
diagonal (eq. 1.49) and a low rank part of the last deviations (eq. 1.50), from which networks are
drawn (eq. 1.51; Maddox 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cytally.errors import RunError
from cytally.files.names import shown
from cytally.training.checkpoints import load_tensors
from cytally.training.posterior.normalisation import COUNTED, Weights


@dataclass(frozen=True)
class Gaussian:
    """Weights of a run's late checkpoints as a normal distribution.

    Attributes
    ----------
    mean, variance : dict of str to Tensor
        Of each weight, float32; the variance is at least 0.
    deviations : tuple of dict
        The last checkpoints less the final mean, oldest first (its authors' code takes the running mean).
    """

    mean: Weights
    variance: Weights
    deviations: tuple[Weights, ...]

    def draw(self, rng: np.random.Generator, *, low_rank: bool = True, scale: float = 1.0) -> Weights:
        """One set of weights (thesis eq. 1.51).

        Parameters
        ----------
        rng : numpy.random.Generator
        low_rank : bool
            Half of the variance from the last deviations, half from the diagonal; else all from the diagonal.
        scale : float
            Of the standard deviation.

        Raises
        ------
        ValueError
            Low rank of fewer than two deviations.
        """
        count = len(self.deviations)
        if low_rank and count < 2:
            raise ValueError(f"expected at least 2 deviations for a low rank part, got {count}")
        along = rng.standard_normal(count)
        drawn = {}
        for name, mean in self.mean.items():
            noise = torch.from_numpy(rng.standard_normal(tuple(mean.shape)).astype(np.float32))
            step = noise * self.variance[name].sqrt()
            if low_rank:
                away = sum((float(a) * each[name] for a, each in zip(along, self.deviations, strict=True)), 0 * mean)
                step = (step + away / (count - 1) ** 0.5) / 2**0.5
            drawn[name] = mean + scale * step
        return drawn


def gaussian_of(checkpoints: Sequence[Path], rank: int = 20) -> Gaussian:
    """Mean, diagonal and last deviations of checkpoints of one run.

    Parameters
    ----------
    checkpoints : sequence of Path
        Oldest first.
    rank : int
        How many of the last become deviations.

    Raises
    ------
    RunError
        No checkpoint, different architectures, or weights that are not numbers.
    """
    if not checkpoints:
        raise RunError("expected checkpoints to average, got none; let the run go on")
    total: Weights = {}
    squares: Weights = {}
    for path in checkpoints:
        weights = learnt(path)
        if total and _shapes(weights) != _shapes(total):
            raise RunError(
                f"{shown(path)}: has another architecture than {shown(checkpoints[0])}; average checkpoints of one run"
            )
        for name, tensor in weights.items():
            total[name] = total.get(name, torch.zeros(())) + tensor.double()
            squares[name] = squares.get(name, torch.zeros(())) + tensor.double() ** 2
    n = len(checkpoints)
    mean = {name: tensor / n for name, tensor in total.items()}
    variance = {name: (squares[name] / n - mean[name] ** 2).clamp(min=0).float() for name in mean}
    around = {name: tensor.float() for name, tensor in mean.items()}
    last = [learnt(path) for path in checkpoints[-rank:]]
    return Gaussian(around, variance, tuple({k: each[k] - around[k] for k in around} for each in last))


def learnt(path: Path) -> Weights:
    """What a checkpoint learnt, float32, without what its normalisation layers counted.

    Raises
    ------
    RunError
        Damaged, or with weights that are not numbers.
    """
    tensors, _ = load_tensors(path)
    return {name: tensor.float() for name, tensor in tensors.items() if not name.endswith(COUNTED)}


def _shapes(weights: Weights) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}
