"""Points of several epochs in one plane, and the paths of their middles on a map of entropy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cytally.figures.style import BLUE, INK, PALE, RED
from cytally.types import FloatArray, IntArray

#: Colours of kinds, in their order: those that are looked for, then what lies around them.
COLOURS = (RED, BLUE, "#009e73", "#cc79a7", "#e69f00", "#8a7a00", PALE)
_REGIONS = ("#f8d6d2", "#d2e6f3", "#f3f5f6")
_TINTS = ListedColormap(_REGIONS)
#: Dots per inch of what is drawn as pixels within a figure: thousands of points.
_DPI = 160


@dataclass(frozen=True)
class EpochCloud:
    """One panel.

    Attributes
    ----------
    title : str
    points : ndarray of shape (n, 2)
    regions : ndarray of int, shape (h, w)
        Class of each place of a grid over the extent, row 0 at the bottom.
    """

    title: str
    points: FloatArray
    regions: IntArray


def clouds_figure(
    panels: Sequence[EpochCloud], kinds: IntArray, names: Sequence[str], extent: tuple[float, float, float, float]
) -> Figure:
    """Panels of epochs, three in a row: points by kind on the regions of that epoch's classifier."""
    rows = -(-len(panels) // 3)
    figure = Figure(figsize=(9.0, 2.9 * rows + 0.5), layout="constrained", dpi=_DPI)
    for number, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, 3, number)
        axes.imshow(
            panel.regions, origin="lower", extent=extent, aspect="auto", cmap=_TINTS, vmin=0, vmax=len(_REGIONS) - 1
        )
        for kind in (*range(len(names) - 1, 1, -1), 1, 0):  # what is looked for lies on top
            here = panel.points[kinds == kind]
            size = 9 if kind < 2 else 5
            axes.scatter(here[:, 0], here[:, 1], s=size, color=COLOURS[kind], linewidths=0, rasterized=True)
        axes.set_title(panel.title, fontsize=9)
        _plain(axes, extent)
    marks = [Line2D([], [], marker="o", linestyle="", color=COLOURS[k], label=name) for k, name in enumerate(names)]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(names), frameon=False, fontsize=8)
    return figure


@dataclass(frozen=True)
class EntropyMap:
    """Entropy (h, w) in nats on a grid over an extent, row 0 at the bottom; `most` is that of equal classes."""

    entropy: FloatArray
    extent: tuple[float, float, float, float]
    most: float


def paths_figure(
    around: EntropyMap, both: Sequence[tuple[str, FloatArray]], classes: IntArray, sizes: IntArray, names: Sequence[str]
) -> Figure:
    """Paths (E, k, 2) with a title each, side by side on the same map; thicker where a middle stands for more points."""
    figure = Figure(figsize=(9.0, 4.6), layout="constrained", dpi=_DPI)
    colours = [(*COLOURS[:2], INK)[k] for k in classes]
    shown = None
    for number, (title, paths) in enumerate(both, start=1):
        axes = figure.add_subplot(1, len(both), number)
        shown = axes.imshow(
            around.entropy, origin="lower", extent=around.extent, aspect="auto", cmap="Greys", vmin=0, vmax=around.most
        )
        for k in range(paths.shape[1]):
            width = 0.6 + 2.2 * float(np.sqrt(sizes[k] / max(sizes.max(), 1)))
            pieces = np.stack([paths[:-1, k], paths[1:, k]], axis=1)
            fading = np.linspace(0.25, 1.0, len(pieces))
            axes.add_collection(LineCollection(list(pieces), colors=colours[k], linewidths=width, alpha=fading))
            axes.plot(*paths[-1, k], "o", color=colours[k], markersize=3 + width, markeredgecolor="white")
        axes.set_title(title, fontsize=9)
        _plain(axes, around.extent)
    if shown is not None:
        figure.colorbar(shown, ax=figure.axes, label="entropy of the mean classifier (nats)", shrink=0.8)
    present = [(colour, name) for colour, name in zip((*COLOURS[:2], INK), names, strict=True)]
    marks = [Line2D([], [], color=colour, linewidth=2, label=name) for colour, name in present]
    figure.legend(handles=marks, loc="outside lower center", ncols=len(names), frameon=False, fontsize=8)
    return figure


def _plain(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    axes.set_xlabel("first component", fontsize=8)
    axes.set_ylabel("second component", fontsize=8)
