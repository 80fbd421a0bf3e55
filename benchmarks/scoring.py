"""How fast metaphases are scored, how soon the first one is, and how much memory that takes: docs/processors.md.

    python benchmarks/scoring.py [--images 12] [--run 200] [--avx2]

Prints the two tables of that page, in wall time: let nothing else run beside it. First, image after image of
two sizes is scored from disk on one thread, by the naive loop over members (float32, default layout,
normalisation layers not folded, every member everywhere, scipy components) and by the product on both
runtimes; the ways take turns and medians are printed, beside the metaphases a minute of a whole run on
all cores, start-up included. Then the time from nothing to the first scored cell (median of three), and the peak
memory of one process that scores small fields, and one field of 46 megapixels.

`--avx2` does the same again held to AVX2 (ONEDNN_MAX_CPU_ISA, ATEN_CPU_CAPABILITY).
`--images 1 --run 2` is the smallest: it shows that everything runs, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
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
from cytally.dosimetry.scoring.score import score_file
from cytally.dosimetry.scoring.workers import cores
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.folder import Order, write_folder
from cytally.images.read import read
from cytally.images.write import write
from cytally.inference.ensemble import set_threads
from cytally.nets.unet import build
from cytally.types import Image

AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
SHAPES = ((896, 1008), (1024, 1280))
RUNTIMES = ("torch", "openvino")
#: Edge of the large field in pixels, and by how much its chromosomes are larger than usual.
LARGE, TIMES = 6780, 1.1
#: A fresh process: scores the files named after the runtime; prints its peak memory in MB.
FRESH = """
import sys
from pathlib import Path
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.scoring.score import score_file
ensemble = load_ensemble(runtime=sys.argv[1])
for name in sys.argv[2:]:
    cell = score_file(Path(name), name, ensemble)
    if cell.status != "scored":
        sys.exit(f"{name}: {cell.status}")
lines = Path("/proc/self/status").read_text().splitlines()
print(round(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024))
"""


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


def timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def cells(folder: Path, shape, images: int) -> list[Path]:
    write_folder(Order(images, Exposure(1.0), "mixed", seed=55, shape=shape), folder)
    return sorted(folder.glob("*.png"))


def large_field(folder: Path) -> Path:
    """One metaphase in the middle of the largest field that is accepted, its chromosomes a little enlarged."""
    cell = Order(1, Exposure(1.0), "mixed", seed=55, shape=SHAPES[0]).cell(0).image.pixels
    cell = cv2.resize(cell, None, fx=TIMES, fy=TIMES, interpolation=cv2.INTER_CUBIC)
    pixels = np.full((LARGE, LARGE), np.median(cell), cell.dtype)
    top, left = ((LARGE - size) // 2 for size in cell.shape)
    pixels[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    write(folder / "large.png", Image(pixels))
    return folder / "large.png"


def one_thread(images: int) -> dict[str, dict[str, float]]:
    """Median seconds of an image by size and way."""
    torch.set_num_threads(1)
    set_threads(1)
    cv2.setNumThreads(1)
    ensembles = {runtime: load_ensemble(runtime=runtime) for runtime in RUNTIMES}
    card = ensembles["torch"].card
    networks = naive_networks(card)
    table = {}
    for shape in SHAPES:
        rows = {name: [] for name in ("naive", "reading", *RUNTIMES)}
        with tempfile.TemporaryDirectory() as folder:
            paths = cells(Path(folder), shape, images)
            for ensemble in ensembles.values():
                score_file(paths[0], paths[0].name, ensemble)  # networks are built when they first look
            for path in paths:
                rows["naive"].append(timed(lambda p=path: naive(p, networks, card)))
                rows["reading"].append(timed(lambda p=path: normalise(read(p))))
                for name, ensemble in ensembles.items():
                    rows[name].append(timed(lambda p=path, e=ensemble: score_file(p, p.name, e)))
        table["{} x {}".format(*shape)] = {name: statistics.median(times) for name, times in rows.items()}
    return table


def whole_runs(images: int) -> dict[str, float]:
    """Metaphases a minute of the command, from its start to its end, by size; processes for all cores."""
    found = {}
    for shape in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            cells(Path(folder) / "cells", shape, images)
            words = [sys.executable, "-m", "cytally", "dosimetry", "score", f"{folder}/cells", "--out", f"{folder}/run"]
            seconds = timed(lambda words=words: subprocess.run(words, stdout=subprocess.DEVNULL, check=True))
        found["{} x {}".format(*shape)] = 60 * images / seconds
    return found


def fresh(runtime: str, paths: list[Path], limits: dict[str, str]) -> int:
    """Peak memory in MB of a process of its own that scores these images."""
    program = [sys.executable, "-c", FRESH, runtime, *map(str, paths)]
    done = subprocess.run(program, capture_output=True, text=True, env=os.environ | limits)
    if done.returncode:
        sys.exit(f"a fresh process ended with status {done.returncode}: {done.stderr.strip()}")
    return int(done.stdout)


def start_and_memory(images: int, limits: dict[str, str]) -> dict[str, dict[str, float]]:
    """Seconds to the first scored cell, and peak memory in MB, by runtime."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        small, large = cells(Path(name), SHAPES[0], images), large_field(Path(name))
        for runtime in RUNTIMES:
            fresh(runtime, small[:1], limits)  # files of libraries are in memory from here on
            seconds = [timed(lambda r=runtime: fresh(r, small[:1], limits)) for _ in range(3 if images > 1 else 1)]
            peaks = [fresh(runtime, paths, limits) for paths in (small, [large])]
            found[runtime] = {"start": statistics.median(seconds), "small": peaks[0], "large": peaks[1]}
    return found


