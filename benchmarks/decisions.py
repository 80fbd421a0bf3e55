"""Whether the fast ways of looking decide as the slow one: torch in float32, every member everywhere.

    python benchmarks/decisions.py [--cells 200] [--seed 4242] [--folder IMAGES]

Simulated cells of every style, 0 to 4 Gy, and any images given. Printed for each way: cells with the same
proposals, cells with the same decisions (as many of each class, each within 12 normalised
pixels), and the largest difference of a probability at equal places.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.candidates import propose, proposing
from cytally.dosimetry.detectors.cooccurrence import verified
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order
from cytally.images.read import find_images, read
from cytally.inference.ensemble import Ensemble
from cytally.inference.graph import GraphMember, GraphReader, precision
from cytally.inference.runtime import TorchMember, TorchVerifier
from cytally.nets.unet import UNet
from cytally.nets.verifier import Verifier

STYLES = ("mixed", "hard", "faint", "poor", "hard", "separated", "slender", "straight", "pale", "dark")
NEAR = 12.0


def built(ensemble: Ensemble, member, verifier) -> Ensemble:
    members = list(ensemble.members)
    for k in proposing(ensemble):
        members[k] = member(ensemble.members[k])
    return replace(ensemble, members=tuple(members), verifiers=tuple(map(verifier, ensemble.verifiers)))


def network(kind, stored):
    made = kind(stored.architecture)
    weights = {name: torch.from_numpy(one) for name, one in stored.weights().items()}
    made.load_state_dict(weights, strict=False)
    return made.eval()


def ways(ensemble: Ensemble):
    """Name -> (ensemble, whether it saves); the first is the slow one."""

    def graphs(format):
        return built(
            ensemble,
            lambda m: GraphMember(m.architecture, m.weights(), format),
            lambda r: GraphReader(r.architecture, r.weights()),
        )

    slow = built(
        ensemble,
        lambda m: TorchMember(network(UNet, m), torch.float32),
        lambda r: TorchVerifier(network(Verifier, r)),
    )
    found = {"torch float32 everywhere": (slow, False), "openvino float32": (graphs("float32"), True)}
    if precision() == "bfloat16":
        found["openvino bfloat16"] = (graphs("bfloat16"), True)
    return found


def densities(cells: int, seed: int, folder: Path | None) -> Iterator[np.ndarray]:
    for path in find_images(folder) if folder else []:
        yield normalise(read(path)).values
    for number in range(cells):
        shape = (1024, 1280) if number % 4 == 0 else (896, 1008)
        order = Order(1, Exposure((0.0, 2.0, 4.0)[number % 3]), STYLES[number % len(STYLES)], seed, shape=shape)
        yield normalise(order.cell(number).image).values


def alike(one, other) -> bool:
    """As many of each class, each near its equal."""
    if sorted(one.names) != sorted(other.names):
        return False
    left = list(range(len(other)))
    for name, row, col in zip(one.names, one.row, one.col, strict=True):
        near = [k for k in left if other.names[k] == name and np.hypot(row - other.row[k], col - other.col[k]) <= NEAR]
        if not near:
            return False
        left.remove(near[0])
    return True


def places(found):
    return sorted(zip(found.names, found.row.tolist(), found.col.tolist(), strict=True))


def compared(cells: int, seed: int, folder: Path | None):
    (_, (slow, _)), *fast = ways(load_ensemble(runtime="openvino")).items()
    table = {
        name: {"cells": 0, "same proposals": 0, "same decisions": 0, "largest difference": 0.0} for name, _ in fast
    }
    found = 0
    for values in densities(cells, seed, folder):
        proposed = propose(values, slow, saving=False)
        decided = verified(values, proposed, slow)
        found += len(decided)
        for name, (ensemble, saving) in fast:
            mine = propose(values, ensemble, saving=saving)
            kept = verified(values, mine, ensemble)
            row = table[name]
            row["cells"] += 1
            row["same proposals"] += places(mine) == places(proposed)
            row["same decisions"] += alike(kept, decided)
            if len(kept) and places(kept) == places(decided):
                apart = np.abs(np.sort(kept.probability) - np.sort(decided.probability)).max()
                row["largest difference"] = max(row["largest difference"], float(apart))
    return {"detections": found, **table}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4242)
    parser.add_argument("--folder", type=Path, help="Real images beside the simulated cells.")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(compared(chosen.cells, chosen.seed, chosen.folder), indent=1))


if __name__ == "__main__":
    main()
