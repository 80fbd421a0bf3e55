"""Draw the pictures of README and docs: docs/pictures/road.png and styles.png."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from cytally.dosimetry.calibrate import calibrate
from cytally.dosimetry.demonstration import SERIES
from cytally.dosimetry.score import detect_image
from cytally.dosimetry.simulate.breakage import DICENTRICS, Damage, at_dose
from cytally.dosimetry.simulate.cell import SimulatedCell, simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.figures.overlays import COLOURS, overlay, viewable
from cytally.inference.ensemble import load_ensemble
from cytally.types import Image

OUT = Path(__file__).parents[1] / "docs" / "pictures"


def circled(cell: SimulatedCell) -> np.ndarray:
    picture = viewable(cell.image).copy()
    for name, row, col in zip(cell.points.names, cell.points.row, cell.points.col, strict=True):
        cv2.circle(picture, (int(col), int(row)), 34, COLOURS[name], 2, cv2.LINE_AA)
    return picture


def styles() -> None:
    figure = Figure(figsize=(12, 5.4), layout="constrained")
    for k, (name, style) in enumerate(STYLES.items()):
        cell = simulate_cell(style, Damage(2, 0, 1), np.random.default_rng(40 + k))
        axes = figure.add_subplot(2, 4, k + 1)
        axes.imshow(circled(cell)[120:780, 170:840])
        axes.set_title(name, fontsize=10)
        axes.axis("off")
    figure.savefig(OUT / "styles.png", dpi=90)


def road() -> None:
    """Image -> detections -> dose, for README; the first cell in which a dicentric is found."""
    from cytally.dosimetry.calibrate import DosePoint
    from cytally.dosimetry.dose import dose_from_totals

    ensemble = load_ensemble()
    for seed in range(40, 200):
        cell = simulate_cell(STYLES["mixed"], Damage(2, 0, 1), np.random.default_rng(seed))
        found = detect_image(Image(cell.image.pixels), ensemble)
        if found.count("dicentric"):
            break
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    window = np.s_[130:770, 180:830]
    panels = (viewable(cell.image)[window], overlay(cell.image, found, 36)[window])
    for k, (picture, title) in enumerate(
        zip(panels, ("a metaphase (simulated)", "what ten networks agreed on"), strict=True)
    ):
        axes = figure.add_subplot(1, 3, k + 1)
        axes.imshow(picture)
        axes.set_title(title, fontsize=11)
        axes.axis("off")
    points = [DosePoint(d, 1000, round(1000 * at_dose(DICENTRICS, d))) for d, _ in SERIES]
    curve, axes = calibrate(points), figure.add_subplot(1, 3, 3)
    sample, doses = dose_from_totals(60, 300, calibrate(points)), np.linspace(0, 4, 100)
    axes.plot(doses, curve.yield_at(doses), color="#0072b2")
    axes.plot([0, sample.estimate, sample.estimate], [0.2, 0.2, 0], color="#d52c20")
    axes.axvspan(sample.lower, sample.upper, color="#d52c20", alpha=0.12, linewidth=0)
    axes.set(xlabel="dose (Gy)", ylabel="dicentrics per cell", xlim=(0, 4), ylim=(0, 1.1))
    axes.set_title(f"60 in 300 cells: {sample.estimate:.2f} Gy ({sample.limits})", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(OUT / "road.png", dpi=90)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    styles()
    road()
