"""The preprint's figures 9 and 10 (thesis, 4.12 and 4.13) anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytally.dosimetry.curves.fit import yield_at
from cytally.dosimetry.training.sources import CLASSES

from .curve_rules import Line
from .curves import COMPARED, Study, misread
from .doses import DOSES

#: How the name of a rule begins, and how its curve is drawn.
DRAWN = {
    "ensembles, T_C 0.5": ("C1", "-"),
    "ensembles, T_C 0.5, beside a fragment": ("C1", "--"),
    "ensembles, quantile": ("C0", "-"),
    "ensembles, quantile beside": ("C0", "--"),
    "shipped: verifier alone": ("C2", "-"),
    "shipped: verifier, weighed (as shipped)": ("C2", "--"),
    "shipped: verifier, beside a fragment": ("C2", ":"),
}


def curves_figure(study: Study, lines: Sequence[Line]) -> Figure:
    """Maxima of the checkpoints at 4 Gy; yields and their curves; the errors of a dose that follow."""
    figure = Figure(figsize=(12.4, 7.4), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    tops = study.tops()[study.dose == max(DOSES)]
    for axis, name, values in zip(axes[:2], CLASSES, np.moveaxis(tops, 2, 0), strict=True):
        _distributions(axis, name, values)
    truth, rules = lines[0], [line for line in lines if style_of(line) is not None]
    groups = {"voting checkpoints": "ensembles", "the shipped detector": "shipped"}
    for axis, (words, start) in zip(axes[2:4], groups.items(), strict=True):
        _yields(axis, words, truth, [line for line in rules if line.name.startswith(start)])
    _low(axes[4], truth, rules)
    _errors(axes[5], truth, rules)
    return figure


def style_of(line: Line) -> tuple[str, str] | None:
    """Colour and line of a rule that is drawn."""
    name = line.name
    if name.startswith("ensembles, quantile"):
        name = "ensembles, quantile beside" if name.endswith("fragment") else "ensembles, quantile"
    return DRAWN.get(name)


def _distributions(axis: Axes, name: str, tops: np.ndarray) -> None:
    for values in tops.T:
        axis.plot(np.sort(values), np.linspace(0, 1, len(values)), color="C0", lw=0.7, alpha=0.6)
    axis.set(title=f"highest answer per cell at 4 Gy, {name}", xlabel="maximum of the heatmap", ylabel="share of cells")
    axis.set(xlim=(0, 1), ylim=(0, 1))
    axis.grid(alpha=0.3)


def _yields(axis: Axes, words: str, truth: Line, rules: Sequence[Line]) -> None:
    for line, (colour, style) in [(truth, ("k", "-")), *((line, style_of(line) or ("k", ":")) for line in rules)]:
        axis.plot(COMPARED, yield_at(COMPARED, line.curve.coefficients), color=colour, ls=style, label=line.name)
        axis.plot(DOSES, line.curve.yields, ".", color=colour, ms=4)
    axis.set(title=words, xlabel="dose, Gy", ylabel="dicentrics per cell", xlim=(0, 4.1), ylim=(0, None))
    axis.legend(fontsize=7)
    axis.grid(alpha=0.3)


def _low(axis: Axes, truth: Line, rules: Sequence[Line]) -> None:
    low = COMPARED <= 1
    for line, (colour, style) in [(truth, ("k", "-")), *((line, style_of(line) or ("k", ":")) for line in rules)]:
        axis.plot(COMPARED[low], yield_at(COMPARED[low], line.curve.coefficients), color=colour, ls=style)
    axis.set(title="the same, low doses", xlabel="dose, Gy", ylabel="dicentrics per cell", xlim=(0, 1), ylim=(0, None))
    axis.grid(alpha=0.3)


def _errors(axis: Axes, truth: Line, rules: Sequence[Line]) -> None:
    for line in rules:
        colour, style = style_of(line) or ("k", ":")
        axis.plot(COMPARED, misread(line.curve.coefficients, truth.curve.coefficients), color=colour, ls=style)
    axis.axhline(0, color="k", lw=0.8)
    axis.set(title="read from the true curve", xlabel="dose, Gy", ylabel="error of the dose, Gy", xlim=(0, 4))
    axis.grid(alpha=0.3)
