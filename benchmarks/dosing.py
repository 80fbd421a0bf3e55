"""How long a curve, a dose and a bootstrap take, side by side in one run.

    python benchmarks/dosing.py [--rounds 50]

Prints medians: one fit and one dose with limits; 1,000 bootstrap refits at once beside the
same refits one by one; `cytally dosimetry dose` from the shell beside an empty Python and
beside the import of torch, which it does without.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from replicates import fit_many

from cytally.dosimetry.curves.calibrate import Curve, DosePoint, calibrate
from cytally.dosimetry.curves.fit import fit_curve
from cytally.dosimetry.estimation.dose import DoseSettings, dose_of_counts

# Barquinero 1995, 60Co: dose, cells, dicentrics
SERIES = np.array(
    [
        (0, 5000, 8),
        (0.1, 5002, 14),
        (0.25, 2008, 22),
        (0.5, 2002, 55),
        (0.75, 1832, 100),
        (1, 1168, 109),
        (1.5, 562, 100),
        (2, 333, 103),
        (3, 193, 108),
        (4, 103, 103),
        (5, 59, 107),
    ],
    dtype=float,
)


def median_of(call, rounds):
    if rounds > 1:
        call()  # first calls cost more
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def fitted():
    return calibrate([DosePoint(d, int(n), int(x)) for d, n, x in SERIES])


def shell(command, rounds):
    return median_of(lambda: subprocess.run(command, check=True, capture_output=True), min(rounds, 5))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50, help="of each fit and dose; at most 5 of slow ones")
    rounds = parser.parse_args().rounds
    curve = fitted()
    gray, cells, _ = SERIES.T
    drawn = np.random.default_rng(0).poisson(cells * curve.yield_at(gray), (1000, len(gray))).astype(float)
    one = median_of(fitted, rounds)
    single = {
        method: median_of(
            lambda m=method: dose_of_counts(np.array([475, 20, 5]), curve, DoseSettings(method=m)), rounds
        )
        for method in ("merkle", "likelihood")
    }
    batched = median_of(lambda: fit_many(gray, cells, drawn), min(rounds, 5))
    looped = median_of(lambda: [fit_curve(gray, cells, row) for row in drawn[:100]], min(rounds, 3)) * 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve.json"
        curve.save(path)
        Curve.load(path)
        program = [
            sys.executable,
            "-c",
            "from cytally.cli.main import main; main()",
            "dosimetry",
            "dose",
            "--curve",
            str(path),
            "--distribution",
            "475,20,5",
        ]
        command = shell(program, rounds)
    empty = shell([sys.executable, "-c", "pass"], rounds)
    torch = shell([sys.executable, "-c", "import torch"], rounds)
    print(
        json.dumps(
            {
                "one fit, ms": round(1e3 * one, 2),
                "one dose with limits, ms": {k: round(1e3 * v, 2) for k, v in single.items()},
                "1,000 refits at once, ms": round(1e3 * batched, 1),
                "one by one / at once": round(looped / batched, 1),
                "cytally dosimetry dose from the shell, s": round(command, 2),
                "import torch / cytally dosimetry dose": round(torch / command, 2),
                "cytally dosimetry dose / empty Python": round(command / empty, 1),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
