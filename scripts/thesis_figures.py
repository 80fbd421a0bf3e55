"""Three figures of the thesis anew, on simulated cells.

    python scripts/thesis_figures.py runs/SV/training --out runs/figures

Figure 2.3: how wide the limits of a dose are, by cells and dose, and how long a person counts. Figure 4.5: how many images hold how many
aberrations, for cells as the preprint's. Figure 4.8: four checkpoints of one training look at a cell in which they differ about a
fragment. Writes limits_by_cells.png, aberrations_per_image.png and four_checkpoints.jpg.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from claims.answers import cell_of, checkpoints_of, member_of
from claims.diversity import Differing, differing_cell, diversity_picture
from matplotlib.figure import Figure

from cytally.dosimetry.curves.calibrate import stated
from cytally.dosimetry.laboratory.planning import plan_cells
from cytally.dosimetry.simulate.breakage import DICENTRICS
from cytally.dosimetry.training.sources import PAPER_MEANS
from cytally.errors import CytallyError, RunError
from cytally.figures.style import as_png
from cytally.files.atomic import write_bytes
from cytally.images.write import encode

#: Doses, Gy, and cells of figure 2.3; cells that a person counts in an hour (thesis, 2.1).
PLANNED, CELLS, PER_HOUR = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0), tuple(np.geomspace(50, 10_000, 24).astype(int)), 50
#: Aberrations per image that are told apart, and images drawn.
MOST, IMAGES = 8, 5_430
#: Checkpoints shown beside each other, cells in which they may differ.
SHOWN, LOOKED_AT = 4, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="training folder with the checkpoints")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--last", type=int, default=40, help="checkpoints among which four are chosen")
    chosen = parser.parse_args()
    if chosen.last < SHOWN:
        raise RunError(f"expected --last of at least {SHOWN}, got {chosen.last}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    write_bytes(chosen.out / "limits_by_cells.png", as_png(limits_figure()))
    write_bytes(chosen.out / "aberrations_per_image.png", as_png(aberrations_figure(np.random.default_rng(0))))
    late = checkpoints_of(chosen.run, chosen.last)
    members = [member_of(late[k]) for k in np.linspace(0, len(late) - 1, SHOWN).round().astype(int)]
    found: Differing | None = differing_cell(members, (cell_of("aberrant", k) for k in range(LOOKED_AT)))
    if found is None:
        print(
            f"these four checkpoints agree about every fragment beside a dicentric of {LOOKED_AT} cells: no picture",
            file=sys.stderr,
        )
        return
    write_bytes(chosen.out / "four_checkpoints.jpg", encode(diversity_picture(found), ".jpg"))


def limits_figure() -> Figure:
    """Width of the 95 % limits over the dose itself, by cells scored; the curve taken as known."""
    curve = stated(DICENTRICS, (0.0, 0.0, 0.0))
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axis = figure.subplots()
    for gray in PLANNED:
        planned = [one for one in plan_cells(gray, curve, CELLS) if one.expected > 0]
        widths = [(one.upper - one.lower) / gray for one in planned]
        axis.loglog([one.cells for one in planned], widths, ".-", ms=4, label=f"{gray:g} Gy")
    axis.axhline(1, color="0.6", lw=0.8)
    axis.set(xlabel="cells scored", ylabel="width of the 95 % limits / dose")
    axis.grid(alpha=0.3, which="both")
    axis.legend(fontsize=8)
    hours = axis.secondary_xaxis("top", functions=(lambda n: n / PER_HOUR, lambda h: h * PER_HOUR))
    hours.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_major_formatter("{x:g}")
    hours.set_xlabel(f"hours by eye, {PER_HOUR} cells an hour")
    return figure


def aberrations_figure(rng: np.random.Generator) -> Figure:
    """Images with 0, 1, 2 ... dicentrics and fragments, of as many as the preprint has, each with at least one aberration."""
    exchanges, excess = (rng.poisson(mean, 20 * IMAGES) for mean in PAPER_MEANS)
    kept = np.flatnonzero(exchanges + excess)[:IMAGES]
    counts = {"dicentrics": exchanges[kept], "fragments": (exchanges + excess)[kept]}
    figure = Figure(figsize=(7.2, 3), layout="constrained")
    for axis, (name, values) in zip(figure.subplots(1, 2, sharey=True), counts.items(), strict=True):
        axis.bar(range(MOST + 1), np.bincount(np.minimum(values, MOST), minlength=MOST + 1), color="0.4")
        axis.set(title=f"{name}, mean {values.mean():.2f}", xlabel="in an image", yscale="log")
        axis.set_xticks(range(MOST + 1), [*map(str, range(MOST)), f"{MOST}+"])
        axis.grid(alpha=0.3, axis="y")
    figure.axes[0].set_ylabel("images")
    return figure


if __name__ == "__main__":
    try:
        main()
    except CytallyError as error:
        sys.exit(f"error: {error}")
