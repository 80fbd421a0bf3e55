"""How often 95 % limits hold the true dose: the table and the heat map of docs/doses.md.

    python benchmarks/coverage.py [--replicates 20000]
    python benchmarks/coverage.py --controls [--replicates 2000]
    python benchmarks/coverage.py --without-controls [--replicates 2000]

Each replicate draws a new calibration series (the design of the IAEA manual's table 4),
fits its curve, draws a new sample and asks whether the limits hold the dose. Standard error
with 20,000 replicates: 0.0015 at 95 %.

With --controls the series is that of a smaller laboratory: C 0.001, alpha 0.03, beta 0.06; 2,000,
1,500, 1,000, 500, 300 and 200 cells at 0.25, 0.5, 1, 2, 3 and 4 Gy, and 500 to 5,000 unexposed ones,
which often hold no dicentric, or one or two. "ignored": the curve as it is fitted, a background
of 0 taken as known. Standard error with 2,000 replicates: 0.005.

With --without-controls no series has unexposed cells: three designs, four true curves.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from replicates import carried_many, delta_many, fit_many, likelihood_many, merkle_many

from cytally.dosimetry.curves.fit import yield_at

DOSE = np.array([0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5.0])
CELLS = np.array([5000, 5002, 2008, 2002, 1832, 1168, 562, 332, 193, 103, 59.0])
CURVE = np.array([0.00128, 0.02103, 0.06307])
SAMPLES = (20, 50, 200, 500, 1000, 3000)
DOSES = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "coverage.png"
_BATCH = 2000
#: A smaller laboratory.
OWN_DOSE = np.array([0, 0.25, 0.5, 1, 2, 3, 4.0])
OWN_CELLS = np.array([2000, 1500, 1000, 500, 300, 200.0])
OWN_CURVE = np.array([0.001, 0.03, 0.06])
CONTROLS, OWN_SAMPLES, OWN_DOSES = (500, 1000, 2000, 5000), (200, 500, 1000), (0.0, 0.1, 0.25, 1.0, 3.0)
#: Calibrations without unexposed cells: doses and cells.
BARE = (
    ((0.25, 0.5, 1, 2, 3, 4), (2000, 1500, 1000, 500, 300, 200)),
    ((0.5, 1, 2, 3), (1000, 1000, 500, 300)),
    ((1, 2, 3, 4), (500, 300, 200, 200)),
)
BARE_CURVES = ((0.001, 0.02, 0.06), (0.001, 0.005, 0.06), (0.0005, 0, 0.06), (0.01, 0.02, 0.06))
BARE_SAMPLES = (
    (500, 0.0),
    (500, 0.25),
    (2000, 0.3),
    (500, 0.4),
    (500, 0.7),
    (500, 1.0),
    (500, 2.0),
    (10_000, 2.0),
)


def coverage(replicates: int) -> dict[str, np.ndarray]:
    """Share of replicates whose limits hold the dose, (samples, doses), by method."""
    methods = {
        "likelihood ratio (default)": likelihood_many,
        "Merkle 83/83": lambda *a: merkle_many(*a, level=0.83),
        "Merkle 83/83, widened where the index is at least 1 (the peer's rule)": peer,
        "Merkle 95/95": lambda *a: merkle_many(*a, level=0.95),
        "delta": delta_many,
    }
    inside = {name: np.zeros((len(SAMPLES), len(DOSES))) for name in methods}
    rng = np.random.default_rng(1)
    for start in range(0, replicates, _BATCH):
        size = min(_BATCH, replicates - start)
        curves = carried_many(DOSE, CELLS, rng.poisson(CELLS * yield_at(DOSE, CURVE), (size, len(DOSE))))
        for i, cells in enumerate(SAMPLES):
            for j, gray in enumerate(DOSES):
                counts = rng.poisson(cells * float(yield_at(np.array(gray), CURVE)), size)
                for name, limits in methods.items():
                    low, high = limits(counts, cells, *curves).T
                    inside[name][i, j] += ((low <= gray) & (gray <= high)).sum()
    return {name: count / replicates for name, count in inside.items()}


def by_controls(replicates: int) -> dict[tuple[str, int, int], np.ndarray]:
    """Share of replicates whose limits hold the dose, (doses,), by method, controls and cells of the sample."""
    inside: dict[tuple[str, int, int], np.ndarray] = {}
    rng = np.random.default_rng(2)
    for start in range(0, replicates, _BATCH):
        size = min(_BATCH, replicates - start)
        for controls in CONTROLS:
            scored = np.append(controls, OWN_CELLS)
            drawn = rng.poisson(scored * yield_at(OWN_DOSE, OWN_CURVE), (size, len(scored)))
            plain, curves = fit_many(OWN_DOSE, scored, drawn), carried_many(OWN_DOSE, scored, drawn)
            methods = {
                "likelihood ratio (default)": lambda *a, curves=curves: likelihood_many(*a, *curves),
                "Merkle 83/83": lambda *a, curves=curves: merkle_many(*a, *curves),
                "likelihood ratio, ignored": lambda *a, curves=plain: likelihood_many(*a, *curves),
            }
            for cells in OWN_SAMPLES:
                for j, gray in enumerate(OWN_DOSES):
                    counts = rng.poisson(cells * float(yield_at(np.array(gray), OWN_CURVE)), size)
                    for name, limits in methods.items():
                        low, high = limits(counts, cells).T
                        held = inside.setdefault((name, controls, cells), np.zeros(len(OWN_DOSES)))
                        held[j] += ((low <= gray) & (gray <= high)).sum()
    return {key: count / replicates for key, count in inside.items()}


def say_without_controls(replicates: int) -> None:
    """The table of docs/doses.md on curves without unexposed cells."""
    rng = np.random.default_rng(3)
    print("| doses | C, alpha, beta | " + " | ".join(f"{d:g} Gy, {n} cells" for n, d in BARE_SAMPLES) + " |")
    print("|---|---|" + "---|" * len(BARE_SAMPLES))
    for (dose, cells), truth in itertools.product(BARE, BARE_CURVES):
        gray, scored = np.array(dose, float), np.array(cells, float)
        drawn = rng.poisson(scored * yield_at(gray, np.array(truth)), (replicates, len(scored)))
        curves = carried_many(gray, scored, drawn[drawn.any(axis=1)])
        said = []
        for number, one in BARE_SAMPLES:
            counts = rng.poisson(number * float(yield_at(np.array(one), np.array(truth))), len(curves[0]))
            both = (limits(counts, number, *curves).T for limits in (likelihood_many, merkle_many))
            said.append("/".join(f"{((low <= one) & (one <= high)).mean():.3f}" for low, high in both))
        print(f"| {', '.join(f'{d:g}' for d in dose)} | {', '.join(map(str, truth))} | {' | '.join(said)} |")


def say_controls(replicates: int) -> None:
    """The table of docs/doses.md on controls."""
    found = by_controls(replicates)
    for name in dict.fromkeys(key[0] for key in found):
        print(f"\n*{name}*\n\n| control cells | sample cells | " + " | ".join(f"{d:g} Gy" for d in OWN_DOSES) + " |")
        print("|---|---|" + "---|" * len(OWN_DOSES))
        for (method, controls, cells), share in found.items():
            if method == name:
                print(f"| {controls} | {cells} | " + " | ".join(f"{v:.3f}" for v in share) + " |")


def peer(counts: np.ndarray, cells: int, *curves: np.ndarray) -> np.ndarray:
    """Merkle 83/83 as Biodose Tools decides: widened for every sample whose dispersion index is not below 1."""
    index = indices(counts, cells, np.random.default_rng([int(counts.sum()), cells]))
    return merkle_many(counts, cells, *curves, level=0.83, index=np.where(index >= 1, index, 1.0))


def indices(counts: np.ndarray, cells: int, rng: np.random.Generator) -> np.ndarray:
    """Dispersion index of samples whose dicentrics fall into cells by chance; 1 where there are none."""
    sample = np.repeat(np.arange(len(counts)), counts)
    per_cell = np.bincount(sample * cells + rng.integers(cells, size=len(sample)), minlength=len(counts) * cells)
    squares = (per_cell.reshape(len(counts), cells).astype(float) ** 2).sum(axis=1)
    mean = np.maximum(counts, 1) / cells
    return np.where(counts > 0, (squares - counts**2 / cells) / (cells - 1) / mean, 1.0)


def draw(found: dict[str, np.ndarray], picture: Path) -> None:
    figure = Figure(figsize=(19, 3.6), layout="constrained")
    image = None
    for k, (name, share) in enumerate(found.items()):
        axes = figure.add_subplot(1, len(found), k + 1)
        image = axes.imshow(share, vmin=0.85, vmax=1.0, cmap="RdBu", aspect="auto")
        for (i, j), value in np.ndenumerate(share):
            ink = "white" if value > 0.98 or value < 0.88 else "black"
            axes.text(j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=8, color=ink)
        axes.set(
            title=name.replace(", widened", ",\nwidened").replace(" (the", "\n(the"),
            xlabel="dose (Gy)",
            xticks=range(len(DOSES)),
            yticks=range(len(SAMPLES)),
        )
        axes.set_xticklabels([f"{d:g}" for d in DOSES], fontsize=8)
        axes.set_yticklabels([str(n) for n in SAMPLES], fontsize=8)
        if k == 0:
            axes.set_ylabel("cells")
    figure.colorbar(image, label="coverage of nominal 95 %")
    figure.savefig(picture, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=20_000)
    parser.add_argument("--controls", action="store_true", help="the table by number of control cells instead")
    parser.add_argument(
        "--without-controls", action="store_true", help="the table of curves without unexposed cells instead"
    )
    parser.add_argument("--picture", type=Path, default=PICTURE, help="where the heat map is drawn")
    chosen = parser.parse_args()
    if chosen.without_controls:
        say_without_controls(chosen.replicates)
        return
    if chosen.controls:
        say_controls(chosen.replicates)
        return
    found = coverage(chosen.replicates)
    for name, share in found.items():
        print(f"\n{name}\n\n| cells | " + " | ".join(f"{d:g} Gy" for d in DOSES) + " |")
        print("|---|" + "---|" * len(DOSES))
        for cells, row in zip(SAMPLES, share, strict=True):
            print(f"| {cells} | " + " | ".join(f"{v:.3f}" for v in row) + " |")
    draw(found, chosen.picture)


if __name__ == "__main__":
    main()
