"""Counts over time, learning curves and lineages -> matplotlib figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytally.figures.style import BLUE, INK, PALE, RED, without_formulas
from cytally.types import FloatArray
from cytally.wording import counted

#: Told apart by colour-blind eyes, and by their dashes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#22303c")


@dataclass(frozen=True)
class CountLine:
    """Counts of one position over time with limits (NaN for none), and a curve through them ([] for none)."""

    name: str
    times: FloatArray
    count: FloatArray
    lower: FloatArray
    upper: FloatArray
    fitted: FloatArray


def growth_figure(lines: Sequence[CountLine], unit: str = "h") -> Figure:
    """Counts against time in `unit`, one colour per position."""
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        axes.fill_between(line.times, line.lower, line.upper, color=colour, alpha=0.15, linewidth=0)
        axes.plot(line.times, line.count, "o", color=colour, markersize=3.5, label=without_formulas(line.name))
        if len(line.fitted):
            axes.plot(line.times, line.fitted, color=colour, linewidth=1.4)
    axes.set_ylim(bottom=0)
    axes.set(xlabel=f"time ({unit})", ylabel="nuclei in the field")
    if len(lines) <= 12:
        axes.legend(frameon=False, fontsize=8)
    _plain(axes)
    return figure


def validation_figure(rows: Sequence[Mapping[str, float]], best: Sequence[int]) -> Figure:
    """Loss in training and on validation fields; the epochs that became members are marked."""
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    epochs = [row["epoch"] for row in rows]
    axes.semilogy(epochs, [row["loss"] for row in rows], color=PALE, label="training, augmented")
    axes.semilogy(epochs, [row["validation"] for row in rows], color=BLUE, label="validation fields")
    marked = [row for row in rows if int(row["epoch"]) in best]
    axes.plot(
        [r["epoch"] for r in marked],
        [r["validation"] for r in marked],
        "o",
        color=RED,
        markersize=4,
        label="members of the ensemble",
    )
    axes.set(xlabel="epoch", ylabel="focal cross-entropy")
    axes.legend(frameon=False, fontsize=8)
    _plain(axes)
    return figure


@dataclass(frozen=True)
class Branch:
    """One track in a lineage picture: first and last frame, and the branch it came from (-1: none)."""

    first: int
    last: int
    parent: int


def lineage_figure(branches: Sequence[Branch], most: int = 60) -> Figure:
    """Tracks as lines over time; daughters hang on their mother's end.

    Whole families, those with divisions first, up to `most` tracks.
    """
    order = _families(branches)[:most]
    height = {branch: row for row, branch in enumerate(order)}
    figure = Figure(figsize=(6.8, 1.2 + 0.13 * max(len(order), 8)), layout="constrained")
    axes = figure.add_subplot()
    for number, row in height.items():
        branch = branches[number]
        axes.plot([branch.first, branch.last + 0.5], [row, row], color=BLUE, linewidth=2, solid_capstyle="butt")
        if branch.parent in height:
            sisters = sum(other.parent == branch.parent for other in branches)
            mother = branches[branch.parent].last + 0.5
            axes.plot(
                [mother, branch.first],
                [height[branch.parent], row],
                color=RED if sisters > 1 else PALE,
                linewidth=1,
                linestyle="-" if sisters > 1 else ":",
            )
    axes.set(xlabel="frame", yticks=[], ylim=(len(order) + 0.5, -1.5))
    axes.text(
        0,
        1.0,
        f"{len(order)} of {counted(len(branches), 'tracks')}; red: divisions, dotted: lost and found again",
        transform=axes.transAxes,
        fontsize=8,
        color=INK,
        va="bottom",
    )
    _plain(axes)
    return figure


def _families(branches: Sequence[Branch]) -> list[int]:
    """Numbers of branches, family by family, each mother before her daughters."""
    born: dict[int, list[int]] = {}
    for number, branch in enumerate(branches):
        born.setdefault(branch.parent, []).append(number)

    def family(root: int) -> list[int]:
        """A track and all that descend from it."""
        told, waiting = [], [root]
        while waiting:
            one = waiting.pop()
            told.append(one)
            waiting += sorted(born.get(one, []), reverse=True)
        return told

    families = [family(root) for root in born.get(-1, [])]
    families.sort(key=lambda one: (-len(one), one[0]))
    return list(np.concatenate(families).astype(int).tolist()) if families else []


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
