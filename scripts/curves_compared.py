"""What thresholds, co-occurrence and verifiers do to a calibration curve, measured on simulated cells of known doses.

    cytally dosimetry train --preset paper-small --warm 10 --out runs/SV
    python scripts/curves_compared.py runs/SV/training --out runs/curves --cells 21215

The preprint (2.3, figures 9 and 10; thesis, figures 4.12 and 4.13) sets each checkpoint's T_C at one quantile of its own
maxima at 4 Gy, lets a dicentric count only beside a fragment, and finds the automatic curve on the manual one. Here the truth is
known: every rule counts the same cells, curves are fitted, and their distance to the curve of the truth is given as the error of a
dose. Quantiles are chosen on cells of even number and shown on those of odd number. Writes curves.csv and curves.png.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from claims.answers import at_least, checkpoints_of, one_thread
from claims.curve_pictures import curves_figure
from claims.curve_rules import Line, chosen_quantiles, ensemble_lines, shipped_lines, truth_line
from claims.curves import Study, quantile_levels, read_study
from claims.doses import PAPER_CELLS, blocks, work

from cytally.cli.progress import reporting
from cytally.errors import CytallyError, RunError
from cytally.figures.style import as_png
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes

#: Checkpoints asked, every second of the last of a run; half of them are an ensemble.
ASKED, MEMBERS = 20, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="training folder of the checkpoints")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=PAPER_CELLS, help="over all doses")
    parser.add_argument("--ensembles", type=int, default=100, help="sampled ensembles")
    parser.add_argument("--resamples", type=int, default=200, help="of cells, for limits")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    checkpoints = checkpoints_of(chosen.run, 2 * ASKED)[1::2]
    at_least(cells=(chosen.cells, 1), resamples=(chosen.resamples, 1), workers=(chosen.workers, 1))
    one_thread()
    jobs = {
        "checkpoints": list(blocks(chosen.out / "checkpoints", chosen.cells, checkpoints=checkpoints)),
        "candidates": list(blocks(chosen.out / "candidates", chosen.cells)),
    }
    with reporting() as progress:
        for name, mine in jobs.items():
            work(mine, chosen.workers, progress, f"asking about cells of known doses ({name})")
    study = read_study(chosen.out / "checkpoints", chosen.cells, ASKED)
    lines = decided(study, chosen.out / "candidates", chosen)
    rows = [line.row() for line in lines]
    write_bytes(
        chosen.out / "curves.csv", csv_bytes([list(rows[0]), *([str(v) for v in row.values()] for row in rows)])
    )
    for row in rows:
        print(*row.values(), sep="\t")
    write_bytes(chosen.out / "curves.png", as_png(curves_figure(study, lines)))


def decided(study: Study, candidates: Path, chosen: argparse.Namespace) -> list[Line]:
    """Every rule, chosen on even cells and told on odd ones."""
    even = np.arange(len(study.dose)) % 2 == 0
    if not study.true[~even, 0].any():
        raise RunError("no dicentric in these cells; ask for more --cells")
    members = np.arange(1, ASKED, 2)
    quantiles = chosen_quantiles(study.of(even), members)
    tops = study.of(even).tops()
    levels = {q: quantile_levels(tops, study.dose[even], q) for q in quantiles}
    shown = study.of(~even)
    truth = truth_line(shown, chosen.resamples)
    return [
        truth,
        *ensemble_lines(shown, truth, levels, chosen.ensembles, chosen.resamples),
        *shipped_lines(candidates, shown, truth, ~even, chosen.resamples),
    ]


if __name__ == "__main__":
    try:
        main()
    except CytallyError as error:
        sys.exit(f"error: {error}")
