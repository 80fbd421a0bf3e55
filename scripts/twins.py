"""What the network and its loss give: short twin runs that differ in one thing.

    python scripts/twins.py --out runs/twins [--epochs 8] [--cells 800] [--silent 150] [--exposed 80] [--twins 8]

Every run begins from nothing, sees the same simulated cells in the same order for as many epochs, and
answers on the same held-out cells (of 4 Gy and silent ones, style `hard`): the share of dicentrics
found at one false one in twenty silent cells, by maxima of the last epoch's heatmap. Runs this
short say which choices learn faster, not where they end. A run that is there is not made again.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from options import Answers, cells, judge

from cytally.cli.progress import reporting
from cytally.dosimetry.density import normalise
from cytally.dosimetry.training.sources import AUXILIARY, CLASSES, SimulatedSource
from cytally.files.runs import read_record
from cytally.inference.runtime import TorchMember
from cytally.nets.unet import STRIDE, Architecture, build
from cytally.training.checkpoints import load_tensors, member_path
from cytally.training.loop import fit
from cytally.training.pool import PoolSettings
from cytally.training.tasks.heatmaps import SHIPPED, HeatmapTask

BASE = Architecture(classes=4, filters=12, depth=4, widest=160)
#: What differs: of the network, of the settings.
TWINS: dict[str, tuple[dict, dict]] = {
    "as shipped (12 filters, depth 4, lambda 0.2, rho 0.1)": ({}, {}),
    "8 filters": ({"filters": 8}, {}),
    "18 filters": ({"filters": 18, "widest": 240}, {}),
    "depth 3": ({"depth": 3}, {}),
    "L2 alone (lambda 0)": ({}, {"weight": 0.0}),
    "lambda 0.5": ({}, {"weight": 0.5}),
    "rho 0.3": ({}, {"rho": 0.3}),
    "plain stem": ({"stem": "plain"}, {}),
}
FALSE_PER_CELL = 0.05


def answers(member: TorchMember, dose: float | None, count: int) -> Iterator[Answers]:
    """Dicentrics by the maxima of one network's heatmap."""
    from scipy.ndimage import maximum_filter

    for image, truth in cells(dose, 4000, 4000 + count):
        density = normalise(image)
        heat = member.padded(density.values)[0]
        top = np.argwhere((heat == maximum_filter(heat, 7)) & (heat > 0.03))
        sure = heat[tuple(top.T)].astype(float)
        yield judge(top * STRIDE + (STRIDE - 1) / 2, sure, density.from_image(truth))


def recall_at(silent: list[Answers], exposed: list[Answers]) -> tuple[float, int]:
    """Share found where one in twenty silent cells holds a false one."""
    alarms = np.sort(np.concatenate([each.sure for each in silent]))[::-1]
    allowed = int(FALSE_PER_CELL * len(silent))
    limit = float(alarms[allowed]) if len(alarms) > allowed else 0.0
    true = sum(each.true for each in exposed)
    found = sum(int((each.sure[each.hit] > limit).sum()) for each in exposed)
    return found / true if true else float("nan"), true


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--cells", type=int, default=800, help="simulated cells that every run sees")
    parser.add_argument("--silent", type=int, default=150, help="held-out cells without aberrations")
    parser.add_argument("--exposed", type=int, default=80, help="held-out cells of 4 Gy")
    parser.add_argument("--twins", type=int, default=len(TWINS), help="so many of the runs, from the first")
    chosen = parser.parse_args()
    if chosen.cells < SHIPPED.batch:
        parser.error(f"expected --cells of at least one batch ({SHIPPED.batch}), got {chosen.cells}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    plain = replace(
        SHIPPED,
        epochs=chosen.epochs,
        late_from=chosen.epochs,
        late_rate=SHIPPED.rate,
        warm=3,
        ramp=2,
        pool=PoolSettings(size=chosen.cells, fresh=0),
    )
    source = SimulatedSource(41, CLASSES + AUXILIARY, silent=0.25, dicentrics=4.0)
    rows = [["what differs", "parameters", "seconds per epoch", "dicentrics found"]]
    for number, (name, (network, settings)) in enumerate(list(TWINS.items())[: chosen.twins]):
        folder, architecture = chosen.out / f"twin_{number}", replace(BASE, **network)
        with reporting() as progress:
            fit(HeatmapTask(source, architecture, replace(plain, **settings)), folder, progress)
        model = build(read_record(folder).settings["architecture"])
        weights, _ = load_tensors(member_path(folder, chosen.epochs))
        model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        member = TorchMember(model.eval())
        found, true = recall_at(list(answers(member, None, chosen.silent)), list(answers(member, 4.0, chosen.exposed)))
        with (folder / "curves.csv").open(newline="") as file:
            seconds = np.median([float(row["seconds"]) for row in csv.DictReader(file)])
        parameters = sum(p.numel() for p in model.parameters())
        rows.append([name, f"{parameters / 1e6:.2f} M", f"{seconds:.0f}", f"{found:.2f} of {true}"])
        print("| " + " | ".join(rows[-1]) + " |", flush=True)
    table = ["| " + " | ".join(row) + " |" for row in rows]
    (chosen.out / "twins.md").write_text("\n".join([table[0], "|---|---|---|---|", *table[1:]]) + "\n")


if __name__ == "__main__":
    main()
