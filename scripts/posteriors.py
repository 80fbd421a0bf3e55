"""Ways to several networks from one training or a few, on one scale: SWA, SWAG, checkpoints, deep ensembles.

    python scripts/posteriors.py L2=runs/L2/training twin=runs/twin/training --out runs/posteriors

Runs of the same settings and other seeds. Every method's networks answer on the same held-out cells and
their heatmaps are averaged; recall is given at 0.02 false detections per cell without aberrations, with
the paired 95 % limits of its difference to the first run's last checkpoint, and Brier score and expected
calibration error of the probabilities at all places where any network answers. Writes methods.csv.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from claims.answers import ask, at_least, one_thread, read_answers, runs_of
from claims.posteriors import measured, methods_of, rows_of

from cytally.cli.progress import reporting
from cytally.dosimetry.training.sources import CLASSES
from cytally.errors import CytallyError
from cytally.evaluation.bands import Scored, draws_of, paired_difference
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes

FALSE_PER_CELL = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN", help="training folders, with a name each")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--aberrant", type=int, default=460)
    parser.add_argument("--silent", type=int, default=300)
    parser.add_argument("--last", type=int, default=50, help="checkpoints of each run that are averaged")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    at_least(last=(chosen.last, 10), **{name: (getattr(chosen, name), 1) for name in ("aberrant", "silent", "workers")})
    runs = runs_of(chosen.runs)
    methods = methods_of(runs, chosen.last, chosen.out)
    networks = tuple(dict.fromkeys(path for method in methods for path in method.members))
    members = [[networks.index(path) for path in method.members] for method in methods]
    cells = {"aberrant": chosen.aberrant, "silent": chosen.silent}
    one_thread()
    with reporting() as progress:
        for kind, count in cells.items():
            ask({"networks": networks}, kind, count, chosen.out, chosen.workers, progress)
    lines = []
    for name in CLASSES:
        answers = {kind: list(read_answers(chosen.out, "networks", kind, count, name)) for kind, count in cells.items()}
        found = measured(answers["aberrant"], answers["silent"], members, FALSE_PER_CELL)
        weights = draws_of(chosen.aberrant)
        for row, each in zip(rows_of(name, methods, found), found, strict=True):
            gain = paired_difference(found[0].scored, each.scored, Scored.recall, weights)
            lines.append(row | {"gain": gain.value, "gain_lower": gain.lower, "gain_upper": gain.upper})
    shown = [[f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()] for row in lines]
    write_bytes(chosen.out / "methods.csv", csv_bytes([list(lines[0]), *shown]))
    for line in shown:
        print(*line, sep="\t")


if __name__ == "__main__":
    try:
        main()
    except CytallyError as error:
        sys.exit(f"error: {error}")
