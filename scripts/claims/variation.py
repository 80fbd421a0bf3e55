"""Total variation of heatmaps, which Sparse Variation weighs against their height (thesis fig. 4.1-4.2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cytally.dosimetry.training.sources import CLASSES
from cytally.inference.votes import look_everywhere
from cytally.progress import Progress
from cytally.training.examples import unpack

from .answers import cell_of, member_of


def total_variation(maps: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sum over places of the gradient's length, forward differences: (classes, h, w) -> (classes,)."""
    down, right = np.diff(maps, axis=1)[:, :, :-1], np.diff(maps, axis=2)[:, :-1]
    return np.asarray(np.hypot(down, right).sum(axis=(1, 2)), float)


def variations(checkpoint: Path, count: int, progress: Progress) -> NDArray[np.float64]:
    """Of a checkpoint's heatmaps of cells with aberrations, (count, classes)."""
    member, found = member_of(checkpoint), []
    for number in range(count):
        found.append(total_variation(look_everywhere(unpack(cell_of("aberrant", number).packed), member)))
        progress("total variation", number + 1, count)
    return np.stack(found)


def variation_figure(found: dict[str, NDArray[np.float64]]) -> Figure:
    """Share of cells whose heatmap varies less, for each class and run."""
    figure = Figure(figsize=(4.4 * len(CLASSES), 3.2), layout="constrained")
    axes = figure.subplots(1, len(CLASSES), sharey=True)
    for channel, (axis, name) in enumerate(zip(axes, CLASSES, strict=True)):
        for run, values in found.items():
            sorted_values = np.sort(values[:, channel])
            axis.step(sorted_values, np.arange(1, len(values) + 1) / len(values), where="post", label=run)
        axis.set(title=name, xlabel="total variation of the heatmap", xlim=(0, None), ylim=(0, 1))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("share of cells")
    axes[-1].legend(loc="lower right")
    return figure
