"""Late checkpoints of one run -> one network of their mean weights (SWA; Izmailov 2018, thesis eq. 1.48)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cytally.nets.unet import Architecture, UNet
from cytally.training.checkpoints import save_tensors, weights_of
from cytally.training.examples import CellSource, Targets
from cytally.training.posterior.gaussian import gaussian_of
from cytally.training.posterior.normalisation import load_averaged
from cytally.training.tasks.heatmaps import TrainingSettings, heatmap_batch

#: Batches over which normalisation is counted anew.
BATCHES = 6


def average(
    checkpoints: Sequence[Path], architecture: Architecture, images: Sequence[Tensor], target: Path
) -> dict[str, object]:
    """Write the mean of checkpoints, its normalisation counted anew over images that training would show.

    Parameters
    ----------
    checkpoints : sequence of Path
        Of one run, oldest first.
    architecture : Architecture
    images : sequence of Tensor, shape (b, 1, h, w)
        From `training_images`.
    target : Path

    Returns
    -------
    dict
        What the card says of it.

    Raises
    ------
    RunError
        As `gaussian_of`.
    """
    network = UNet(architecture)
    load_averaged(network, gaussian_of(checkpoints, rank=1).mean, images)
    save_tensors(target, weights_of(network, torch.float32))
    return {"averaged": [path.stem for path in checkpoints], "counted_over": sum(len(batch) for batch in images)}


def training_images(source: CellSource, settings: TrainingSettings, targets: Targets) -> Iterator[Tensor]:
    """Batches of crops as a run of these settings draws them, of the source's first cells."""
    rng, size = np.random.default_rng(settings.seed), settings.batch
    for k in range(BATCHES):
        numbers = list(range(k * size, (k + 1) * size))
        yield heatmap_batch(numbers, [source.cell(n) for n in numbers], settings, targets, rng).images