def instructions() -> str:
    """The widest instructions that networks may use here, and the number format of members."""
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    known = ("amx_bf16", "avx512_bf16", "avx512_vnni", "avx512f", "avx2")
    widest = next((name for name in known if name in flags), "unknown")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
    return f"{f'held to {limit}' if limit else widest.upper()}; {load_ensemble(runtime='openvino').runtime}"


PARTS = {"thread": one_thread, "runs": whole_runs, "instructions": lambda _: instructions()}


def part(name: str, images: int, limits: dict[str, str]):
    """What one part of this file answers in a process of its own, under the limits on instructions."""
    program = [sys.executable, __file__, "--part", name, "--images", str(images)]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, env=os.environ | limits, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def speed_rows(processor: str, table: dict, runs: dict[str, float]) -> list[str]:
    rows = []
    for size, found in table.items():
        seconds = " | ".join(f"{found[name]:.3f} s" for name in ("naive", *RUNTIMES, "reading"))
        ratio = found["naive"] / found["openvino"]
        rows.append(f"| {processor} | {size} | {seconds} | {ratio:.1f} | {runs[size]:.0f} |")
    return rows


def start_rows(processor: str, found: dict) -> list[str]:
    return [
        f"| {processor} | {runtime} | {one['start']:.2f} s | {one['small']} MB | {one['large']} MB |"
        for runtime, one in found.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=12, help="of each size, scored by every way on one thread")
    parser.add_argument("--run", type=int, default=200, help="images of a whole run")
    parser.add_argument("--avx2", action="store_true", help="then the same held to AVX2")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        print(json.dumps(PARTS[chosen.part](chosen.images)))
        return
    speed, start = [], []
    for limits in ({}, AVX2) if chosen.avx2 else ({},):
        processor = part("instructions", 0, limits)
        single = part("thread", chosen.images, limits | {"OMP_NUM_THREADS": "1"})
        speed += speed_rows(processor, single, part("runs", chosen.run, limits))
        start += start_rows(processor, start_and_memory(chosen.images, limits))
    across = f"metaphases a minute, {cores()} cores"
    print(f"| processor | image | naive | torch | OpenVINO | of it reading | naive / OpenVINO | {across} |")
    print("|---|---|---|---|---|---|---|---|\n" + "\n".join(speed))
    small, large = f"{chosen.images} fields of 896 x 1008", f"one of {LARGE} x {LARGE}"
    print(f"\n| processor | runtime | first cell | peak, {small} | {large} |")
    print("|---|---|---|---|---|\n" + "\n".join(start))


if __name__ == "__main__":
    main()
