"""Whether members in 8-bit integers decide as the slow way does, and how fast they are: an experiment.

    python benchmarks/int8.py [--cells 200] [--seed 4242] [--calibrated 12] [--time 24]

Needs nncf beside what the package needs (`pip install nncf`; no dependency). The graphs of the members that
propose, then those of the verifier too, are quantised with their activations' ranges taken from a few other
simulated cells, and compared as `benchmarks/decisions.py` compares, on the same cells. Rows of docs/processors.md.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

import numpy as np
from decisions import compared, run, seconds, table
from ways import Way, densities, on_openvino, one_thread, simulated, slow

from cytally.dosimetry.detectors.candidates import crops_at, propose, proposing
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.inference import graph
from cytally.inference.ensemble import Ensemble

#: Cells on which ranges are measured: other ones than those compared.
SEED = 77


def quantised(make, examples: list[list[np.ndarray]]):
    """A member or verifier whose graph is quantised before it is compiled."""
    import nncf
    import openvino

    def smaller(answers, inputs, name):
        whole = openvino.Model(answers, inputs, name)
        data, preset = nncf.Dataset(examples), nncf.QuantizationPreset.MIXED
        return nncf.quantize(whole, data, subset_size=len(examples), preset=preset)

    with mock.patch.object(graph, "openvino", SimpleNamespace(Model=smaller, Core=openvino.Core)):
        return make()


def seen(ensemble: Ensemble, cells: int) -> tuple[list[list[np.ndarray]], list[list[np.ndarray]]]:
    """What members and verifiers see in a few cells."""
    wholes, views = [], []
    for number in range(cells):
        values = simulated(number, SEED)
        unit = ensemble.members[0].architecture.multiple
        cut = values[: values.shape[0] // unit * unit, : values.shape[1] // unit * unit]
        window = np.array([0, 0, cut.shape[0] // unit, cut.shape[1] // unit], np.int64)
        wholes.append([np.ascontiguousarray(cut[None, None]), window])
        found = propose(values, ensemble)
        for crop in crops_at(values, found.row, found.col, ensemble.verifiers[0].side):
            views.append([np.ascontiguousarray(graph.eight_views(crop)[:, None])])
    return wholes, views


def ways(ensemble: Ensemble, calibrated: int) -> list[Way]:
    """Members in 8-bit integers with the verifier in float32, and everything in 8-bit integers."""
    wholes, views = seen(ensemble, calibrated)
    plain = on_openvino(ensemble, graph.precision())
    members = list(plain.members)
    for k in proposing(ensemble):
        stored = ensemble.members[k]
        members[k] = quantised(lambda m=stored: graph.GraphMember(m.architecture, m.weights()), wholes)
    half = replace(plain, members=tuple(members))
    verifiers = [
        quantised(lambda r=r: graph.GraphVerifier(r.architecture, r.weights()), views) for r in ensemble.verifiers
    ]
    whole = replace(half, verifiers=tuple(verifiers))
    return [
        Way(f"OpenVINO, members in {graph.precision()}, verifier in float32, windows", plain),
        Way("OpenVINO, members in int8, verifier in float32, windows", half),
        Way("OpenVINO, everything in int8, windows", whole),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=200, help="simulated cells compared")
    parser.add_argument("--seed", type=int, default=4242, help="of the cells compared")
    parser.add_argument("--calibrated", type=int, default=12, help="other cells, from which ranges are taken")
    parser.add_argument("--time", type=int, default=0, metavar="CELLS", help="also time every way on so many cells")
    chosen = parser.parse_args()
    try:
        import nncf  # noqa: F401
    except ImportError:
        sys.exit("nncf is not installed: pip install nncf, best into an environment of its own")
    one_thread()
    ensemble = load_ensemble(runtime="openvino")
    first, fast = slow(ensemble), ways(ensemble, chosen.calibrated)
    if chosen.cells:
        cells = densities(chosen.cells, chosen.seed, None)
        found = run(cells, None, {}, lambda values: compared(values, first, fast, []))
        print(
            f"{len(found)} cells, {sum(cell['detections'] for cell in found)} detections\n\n{table(found)}", flush=True
        )
    if chosen.time:
        print("\n| | processor time of a cell |\n|---|---|")
    for way in fast if chosen.time else ():
        print(f"| {way.name} | {seconds(way, chosen.time, chosen.seed + 1):.3f} s |", flush=True)


if __name__ == "__main__":
    main()
