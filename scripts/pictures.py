"""Draw the pictures of README and docs: road.png, styles.png and composing.png.

    python scripts/pictures.py [--out docs/pictures] [styles] [composing] [road]

Everything on them is simulated or found by the shipped ensemble. Measures nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cytally.dosimetry.chromosomes.upright import Upright
from cytally.dosimetry.compose.cell import Wanted, compose_cell
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.join import exchange
from cytally.dosimetry.curves.calibrate import calibrate
from cytally.dosimetry.demonstration import SERIES
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.scoring.score import detect_image
from cytally.dosimetry.simulate.breakage import DICENTRICS, Damage, at_dose
from cytally.dosimetry.simulate.cell import SimulatedCell, simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.figures.overlays import COLOURS, overlay, viewable
from cytally.types import Image

OUT = Path(__file__).parents[1] / "docs" / "pictures"


def circled(cell: SimulatedCell) -> np.ndarray:
    picture = viewable(cell.image).copy()
    for name, row, col in zip(cell.points.names, cell.points.row, cell.points.col, strict=True):
        cv2.circle(picture, (int(col), int(row)), 34, COLOURS[name], 2, cv2.LINE_AA)
    return picture


def styles(out: Path) -> None:
    figure = Figure(figsize=(15.6, 5.2), layout="constrained")
    for k, (name, style) in enumerate(STYLES.items()):
        cell = simulate_cell(style, Damage(2, 0, 1), np.random.default_rng(40 + k))
        axes = figure.add_subplot(2, 6, k + 1)
        axes.imshow(circled(cell)[120:780, 170:840])
        axes.set_title(name, fontsize=10)
        axes.axis("off")
    figure.savefig(out / "styles.png", dpi=90)


def road(out: Path) -> None:
    """Image -> detections -> dose, for README; the first cell in which both dicentrics are found."""
    from cytally.dosimetry.curves.calibrate import DosePoint
    from cytally.dosimetry.estimation.dose import Totals, dose_of_counts

    ensemble = load_ensemble()
    for seed in range(40, 200):
        cell = simulate_cell(STYLES["mixed"], Damage(2, 0, 1), np.random.default_rng(seed))
        found = detect_image(Image(cell.image.pixels), ensemble)
        inside = (found.row > 160) & (found.row < 740) & (found.col > 210) & (found.col < 800)
        if found.count("dicentric") == 2 and found.count("fragment") >= 2 and inside.all():
            break
    figure = Figure(figsize=(13, 4.2), layout="constrained")
    window = np.s_[130:770, 180:830]
    panels = (viewable(cell.image)[window], overlay(cell.image, found, 36)[window])
    for k, (picture, title) in enumerate(
        zip(panels, ("a metaphase (simulated)", "what the networks found, and how sure they are"), strict=True)
    ):
        axes = figure.add_subplot(1, 3, k + 1)
        axes.imshow(picture)
        axes.set_title(title, fontsize=11)
        axes.axis("off")
    points = [DosePoint(d, 1000, round(1000 * at_dose(DICENTRICS, d))) for d, _ in SERIES]
    curve, axes = calibrate(points), figure.add_subplot(1, 3, 3)
    sample, doses = dose_of_counts(Totals(60, 300), calibrate(points)), np.linspace(0, 4, 100)
    axes.plot(doses, curve.yield_at(doses), color="#0072b2")
    axes.plot([0, sample.estimate, sample.estimate], [0.2, 0.2, 0], color="#d52c20")
    axes.axvspan(sample.lower, sample.upper, color="#d52c20", alpha=0.12, linewidth=0)
    axes.set(xlabel="dose (Gy)", ylabel="dicentrics per cell", xlim=(0, 4), ylim=(0, 1.1))
    axes.set_title(f"60 in 300 cells: {sample.estimate:.2f} Gy ({sample.limits})", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out / "road.png", dpi=90)


def composing(out: Path) -> None:
    """A normal cell taken apart and put together again, step by step."""
    normal = simulate_cell(STYLES["straight"], Damage(), np.random.default_rng([31, 0]))
    field = Field.of(Image(normal.image.pixels))
    parts = field.segmented
    figure = Figure(figsize=(13, 9), layout="constrained")
    grid = figure.add_gridspec(2, 12)
    found = shade(field.density / parts.stain)
    for outline in parts.chromosomes:
        edges, _ = cv2.findContours(outline.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(found, edges, -1, (0, 114, 178), 2, offset=(outline.left, outline.top))
    show(figure.add_subplot(grid[0, :5]), found, "1  single chromosomes; what touches or bends stays")
    sheet = [marked(body, parts.stain) for body in field.uprights[:20]]
    show(figure.add_subplot(grid[0, 5:]), tiled(sheet, 10), "2  lifted, set upright, centromere found (red)")
    rng, donors = np.random.default_rng(4), [u for u in field.uprights if u.centromeres]
    donors.sort(key=lambda u: -u.length)
    made = next(m for m in (exchange(donors[0], donors[3], rng) for _ in range(50)) if m is not None)
    pieces = [marked(body, parts.stain) for body in (donors[0], donors[3], *made)]
    show(
        figure.add_subplot(grid[1, :5]),
        tiled(pieces, 4),
        "3  two chromosomes; their dicentric, and its fragment",
    )
    for seed in range(100):
        cell = compose_cell((field,), Wanted(3.0, 1.0, silent=0.0), np.random.default_rng(seed))
        if len(cell.points.of("dicentric")) >= 2 and len(cell.points.of("fragment")) >= 2:
            break
    picture = viewable(cell.image).copy()
    for row, col in cell.laid:
        cv2.circle(picture, (int(col), int(row)), 5, (0, 150, 70), -1, cv2.LINE_AA)
    for name, row, col in zip(cell.points.names, cell.points.row, cell.points.col, strict=True):
        cv2.circle(picture, (int(col), int(row)), 34, COLOURS[name], 2, cv2.LINE_AA)
    show(
        figure.add_subplot(grid[1, 5:]),
        picture,
        "4  laid in each other's places or where there is room (green: normal)",
    )
    figure.savefig(out / "composing.png", dpi=80)


def shade(density: np.ndarray) -> np.ndarray:
    grey = np.clip(255 * (1 - density / 1.3), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def marked(body: Upright, stain: float) -> np.ndarray:
    picture = shade(body.density / stain)
    for centromere in body.centromeres:
        cv2.line(picture, (0, int(centromere)), (picture.shape[1], int(centromere)), (213, 44, 32), 1)
    return picture


def tiled(pictures: list[np.ndarray], per_row: int) -> np.ndarray:
    height, width = (max(p.shape[k] for p in pictures) + 6 for k in (0, 1))
    rows = -(-len(pictures) // per_row)
    sheet = np.full((rows * height, per_row * width, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        top = k // per_row * height + (height - picture.shape[0]) // 2
        left = k % per_row * width + (width - picture.shape[1]) // 2
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet


def show(axes: Axes, picture: np.ndarray, title: str) -> None:
    axes.imshow(picture)
    axes.set_title(title, fontsize=10, loc="left")
    axes.axis("off")


def main() -> None:
    every = {"styles": styles, "composing": composing, "road": road}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PICTURE", help=f"some of {', '.join(every)}; default: all")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(every):
        parser.error(f"expected pictures among {', '.join(every)}, got {', '.join(sorted(unknown))}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, draw in every.items():
        if name in chosen.names or not chosen.names:
            draw(chosen.out)


if __name__ == "__main__":
    main()
