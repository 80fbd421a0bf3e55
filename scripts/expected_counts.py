"""Expected dicentrics from the probabilities of all candidates, beside the hard count, measured on simulated cells of known doses.

    python scripts/expected_counts.py --out runs/curves --cells 5400

A threshold throws away what lies below it and counts in full what lies above. Here the verifier's probabilities of *all* candidates are
taken as they are: in half of the cells, whose truth is used, it is fitted how much likelier each probability is among real
candidates (beta calibration); in the other half, dose by dose and without the truth, the mixture of real and false candidates is then fitted
(`cytally.statistics.shares`), and the other way round. Beside it stand the count above the shipped threshold as it is, and the same corrected for false and missed
ones by their rates in the half that taught. Writes expected.csv and expected.png.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from claims.answers import at_least, one_thread
from claims.doses import PAPER_CELLS, blocks, work
from claims.expected import expected_figure, read_cells, told

from cytally.cli.progress import reporting
from cytally.errors import CytallyError
from cytally.figures.style import as_png
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=PAPER_CELLS, help="over all doses")
    parser.add_argument("--resamples", type=int, default=200, help="of cells, for the scatter of each way")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    at_least(cells=(chosen.cells, 1), resamples=(chosen.resamples, 1), workers=(chosen.workers, 1))
    one_thread()
    folder = chosen.out / "candidates"
    with reporting() as progress:
        work(list(blocks(folder, chosen.cells)), chosen.workers, progress, "asking about cells of known doses")
    rows = told(read_cells(folder, chosen.cells), chosen.resamples)
    shown = [[f"{v:.5f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    write_bytes(chosen.out / "expected.csv", csv_bytes([list(rows[0]), *shown]))
    for line in shown:
        print(*line, sep="\t")
    write_bytes(chosen.out / "expected.png", as_png(expected_figure(rows)))


if __name__ == "__main__":
    try:
        main()
    except CytallyError as error:
        sys.exit(f"error: {error}")
