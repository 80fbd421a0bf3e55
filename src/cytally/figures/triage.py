"""Many doses side by side: a strip per sample, on the classes of an emergency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytally.figures.style import INK, label
from cytally.types import FloatArray, IntArray

_CLASSES = ("#dceef8", "#fdf0d5", "#fbdcd8")


def triage_figure(
    names: Sequence[str], doses: FloatArray, ends: Sequence[float], partial: FloatArray | None = None
) -> Figure:
    """Estimates with limits, one line per sample.

    Parameters
    ----------
    names : sequence of str, length n
    doses : ndarray of shape (n, 3)
        Lower limit, estimate, upper limit in Gy; an infinite limit leaves the picture.
    ends : sequence of float
        Ends of the classes, the last one infinite.
    partial : ndarray of shape (n, 3), optional
        The same as partial-body exposures, drawn hollow; NaN where there is no such dose.
    """
    every = doses if partial is None else np.concatenate([doses, partial])
    finite = every[np.isfinite(every)]
    far = max(float(finite.max(initial=0.0)) * 1.08, 2.5)
    figure = Figure(figsize=(7.2, 1.2 + 0.26 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    start = 0.0
    for end, colour in zip(ends, _CLASSES, strict=True):
        axes.axvspan(start, min(end, far), color=colour, linewidth=0)
        start = min(end, far)
    rows = np.arange(len(names))[::-1]
    for row, (low, middle, high) in zip(rows, doses, strict=True):
        axes.plot([low, min(high, far)], [row, row], color=INK, linewidth=1.4)
        axes.plot([middle], [row], "o", color=INK, markersize=4.5)
        if not np.isfinite(high):
            axes.annotate("", (far, row), (far * 0.985, row), arrowprops={"arrowstyle": "->", "color": INK})
    if partial is not None and np.isfinite(partial).any():
        _hollow(figure, axes, partial, rows, far)
    axes.set(xlim=(0, far), ylim=(-0.8, len(names) - 0.2), xlabel="dose (Gy), 95 % limits", yticks=rows)
    axes.set_yticklabels(list(map(label, names)))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def _hollow(figure: Figure, axes: Axes, partial: FloatArray, rows: IntArray, far: float) -> None:
    """Partial-body doses a little below those of the whole body, and what the two kinds of marks are."""
    for row, (low, middle, high) in zip(rows - 0.28, partial, strict=True):
        axes.plot([low, min(high, far)], [row, row], color=INK, linewidth=0.8)
        axes.plot([middle], [row], "o", color=INK, markersize=4.5, markerfacecolor="white")
    axes.plot([], [], "o-", color=INK, markersize=4.5, label="whole body")
    axes.plot(
        [],
        [],
        "o-",
        color=INK,
        markersize=4.5,
        linewidth=0.8,
        markerfacecolor="white",
        label="as partial-body exposure",
    )
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=2)
