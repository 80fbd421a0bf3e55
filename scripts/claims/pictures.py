"""The preprint's figure 3 and the thesis's figure 4.7 anew: precision, recall and FDR over T_C; F1 over (T_C, T_A)."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytally.evaluation.bands import Scored

from .tables import ALL_AGREEMENTS, LIMITS, Hits, Way

AGREEMENT = 3
MEASURES = {"precision": ("C0", Scored.precision), "recall": ("C3", Scored.recall)}
#: Rates at which recall is drawn.
RATES = np.geomspace(0.005, 0.5, 25)


def over_confidence(hits: dict[str, dict[str, Hits]]) -> Figure:
    """Precision, recall and FDR over T_C with 5-95 % bands: runs and their ensembles by classes."""
    ways = [
        (words, run, agreement)
        for run in next(iter(hits.values()))
        for words, agreement in (
            (f"{run}, single checkpoints", 0),
            (f"{run}, ensembles, $T_A$ = {AGREEMENT}", AGREEMENT),
        )
    ]
    figure = Figure(figsize=(4.4 * len(hits), 2.3 * len(ways)), layout="constrained")
    axes = figure.subplots(len(ways), len(hits), squeeze=False, sharex=True, sharey=True)
    for row, (words, run, agreement) in enumerate(ways):
        for col, (name, runs) in enumerate(hits.items()):
            way = runs[run].ensembles[agreement] if agreement else runs[run].singles
            _bands(axes[row, col], way)
            axes[row, col].set_title(f"{name}: {words}", fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("confidence threshold $T_C$")
    axes[0, 0].legend(loc="lower left", fontsize=8)
    return figure


def _bands(axis: Axes, way: Way) -> None:
    scored = [way.all_at(limit) for limit in LIMITS]
    for words, (colour, measure) in MEASURES.items():
        values = np.stack([measure(each, None) for each in scored])
        low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=1)
        axis.plot(LIMITS, middle, color=colour, label=words)
        axis.fill_between(LIMITS, low, high, color=colour, alpha=0.2, lw=0)
        if words == "precision":
            axis.plot(LIMITS, 1 - middle, color="0.5", ls=":", label="false discovery rate")
    axis.set(ylim=(0, 1), xlim=(0, 1))
    axis.grid(alpha=0.3)


def over_agreement(hits: dict[str, dict[str, Hits]]) -> Figure:
    """F1 over (T_C, T_A), mean of sampled ensembles."""
    runs = list(next(iter(hits.values())))
    figure = Figure(figsize=(4.4 * len(hits), 2.8 * len(runs)), layout="constrained")
    axes = figure.subplots(len(runs), len(hits), squeeze=False)
    for row, run in enumerate(runs):
        for col, (name, each) in enumerate(hits.items()):
            surface = f1_surface(each[run])
            shown = axes[row, col].pcolormesh(LIMITS, ALL_AGREEMENTS, surface.T, vmin=0, vmax=1, shading="nearest")
            best = np.unravel_index(int(surface.argmax()), surface.shape)
            axes[row, col].plot(LIMITS[best[0]], ALL_AGREEMENTS[best[1]], "w+", ms=10)
            axes[row, col].set(
                title=f"{name}, {run}: $F_1$, best {surface.max():.2f}", xlabel="$T_C$", ylabel="$T_A$, to be exceeded"
            )
    figure.colorbar(shown, ax=axes, shrink=0.6)
    return figure


def f1_surface(hits: Hits) -> np.ndarray:
    """F1 (T_C, T_A), mean over ensembles."""
    met, predicted = hits.surface[..., 0], hits.surface[..., 1]
    objects = int(hits.singles.objects.sum())
    return np.asarray((2 * met / np.maximum(predicted + objects, 1)).mean(axis=0))


def free_response(hits: dict[str, dict[str, Hits]]) -> Figure:
    """Recall over false detections per cell without aberrations: single checkpoints and ensembles of each run."""
    figure = Figure(figsize=(4.4 * len(hits), 3.6), layout="constrained")
    axes = figure.subplots(1, len(hits), squeeze=False, sharey=True)[0]
    for axis, (name, runs) in zip(axes, hits.items(), strict=True):
        for colour, (run, each) in enumerate(runs.items()):
            for style, way in (("-", each.ensembles[AGREEMENT]), (":", each.singles)):
                false, recall = _operating(way)
                words = f"{run}, {'ensembles' if style == '-' else 'single checkpoints'}"
                axis.plot(false, recall, f"C{colour}{style}", label=words)
        axis.set(title=name, xscale="log", xlabel="false detections per cell without aberrations", ylim=(0, 1))
        axis.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("recall")
    axes[-1].legend(fontsize=8, loc="lower right")
    return figure


def _operating(way: Way) -> tuple[np.ndarray, np.ndarray]:
    """Mean recall of the models at each rate of false detections."""
    from cytally.evaluation.bands import at_most

    rates = way.silent.mean(axis=0)
    allowed = [rate for rate in RATES if rate >= 1 / len(way.silent)]
    return np.array(allowed), np.array([way.at(at_most(rates, rate)).recall().mean() for rate in allowed])
