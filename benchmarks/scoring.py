"""Speed, start and memory of scoring, as ratios measured side by side in one run.

    python benchmarks/scoring.py [--images 12] [--memory]

Two processors in turn, each in a process of its own: this one as it is, and held to AVX2
(ONEDNN_MAX_CPU_ISA, ATEN_CPU_CAPABILITY). In each, image after image of two sizes is scored from disk
by the naive loop over members (float32, default layout, normalisation layers not folded, every member
everywhere, scipy components) and by the product on both runtimes. Everything runs on one thread and
is timed by its own processor time, so that what else the machine does matters little; the ways
take turns and medians are printed. Sizes that a runtime has not seen yet cost it more: the first round is left out.
Then whole runs in wall time, processes for all cores; start-up of a fresh process for one image; with
`--memory` the peak after 20 and 200 images.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file
from scipy import ndimage

from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.ensemble import load_ensemble, shipped_folder
from cytally.dosimetry.pipeline import score_folder
from cytally.dosimetry.scoring.score import score_file
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.images.read import read
from cytally.inference.ensemble import set_threads
from cytally.nets.unet import build
from cytally.precision import preferred_dtype


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


def matrix_peak(dtype, size=2048, rounds=7):
    """FLOP/s of a square matrix product."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(times)


AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
SHAPES = ((896, 1008), (1024, 1280))


def timed(call):
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def cells(folder: Path, shape, images: int) -> list[Path]:
    write_folder(Order(images, Exposure(1.0), "mixed", seed=55, shape=shape), folder)
    return sorted(folder.glob("*.png"))


def one_processor(images: int):
    """Medians of processor seconds per image on one thread, by size and way."""
    torch.set_num_threads(1)
    set_threads(1)
    cv2.setNumThreads(1)
    ensembles = {runtime: load_ensemble(runtime=runtime) for runtime in ("torch", "openvino")}
    card = ensembles["torch"].card
    networks = naive_networks(card)
    table = {name: ensemble.runtime for name, ensemble in ensembles.items()}
    for shape in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            paths = cells(Path(folder), shape, images)
            for path in paths:
                for ensemble in ensembles.values():
                    score_file(path, path.name, ensemble)
            rows = {name: [] for name in ("naive", "reading and normalising", *ensembles)}
            for path in paths:
                rows["naive"].append(timed(lambda p=path: naive(p, networks, card))[0])
                rows["reading and normalising"].append(timed(lambda p=path: normalise(read(p)))[0])
                for name, ensemble in ensembles.items():
                    rows[name].append(timed(lambda p=path, e=ensemble: score_file(p, p.name, e))[0])
        median = {name: statistics.median(times) for name, times in rows.items()}
        table["{} x {}".format(*shape)] = {
            "processor seconds per image": {k: round(v, 4) for k, v in median.items()},
            "naive / product": {k: round(median["naive"] / median[k], 1) for k in ensembles},
            "per minute on 2 such cores": {k: round(120 / median[k]) for k in ensembles},
        }
    dtype = preferred_dtype()
    table["matrix peak of a core, GFLOP/s"] = {
        str(kind).removeprefix("torch."): round(matrix_peak(kind) / 1e9) for kind in {dtype, torch.float32}
    }
    return table


def whole_run(images: int) -> float:
    """Images per minute of wall time, processes for all cores; start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        cells(Path(folder) / "cells", SHAPES[1], images)
        start = time.perf_counter()
        score_folder([Path(folder) / "cells"], Path(folder) / "run", load_ensemble())
        return round(60 * images / (time.perf_counter() - start), 1)


def start_up() -> dict[str, float]:
    """Seconds from nothing to the first scored cell: wall and processor time."""
    code = (
        "import sys, pathlib; import cytally.dosimetry.pipeline; from cytally.dosimetry.scoring.score import score_file;"
        "from cytally.inference.ensemble import load_ensemble; p = pathlib.Path(sys.argv[1]);"
        "score_file(p, p.name, load_ensemble())"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = cells(Path(folder), SHAPES[0], 1)[0]
        before, start = os.times(), time.perf_counter()
        subprocess.run([sys.executable, "-c", code, str(path)], check=True)
        wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": round(wall, 2), "processor": round(used, 2)}


def score_many(images: int) -> None:
    """Score so many images with two processes; prints the peak memory in MB of this one and of the largest other."""
    with tempfile.TemporaryDirectory() as folder:
        inside = Path(folder) / "cells"
        cells(inside, SHAPES[0], images)  # no copies: every image has windows of other sizes
        score_folder([inside], Path(folder) / "run", load_ensemble(), jobs=2)
    print([round(resource.getrusage(who).ru_maxrss / 1024) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)])


def child(call: str, **environment: str) -> str:
    """What a call of this file prints in a process of its own."""
    code = f"import json, benchmarks.scoring as b; print(json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    return done.stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12)
    parser.add_argument("--memory", action="store_true")
    chosen = parser.parse_args()
    for name, limits in (("this processor", {}), ("held to AVX2", AVX2)):
        result = json.loads(child(f"b.one_processor({chosen.images})", **limits, OMP_NUM_THREADS="1"))
        result["whole run, images per minute of wall time"] = float(
            child(f"b.whole_run({8 * chosen.images})", **limits)
        )
        result["start-up in seconds"] = json.loads(child("b.start_up()", **limits))
        print(json.dumps({name: result}, indent=1), flush=True)
    if chosen.memory:
        peaks = [child(f"b.score_many({n})").splitlines()[0] for n in (20, 200)]
        print(json.dumps({"peak MB (first process, largest other) after 20 and 200 images": peaks}))


if __name__ == "__main__":
    main()
