"""Explained shares beside chance, the similarity of epochs, areas under ROC curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from cytally.figures.style import BLUE, INK, RED
from cytally.types import FloatArray


@dataclass(frozen=True)
class SharesBeside:
    """Shares (K,) of a path's principal components, and of random walks: mean and 5-95 % band (3, K)."""

    title: str
    shares: FloatArray
    chance: FloatArray


@dataclass(frozen=True)
class Turning:
    """Cosines (E - 2,) between the steps before and after each epoch (E - 2,); by chance 0 in many dimensions."""

    title: str
    epochs: Sequence[int]
    cosines: FloatArray


def chance_figure(panels: Sequence[SharesBeside], turning: Turning, most: int = 5) -> Figure:
    """A panel for each path, bars and over them what chance gives; then how a path turns."""
    figure = Figure(figsize=(3.4 * (len(panels) + 1), 3.1), layout="constrained")
    last = figure.add_subplot(1, len(panels) + 1, len(panels) + 1)
    last.axhline(0, color=RED, linewidth=1)
    last.plot(turning.epochs, turning.cosines, "o-", color=BLUE, ms=3, linewidth=1)
    last.set(xlabel="epoch", ylabel="cosine of successive steps", ylim=(-1, 1))
    last.set_title(turning.title, fontsize=9)
    last.spines[["top", "right"]].set_visible(False)
    for number, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels) + 1, number)
        kept = min(most, len(panel.shares))
        at = np.arange(1, kept + 1)
        mean, low, high = panel.chance[:, :kept]
        axes.bar(at, panel.shares[:kept], color=BLUE, alpha=0.55, label="this training")
        axes.errorbar(
            at, mean, [mean - low, high - mean], fmt="D", ms=5, color=RED, capsize=4, label="random walks, 5-95 %"
        )
        axes.set(xlabel="principal component", ylabel="share of the variance", ylim=(0, 1), xticks=at)
        axes.set_title(panel.title, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    return figure


def similarity_figure(matrix: FloatArray, epochs: Sequence[int]) -> Figure:
    """Similarity (E, E) in [0, 1] of epochs with each other."""
    figure = Figure(figsize=(5.4, 4.4), layout="constrained", dpi=160)
    axes = figure.add_subplot()
    shown = axes.imshow(matrix, origin="lower", cmap="viridis", vmin=min(float(np.nanmin(matrix)), 0.9), vmax=1)
    at = np.unique(np.linspace(0, len(epochs) - 1, min(len(epochs), 8)).round().astype(int))
    names = [str(epochs[k]) for k in at]
    axes.set_xticks(at, names)
    axes.set_yticks(at, names)
    axes.set(xlabel="epoch", ylabel="epoch")
    figure.colorbar(shown, ax=axes, label="linear CKA")
    return figure


def areas_figure(names: Sequence[str], areas: FloatArray) -> Figure:
    """Areas (n, 3): value, lower and upper limit, a line each; NaN is left out."""
    figure = Figure(figsize=(7.2, 0.9 + 0.34 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(names))[::-1]
    axes.axvline(0.5, color=INK, linewidth=0.8, linestyle=":")
    for row, (value, low, high) in zip(rows, areas, strict=True):
        axes.plot([low, high], [row, row], color=INK, linewidth=1.4)
        axes.plot([value], [row], "o", color=BLUE)
    axes.set_yticks(rows, names)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(names) - 0.4), xlabel="area under the ROC curve, 95 % limits; 0.5 is chance")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
