"""Laboratories side by side, and what a number of cells can tell -> matplotlib figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from cytally.figures.style import BLUE, INK, PALE, RED, label, without_formulas
from cytally.types import FloatArray

_DOUBT = "#e69f00"
#: z scores beyond this are drawn as arrows at the edge, with their number beside them.
_EDGE = 5.0


@dataclass(frozen=True)
class ScorePanel:
    """z scores of one sample, (n,), NaN where there are none, and a word on that."""

    title: str
    laboratories: Sequence[str]
    z: FloatArray
    reason: str = ""


def z_score_figure(panels: Sequence[ScorePanel]) -> Figure:
    """A panel per sample, a bar per laboratory; lines at 2 and 3 as ISO 13528 draws them."""
    heights = [0.9 + 0.26 * len(panel.laboratories) for panel in panels]
    figure = Figure(figsize=(6.4, sum(heights) + 0.5), layout="constrained")
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for row, panel in enumerate(panels):
        axes = figure.add_subplot(grid[row])
        places = np.arange(len(panel.laboratories))[::-1]
        for end, colour in ((2.0, _DOUBT), (3.0, RED)):
            for side in (-end, end):
                axes.axvline(side, color=colour, linewidth=0.9, linestyle="--")
        axes.axvline(0, color=PALE, linewidth=0.9)
        for place, z in zip(places, panel.z, strict=True):
            _bar(axes, float(place), float(z))
        axes.set(xlim=(-_EDGE, _EDGE), ylim=(-0.7, len(places) - 0.3), yticks=places)
        axes.set_yticklabels(list(map(label, panel.laboratories)))
        axes.set_title(label(panel.title) + without_formulas(f": {panel.reason}" if panel.reason else ""), fontsize=9)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        if row == len(panels) - 1:
            axes.set_xlabel("z score (questionable beyond 2, unsatisfactory from 3)")
    return figure


def _bar(axes: object, place: float, z: float) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    if not np.isfinite(z):
        axes.text(0, place, "no z score", ha="center", va="center", fontsize=7, color=INK)
        return
    size = abs(z)
    colour = BLUE if size <= 2 else _DOUBT if size < 3 else RED
    axes.barh(place, float(np.clip(z, -_EDGE, _EDGE)), height=0.6, color=colour)
    if size > _EDGE:
        near = float(np.sign(z)) * _EDGE * 0.98
        axes.text(near, place, f"{z:.1f}", ha="right" if z > 0 else "left", va="center", fontsize=7, color="white")


def threshold_figure(cells: FloatArray, thresholds: FloatArray, detection: FloatArray, at: float) -> Figure:
    """Decision threshold and detection limit against the number of cells.

    Parameters
    ----------
    cells, thresholds, detection : ndarray of shape (n,)
        Cells, largest number of dicentrics that is not above background, and the dose in Gy that is
        detected with a probability of 90 %.
    at : float
        Gy; the dose that is planned for.
    """
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    upper.step(cells, thresholds, where="post", color=BLUE, linewidth=1.6)
    upper.fill_between(cells, thresholds, thresholds.max() * 1.1 + 1, step="post", color=RED, alpha=0.08, linewidth=0)
    upper.text(0.02, 0.94, "above background", transform=upper.transAxes, va="top", fontsize=8, color=RED)
    upper.set(ylabel="decision threshold (dicentrics)", ylim=(0, thresholds.max() * 1.1 + 1))
    lower.plot(cells, detection, color=BLUE, linewidth=1.6)
    lower.axhline(at, color=RED, linewidth=1.0, linestyle="--")
    lower.text(
        0.98,
        at,
        f"{at:g} Gy",
        transform=lower.get_yaxis_transform(),
        ha="right",
        va="bottom",
        fontsize=8,
        color=RED,
    )
    lower.set(
        xlabel="cells",
        ylabel="detection limit (Gy)",
        ylim=(0, max(float(detection.max()), at) * 1.1),
        xscale="log",
    )
    ticks = [50, 100, 200, 500, 1000, 2000, 5000]
    lower.set_xticks(ticks, [str(tick) for tick in ticks], minor=False)
    lower.set_xticks([], minor=True)
    lower.set_xlim(cells[0], cells[-1])
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
