"""Cells per second and core of the simulator, by style, and of normalisation beside it.

python benchmarks/simulating.py [--cells 30]
"""

from __future__ import annotations

import argparse
import json
import time

import cv2
import numpy as np

from cytally.dosimetry.density import normalise
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import STYLES


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=30)
    cells = parser.parse_args().cells
    cv2.setNumThreads(1)
    result = {}
    for name, style in STYLES.items():
        rng = np.random.default_rng(1)
        simulate_cell(style, Exposure(2.0).draw(rng), rng)
        start = time.process_time()
        made = [simulate_cell(style, Exposure(2.0).draw(rng), rng) for _ in range(cells)]
        middle = time.process_time()
        for cell in made:
            normalise(cell.image)
        done = time.process_time()
        result[name] = {
            "simulated per second": round(cells / (middle - start), 1),
            "simulating / normalising": round((middle - start) / (done - middle), 2),
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
