"""Curves -> matplotlib figures; nothing is computed here but positions on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytally.figures.style import BLUE, INK, RED, without_formulas
from cytally.types import FloatArray


@dataclass(frozen=True)
class CurveBand:
    """A curve with its 95 % band and the data it was fitted to.

    Attributes
    ----------
    dose, value, error : ndarray of shape (n,)
    points : ndarray of shape (m, 4)
        Dose, yield, lower and upper limit of the yield.
    acute : ndarray of shape (n,), optional
        The curve of an acute exposure, where this one is protracted; the points belong to it.
    """

    dose: FloatArray
    value: FloatArray
    error: FloatArray
    points: FloatArray
    acute: FloatArray | None = None


@dataclass(frozen=True)
class Marked:
    """A measured yield and the dose with limits read from it."""

    value: float
    value_limits: tuple[float, float]
    dose: float
    dose_limits: tuple[float, float]


#: What a dose figure says; another language gives the same keys.
LABELS = {
    "dose_axis": "dose (Gy)",
    "yield_axis": "dicentrics per cell",
    "band": "95 % band of the curve",
    "curve_line": "calibration curve",
    "curve_points": "calibration samples",
    "this_sample": "this sample",
    "corrected": "this sample, corrected for the detector's errors",
    "protracted": "protracted over {} h, G = {}",
    "acute_line": "acute exposure",
    "decimal": ".",
}


def dose_figure(curve: CurveBand, marked: Marked | None = None, labels: Mapping[str, str] = LABELS) -> Figure:
    """Yield against dose; with the sample's yield led over to its dose."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.fill_between(
        curve.dose,
        np.maximum(curve.value - 1.96 * curve.error, 0),
        curve.value + 1.96 * curve.error,
        color=BLUE,
        alpha=0.15,
        linewidth=0,
        label=labels["band"],
    )
    axes.plot(curve.dose, curve.value, color=BLUE, linewidth=1.8, label=labels["curve_line"])
    if curve.acute is not None:
        axes.plot(curve.dose, curve.acute, color=BLUE, linewidth=0.8, label=labels["acute_line"])
    top = float(curve.value.max()) * 1.05
    if len(curve.points):
        dose, value, low, high = curve.points.T
        top = max(top, float(value.max()) * 1.1)
        axes.errorbar(
            dose,
            value,
            [value - low, high - value],
            fmt="o",
            ms=4,
            color=INK,
            capsize=2,
            linewidth=0.9,
            label=labels["curve_points"],
        )
    if marked is not None:
        _mark(axes, marked, float(curve.dose.max()), labels["this_sample"])
        top = max(top, marked.value_limits[1] * 1.1)
    axes.set(xlabel=labels["dose_axis"], ylabel=labels["yield_axis"], xlim=(0, curve.dose.max()), ylim=(0, top))
    axes.spines[["top", "right"]].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:.3g}".replace(".", labels["decimal"]))
    axes.legend(framealpha=0.85, edgecolor="none", loc="upper left", fontsize=8)
    return figure


def _mark(axes: Axes, marked: Marked, far: float, label: str) -> None:
    low, high = marked.dose_limits[0], min(marked.dose_limits[1], far)
    axes.plot([0, marked.dose, marked.dose], [marked.value, marked.value, 0], color=RED, linewidth=1.4)
    for value, dose in zip(marked.value_limits, (low, high), strict=True):
        axes.plot([0, dose, dose], [value, value, 0], color=RED, linewidth=0.8, linestyle=":")
    axes.axvspan(low, high, color=RED, alpha=0.08, linewidth=0)
    axes.plot([marked.dose], [marked.value], "D", color=RED, ms=6, label=label)


def learning_figure(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Loss and false alarms over epochs."""
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.add_subplot()
    epoch = [row["epoch"] for row in rows]
    axes.plot(epoch, [row["loss"] for row in rows], color=BLUE, label="loss (L2 + sparse variation)")
    axes.set(xlabel="epoch", ylabel="loss per crop")
    other = axes.twinx()
    other.plot(epoch, [row["alarm"] for row in rows], color=RED, label="strongest false alarm")
    other.set(ylabel="mean of the strongest false alarm", ylim=(0, 1))
    for each in (axes, other):
        each.spines["top"].set_visible(False)
    figure.legend(loc="upper right", bbox_to_anchor=(0.88, 0.97), frameon=False, fontsize=8)
    return figure


@dataclass(frozen=True)
class BandedCurve:
    """Precision and recall over confidence with their 5-95 % bands, arrays of shape (n,) and (2, n)."""

    title: str
    confidence: FloatArray
    precision: FloatArray
    precision_band: FloatArray
    recall: FloatArray
    recall_band: FloatArray


def precision_recall_figure(panels: Sequence[BandedCurve]) -> Figure:
    """One panel per model and class, as figure 3 of the preprint."""
    columns = 2
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(7.2, 2.5 * rows), layout="constrained")
    for k, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(rows, columns, k)
        for value, band, colour, name in (
            (panel.precision, panel.precision_band, BLUE, "precision"),
            (panel.recall, panel.recall_band, RED, "recall"),
        ):
            axes.plot(panel.confidence, value, color=colour, label=name)
            axes.fill_between(panel.confidence, band[0], band[1], color=colour, alpha=0.2, linewidth=0)
        axes.set(xlim=(panel.confidence[0], panel.confidence[-1]), ylim=(0, 1.02), xlabel="confidence $T_C$")
        axes.set_title(without_formulas(panel.title), fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        if k == 1:
            axes.legend(frameon=False, fontsize=8)
    return figure
