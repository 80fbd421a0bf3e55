"""Draw docs/pictures/lobed.png: real chromosomes beside simulated ones, chosen at random.

    python scripts/lobed.py ../shared/data/metaphase_scc [--seed 1]

Nothing is chosen by eye: lone chromosomes of the real fields, of the styles `lobed` and `beaded`,
and dicentrics of both, all at the same size and on the same grey.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from cytally.dosimetry.chromosomes.segment import segment
from cytally.dosimetry.density import optical_density
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import SimulatedCell, simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.images.read import read
from cytally.types import FloatArray, Image

OUT = Path(__file__).parent.parent / "docs" / "pictures"
ROWS, COLS, SIDE = 8, 6, 110
#: Side of a tile in parts of a chromosome's size (square root of the median area).
REACH = 3.0


def tile(density: FloatArray, row: float, col: float, size: float) -> FloatArray:
    """Square around a place, dark where stain is: 0 to 1 of the tile's own darkest."""
    side = REACH * size
    lift = np.array([[SIDE / side, 0, SIDE / 2 - col * SIDE / side], [0, SIDE / side, SIDE / 2 - row * SIDE / side]])
    cut = cv2.warpAffine(density, lift, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
    return 1 - np.clip(cut / max(float(np.percentile(cut, 99)), 1e-6), 0, 1)


def lone(image: Image) -> list[FloatArray]:
    """A tile of every chromosome that lies alone."""
    density = optical_density(image)
    field = segment(density)
    found = []
    for each in field.chromosomes:
        rows, cols = np.nonzero(each.mask)
        found.append(tile(density, each.top + rows.mean(), each.left + cols.mean(), field.size))
    return found


def dicentrics(cell: SimulatedCell) -> list[FloatArray]:
    density = optical_density(Image(cell.image.pixels))
    size = segment(density).size
    places = zip(cell.points.names, cell.points.row, cell.points.col, strict=True)
    return [tile(density, row, col, size) for name, row, col in places if name == "dicentric"]


def sheet(tiles: list[FloatArray], rng: np.random.Generator) -> FloatArray:
    chosen = [tiles[k] for k in rng.permutation(len(tiles))[: ROWS * COLS]]
    chosen += [np.ones((SIDE, SIDE))] * (ROWS * COLS - len(chosen))
    return np.vstack([np.hstack(chosen[k : k + COLS]) for k in range(0, ROWS * COLS, COLS)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fields", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the picture")
    chosen = parser.parse_args()
    rng = np.random.default_rng(chosen.seed)
    panels = {"real (metaphase_scc)": [t for path in sorted(chosen.fields.glob("*.png")) for t in lone(read(path))]}
    for name in ("lobed", "beaded"):
        cells = [simulate_cell(STYLES[name], Damage(), np.random.default_rng([chosen.seed, k])) for k in range(8)]
        panels[f"simulated, {name}"] = [t for cell in cells for t in lone(Image(cell.image.pixels))]
    irradiated = [
        simulate_cell(STYLES[name], Damage(4), np.random.default_rng([chosen.seed, 50, k]))
        for name in ("lobed", "beaded")
        for k in range(8)
    ]
    panels["simulated, dicentrics"] = [t for cell in irradiated for t in dicentrics(cell)]
    figure = Figure(figsize=(19, 6.7), layout="constrained")
    for k, (title, tiles) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), k + 1)
        axes.imshow(sheet(tiles, rng), cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=11)
        axes.axis("off")
    figure.savefig(chosen.out / "lobed.png", dpi=70)


if __name__ == "__main__":
    main()
