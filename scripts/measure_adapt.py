"""Does `adapt` help a laboratory whose cells look like nothing that training saw?

    python scripts/measure_adapt.py --out runs/adapted [--fields 15] [--silent 300] [--exposed 150]
        [--epochs 8] [--pool 1000]

A stand-in for a laboratory: simulated cells of a look that is in no training style (wide and
soft, shallow constrictions, pale, a camera that sharpens and is noisy). Fifteen unexposed ones are
given to `adapt` as images without labels; recall and false detections are then measured,
before and after, on other cells of that look whose truth is known.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytally.cli.progress import reporting
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.ensemble import load_ensemble, shipped_folder
from cytally.dosimetry.measure.evaluate import LabelledCell, evaluate, summary
from cytally.dosimetry.simulate.breakage import Damage, Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import STYLES
from cytally.dosimetry.training.adapt import ADAPT, adapt, figures
from cytally.images.write import write
from cytally.types import Image

FOREIGN = replace(
    STYLES["straight"],
    name="foreign",
    width=(24, 29),
    longest=(82, 100),
    waist=(0.62, 0.76),
    separation=(0.75, 0.95),
    sway=(0.005, 0.02),
    bend=(0.2, 0.6),
    bands=(0.0, 0.06),
    knobs=(0.02, 0.07),
    density=(0.13, 0.19),
    focus=(2.3, 2.9),
    halo=(0.2, 0.35),
    noise=(5.5, 7.5),
    grain=(0.3, 0.45),
    radius=(240, 320),
)


def cells(dose: float, count: int) -> Iterator[LabelledCell]:
    """Held-out cells of the foreign look."""
    for number in range(count):
        rng = np.random.default_rng([950_000 + int(10 * dose), number])
        made = simulate_cell(FOREIGN, Exposure(dose).draw(rng) if dose else Damage(), rng)
        yield LabelledCell(normalise(Image(made.image.pixels)), made.points, f"{dose:g}")


def measure(folder: Path, silent: int, exposed: int, progress) -> dict:
    """Figures of one ensemble on those cells."""
    ensemble = load_ensemble(folder)
    found = []
    for dose, count in ((0.0, silent), (3.0, exposed)):
        found += summary(evaluate(cells(dose, count), count, ensemble, [], progress, sweeping=False))["by_dose"]
    return {"detector": ensemble.card.identity, "by_dose": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fields", type=int, default=15, help="unexposed cells given to adapt")
    parser.add_argument("--silent", type=int, default=300, help="held-out cells without aberrations")
    parser.add_argument("--exposed", type=int, default=150, help="held-out cells of 3 Gy")
    parser.add_argument("--epochs", type=int, default=ADAPT.epochs)
    parser.add_argument("--pool", type=int, default=ADAPT.pool.size, help="cells learnt from")
    chosen = parser.parse_args()
    normal = chosen.out / "normal"
    normal.mkdir(parents=True, exist_ok=True)
    for number in range(chosen.fields):
        made = simulate_cell(FOREIGN, Damage(), np.random.default_rng([951_000, number]))
        write(normal / f"n{number:02d}.png", made.image)
    settings = replace(
        ADAPT,
        epochs=chosen.epochs,
        late_from=min(ADAPT.late_from, chosen.epochs),
        pool=replace(ADAPT.pool, size=chosen.pool, fresh=min(ADAPT.pool.fresh, chosen.pool)),
    )
    with reporting() as progress:
        before = measure(shipped_folder(), chosen.silent, chosen.exposed, progress)
        started = time.monotonic()
        own = figures(adapt(normal, chosen.out / "ensemble", shipped_folder(), progress, settings=settings))
        minutes = (time.monotonic() - started) / 60
        after = measure(chosen.out / "ensemble", chosen.silent, chosen.exposed, progress)
    result = {"minutes": round(minutes, 1), "by_adapt_itself": own, "before": before, "after": after}
    (chosen.out / "adapted.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"adapt took {minutes:.1f} min")
    for when in ("before", "after"):
        for line in result[when]["by_dose"]:
            print(
                when,
                {k: line[k] for k in ("dose_gy", "cells", "class", "precision", "recall", "false_per_cell")},
            )


if __name__ == "__main__":
    main()
