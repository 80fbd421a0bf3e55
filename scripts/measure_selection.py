"""What selection keeps of simulated cells that the model has not learnt from, and whether it is blind to aberrations.

    python scripts/measure_selection.py --cells 1000 --dose 3 --unscorable 0.3 --out runs/selection

Draws cells of one dose in six styles, a share of them of kinds that cannot be scored. Tells how many of each kind are kept, and the yield and
dispersion of dicentrics (as drawn, so that no detector plays a part) in all cells, in those that are complete, in those that are kept, and in complete ones that
are kept or refused. Yields with exact Poisson limits. Writes selection.csv.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from selecting.cells import STYLES, Drawn, drawn

from cytally.cli.progress import reporting
from cytally.dosimetry.selection.model import KINDS, WHOLE, shipped
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes
from cytally.statistics.poisson import dispersion, garwood, two_sample_p

SEED = 4_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--dose", type=float, default=3.0, help="Gy")
    parser.add_argument("--unscorable", type=float, default=0.3, help="share of cells that cannot be scored")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    rng, others = np.random.default_rng(SEED), [kind for kind in KINDS if kind != WHOLE]
    kinds = [str(rng.choice(others)) if rng.random() < chosen.unscorable else WHOLE for _ in range(chosen.cells)]
    jobs = [(STYLES[n % len(STYLES)], kind, n, chosen.dose) for n, kind in enumerate(kinds)]
    cells = []
    with reporting() as progress, ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
        for done, cell in enumerate(pool.map(partial(drawn, SEED), jobs, chunksize=8), start=1):
            cells.append(cell)
            progress("drawing cells", done, len(jobs))
    kept = np.array([cell.traits is not None and shipped().judge(cell.traits).scorable for cell in cells])
    rows = [*of_kinds(cells, kept), *of_yields(cells, kept)]
    chosen.out.mkdir(parents=True, exist_ok=True)
    write_bytes(chosen.out / "selection.csv", csv_bytes([["what", "cells", "value", "lower", "upper"], *rows]))
    for row in rows:
        print(*row, sep="\t")


def of_kinds(cells: Sequence[Drawn], kept: np.ndarray) -> list[list[str]]:
    """Share of each kind that is kept, and how far off the pieces of complete kept cells are counted."""
    rows = []
    for kind in KINDS:
        mine = np.array([cell.kind == kind for cell in cells])
        rows.append([f"kept: {kind}", str(mine.sum()), f"{kept[mine].mean():.3f}" if mine.any() else "", "", ""])
    off = [
        abs(shipped().judge(cell.traits).chromosomes - cell.pieces)
        for cell, right in zip(cells, kept, strict=True)
        if right and cell.kind == WHOLE and cell.traits is not None
    ]
    rows += [
        [f"pieces within {few}", str(len(off)), f"{np.mean(np.array(off) <= few):.3f}", "", ""]
        for few in (1, 2, 4)
        if off
    ]
    return rows


def of_yields(cells: Sequence[Drawn], kept: np.ndarray) -> list[list[str]]:
    """Dicentrics per cell and their dispersion index, in several sets of cells."""
    whole = np.array([cell.kind == WHOLE for cell in cells])
    counts = np.array([cell.dicentrics for cell in cells])
    sets = {
        "all": np.ones(len(cells), bool),
        "complete": whole,
        "kept": kept,
        "complete and kept": whole & kept,
        "complete and refused": whole & ~kept,
    }
    rows = []
    for name, chosen in sets.items():
        number, total = int(chosen.sum()), int(counts[chosen].sum())
        limits, share = garwood(total), max(number, 1)
        ends = (f"{limits.lower / share:.4f}", f"{limits.upper / share:.4f}")
        rows.append([f"yield: {name}", str(number), f"{total / share:.4f}", *ends])
        spread = dispersion(np.bincount(counts[chosen])) if total else None
        rows.append([f"dispersion: {name}", str(number), f"{spread.index:.3f}" if spread else "", "", ""])
    some, left = whole & kept, whole & ~kept
    if left.any():
        p = two_sample_p(int(counts[some].sum()), int(some.sum()), int(counts[left].sum()), int(left.sum()))
        rows.append(["p: complete ones kept and refused have one yield", "", f"{p:.3f}", "", ""])
    return rows


if __name__ == "__main__":
    main()
