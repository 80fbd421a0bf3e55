"""Shapes of real chromosomes against simulated ones: the table of docs/simulator.md.

    python scripts/shapes.py FIELD... [--cells 6]

Chromosomes are cut out and set upright as for composing, from the real FIELDs and from
unexposed simulated cells of each style; 10th, 50th and 90th percentile of each feature.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from cytally.dosimetry.chromosomes.segment import Segmented, segment
from cytally.dosimetry.chromosomes.upright import FINE, Upright, cut_out, profile
from cytally.dosimetry.density import optical_density
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.images.read import read
from cytally.types import Image

#: Name, and what it is divided by.
FEATURES = (
    "width / size",
    "length / width",
    "constriction",
    "chromatid gap",
    "edge / width",
    "bend (width)",
    "darkest / median",
)


def features(body: Upright, field: Segmented) -> list[float]:
    """Numbers without a unit, so that magnification and stain do not matter."""
    density = np.maximum(body.density, 0)
    mass, centre, spread = profile(density)
    rows = np.arange(int(body.ends[0]), int(body.ends[1]) + 1)
    inner = rows[int(0.15 * rows.size) : int(0.85 * rows.size)]
    narrow = cv2.GaussianBlur(np.sqrt(mass * spread).astype(np.float32)[:, None], (0, 0), 0.08 * body.width)[:, 0]
    middle = density[rows, np.clip(np.rint(centre[rows]).astype(int), 0, density.shape[1] - 1)]
    ridge = np.maximum(density[rows].max(axis=1), 1e-6)
    line = np.polyval(np.polyfit(inner, centre[inner], 1), inner)
    return [
        body.width / FINE / field.size,
        body.length / body.width,
        float(narrow[inner].min() / np.percentile(narrow[rows], 90)),
        float(np.percentile(1 - middle / ridge, 75)),
        edge(density[inner]) / body.width,
        float(np.abs(centre[inner] - line).max() / body.width),
        float(np.percentile(ridge, 95) / np.median(ridge)),
    ]


def edge(rows: np.ndarray) -> float:
    """Median 10-90 % rise of the left flank, samples."""
    rises = []
    for row in rows:
        peak = int(row.argmax())
        flank = row[: peak + 1] / max(row[peak], 1e-6)
        low, high = np.flatnonzero(flank < 0.1), np.flatnonzero(flank < 0.9)
        if low.size and high.size:
            rises.append(high[-1] - low[-1])
    return float(np.median(rises)) if rises else float("nan")


def measure(image: Image) -> list[list[float]]:
    density = optical_density(image)
    field = segment(density, image.source)
    return [features(cut_out(density, outline, field), field) for outline in field.chromosomes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fields", nargs="+", type=Path)
    parser.add_argument("--cells", type=int, default=6)
    chosen = parser.parse_args()
    groups = {path.stem: measure(read(path)) for path in chosen.fields}
    for name, style in STYLES.items():
        cells = [simulate_cell(style, Damage(), np.random.default_rng([12, k])) for k in range(chosen.cells)]
        groups[name] = [row for cell in cells for row in measure(Image(cell.image.pixels))]
    print("| chromosomes of | number | " + " | ".join(FEATURES) + " |")
    print("|---|---|" + "---|" * len(FEATURES))
    for name, rows in groups.items():
        values = np.nanpercentile(np.array(rows), [10, 50, 90], axis=0)
        cells = " | ".join(f"{v[1]:.2f} ({v[0]:.2f}-{v[2]:.2f})" for v in values.T)
        print(f"| {name} | {len(rows)} | {cells} |")


if __name__ == "__main__":
    main()
