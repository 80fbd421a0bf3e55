"""What the preprint claims of Sparse Variation and of ensembles, measured on simulated cells.

    cytally dosimetry train --preset paper-small --sparsity 0 --out runs/L2
    cytally dosimetry train --preset paper-small --warm 10 --out runs/SV
    python scripts/uncertainty.py L2=runs/L2/training SV=runs/SV/training --out runs/claims

Each run's last checkpoints answer on the same held-out cells, with aberrations as the preprint's test
images and without any; single checkpoints and ensembles of ten are then decided by components (thesis
eq. 4.10-4.13) at equal T_C, at equal precision, and at equal false detections. Writes performance.csv
(Tables 1 and 2), differences.csv (each claim with paired bootstrap limits), agreement.csv, and three
pictures; last, how much the heatmaps of each run's last checkpoint vary. Answers that are there are not asked for again.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from claims.answers import ask, at_least, checkpoints_of, one_thread, runs_of
from claims.pictures import free_response, over_agreement, over_confidence
from claims.tables import MEMBERS, Hits, Row, differences, hits_of_run, performance
from claims.variation import variation_figure, variations

from cytally.cli.progress import reporting
from cytally.dosimetry.training.sources import CLASSES
from cytally.errors import CytallyError
from cytally.figures.style import as_png
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes

#: Cells whose heatmaps are measured whole.
VARYING = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN", help="training folders, with a name each")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--aberrant", type=int, default=460, help="cells as the preprint's test images")
    parser.add_argument("--silent", type=int, default=300, help="cells without aberrations")
    parser.add_argument("--last", type=int, default=50, help="checkpoints of each run, from its end")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only-ask", action="store_true", help="leave the tables for later")
    chosen = parser.parse_args()
    sizes = {name: (getattr(chosen, name), 1) for name in ("aberrant", "silent", "workers")}
    at_least(last=(chosen.last, MEMBERS), **sizes)
    runs = runs_of(chosen.runs)
    checkpoints = {name: checkpoints_of(folder, chosen.last) for name, folder in runs.items()}
    cells = {"aberrant": chosen.aberrant, "silent": chosen.silent}
    one_thread()
    with reporting() as progress:
        for kind, count in cells.items():
            ask(checkpoints, kind, count, chosen.out, chosen.workers, progress)
    if chosen.only_ask:
        return
    write(chosen.out, decided(chosen.out, list(runs), cells, chosen.workers))
    with reporting() as progress:
        some = min(chosen.aberrant, VARYING)
        varied = {name: variations(paths[-1], some, progress) for name, paths in checkpoints.items()}
    write_bytes(chosen.out / "total_variation.png", as_png(variation_figure(varied)))
    for name, values in varied.items():
        print("median total variation", name, *(f"{value:.1f}" for value in np.median(values, axis=0)), sep="\t")


def decided(out: Path, runs: list[str], cells: dict[str, int], workers: int) -> dict[str, dict[str, Hits]]:
    """Hits by class and run."""
    jobs = [(name, run) for name in CLASSES for run in runs]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        futures = {job: pool.submit(hits_of_run, out, job[1], cells, job[0]) for job in jobs}
        return {name: {run: futures[name, run].result() for run in runs} for name in CLASSES}


def write(out: Path, hits: dict[str, dict[str, Hits]]) -> None:
    """Tables and pictures."""
    alike: list[Row] = [
        {"class": name, "run": run, "kappa": each.kappa, "correlation": each.correlation}
        for name, runs in hits.items()
        for run, each in runs.items()
    ]
    tables = {
        "performance": [row for name, runs in hits.items() for row in performance(name, runs)],
        "differences": [row for name, runs in hits.items() for row in differences(name, runs)],
        "agreement": alike,
    }
    for name, rows in tables.items():
        lines = [[_shown(value) for value in row.values()] for row in rows]
        write_bytes(out / f"{name}.csv", csv_bytes([list(rows[0]), *lines]))
        for line in lines:
            print(name, *line, sep="\t")
    for name, figure in (
        ("over_confidence", over_confidence(hits)),
        ("over_agreement", over_agreement(hits)),
        ("free_response", free_response(hits)),
    ):
        write_bytes(out / f"{name}.png", as_png(figure))


def _shown(value: str | float) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    try:
        main()
    except CytallyError as error:
        sys.exit(f"error: {error}")
