"""Speed and memory of scoring, as ratios measured side by side in one run.

    python benchmarks/scoring.py [--images 40] [--memory]

Compares, on the same 896 x 1008 images read from disk: the naive loop over members
(float32, default layout, normalisation layers not folded, every member everywhere,
scipy components) with what the product does, with and without its exact saving; and
the product's arithmetic with the machine's own matrix peak. `--memory` scores 100 and
then 2,000 images in fresh processes and compares their peak memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from scipy import ndimage

from cytally.dosimetry.score import score_file
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.images.normalise import normalise
from cytally.images.read import read
from cytally.inference.ensemble import load_ensemble, shipped_folder
from cytally.inference.votes import cast_votes
from cytally.nets.precision import preferred_dtype
from cytally.nets.unet import build


def naive_networks(card):
    networks = []
    for member in card.members:
        network = build(card.arguments)
        weights = load_file(shipped_folder() / member.file)
        network.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
        networks.append(network.eval())
    return networks


def naive(path, networks, card):
    """Read, normalise, every member in float32 everywhere, scipy for the components."""
    density = normalise(read(path)).values
    multiple = networks[0].architecture.multiple
    padded = np.pad(density, [(0, -n % multiple) for n in density.shape])
    votes = np.zeros((len(card.classes), padded.shape[0] // 4, padded.shape[1] // 4), int)
    with torch.no_grad():
        for m, network in enumerate(networks):
            heat = network(torch.from_numpy(padded)[None, None])[0].numpy()
            for k in range(len(card.classes)):
                votes[k] += heat[k] > card.thresholds.confidence[m][k]
    found = 0
    for k, agreement in enumerate(card.thresholds.agreement):
        labels, number = ndimage.label(votes[k] > agreement, np.ones((3, 3)))
        ndimage.center_of_mass(votes[k], labels, range(1, number + 1))
        found += number
    return found


def flops(network, shape):
    """Multiply-adds of all convolutions, times two."""
    total = 0

    def count(layer, inputs, output):
        nonlocal total
        kernel = layer.kernel_size[0] * layer.kernel_size[1] * layer.in_channels // layer.groups
        total += 2 * kernel * output.numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    with torch.no_grad():
        network(torch.zeros(1, 1, *shape))
    for hook in hooks:
        hook.remove()
    return total


def matrix_peak(dtype, size=2048, rounds=7):
    """FLOP/s of a square matrix product."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(times)


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def speed(images):
    ensemble = load_ensemble()
    card = ensemble.card
    networks = naive_networks(card)
    rows = {"naive": [], "everywhere": [], "product": [], "reading and normalising": []}
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Order(images, Exposure(1.0), "mixed", seed=55), Path(folder))
        paths = sorted(Path(folder).glob("*.png"))
        for path in (*paths[:2], *paths):  # the first two warm up
            density = normalise(read(path))
            rows["reading and normalising"].append(timed(lambda p=path: normalise(read(p)))[0])
            rows["naive"].append(timed(lambda p=path: naive(p, networks, card))[0])
            rows["everywhere"].append(
                timed(lambda d=density: cast_votes(d.values, ensemble, saving=False))[0]
            )
            rows["product"].append(timed(lambda p=path: score_file(p, p.name, ensemble))[0])
    median = {name: statistics.median(times[2:]) for name, times in rows.items()}
    shape = [n + -n % networks[0].architecture.multiple for n in density.values.shape]
    work = flops(networks[0], shape) * len(networks)
    dtype = preferred_dtype()
    peak, single = matrix_peak(dtype), matrix_peak(torch.float32)
    member_time = timed(lambda: [ensemble.members[0].padded(density.values) for _ in range(5)])[0] / 5
    return {
        "images": images, "threads": torch.get_num_threads(), "networks run in": str(dtype),
        "seconds per image": {k: round(v, 4) for k, v in median.items()},
        "metaphases per minute": round(60 / median["product"]),
        "naive / product": round(median["naive"] / median["product"], 2),
        "every member everywhere / product's votes": round(
            median["everywhere"] / max(median["product"] - median["reading and normalising"], 1e-9), 2),
        "GFLOP of all members on one normalised image": round(work / 1e9, 1),
        "matrix peak GFLOP/s (own precision, float32)": [round(peak / 1e9), round(single / 1e9)],
        "fraction of the matrix peak, one member": round(work / len(networks) / member_time / peak, 3),
    }  # fmt: skip


def memory_of(images):
    """Peak memory in MB of scoring so many images in a process of its own."""
    code = f"import benchmarks.scoring as b; b.score_many({images})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def score_many(images):
    from cytally.dosimetry.pipeline import score_folder

    with tempfile.TemporaryDirectory() as folder:
        cells = Path(folder) / "cells"
        write_folder(Order(20, Exposure(2.0), "mixed", seed=56), cells)
        originals = sorted(cells.glob("*.png"))
        for k in range(20, images):
            (cells / f"copy_{k:05d}.png").hardlink_to(originals[k % 20])
        score_folder([cells], Path(folder) / "run", load_ensemble())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--memory", action="store_true")
    chosen = parser.parse_args()
    result = speed(chosen.images)
    if chosen.memory:
        small, large = memory_of(100), memory_of(2000)
        result["peak memory in MB for 100 and 2000 images"] = [round(small), round(large)]
        result["memory ratio"] = round(large / small, 3)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
