"""Speed and memory of the livecell door, as ratios measured side by side in one run.

    python benchmarks/livecell.py [--rounds 7] [--memory]

Labels of a 1408 x 1040 field on one core, against scikit-image's CLAHE and local Otsu of the
same window; one 1024 x 1024 prediction by one member of the fast preset on all cores, against
the published network (64 filters) on the same field; `--memory` follows 100 and then 1,000
frames of 256 x 256 in fresh processes and compares their peak memory.
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
import warnings
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from skimage.exposure import equalize_adapthist
from skimage.filters import rank
from skimage.morphology import footprint_rectangle

from cytally.images.flatten import flatten
from cytally.inference.card import Card, Thresholds
from cytally.inference.ensemble import write_ensemble
from cytally.inference.runtime import TorchMember
from cytally.livecell.ensemble import LIVE_CELLS, load_ensemble
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify, prepare
from cytally.livecell.learn import PRESETS
from cytally.livecell.pipeline import Order, follow_images
from cytally.livecell.simulate.folder import TimeLapse, frames, write_sequence
from cytally.livecell.simulate.population import PopulationSettings
from cytally.nets.unet import UNet
from cytally.segmentation.threshold import adaptive_threshold
from cytally.training.checkpoints import save_tensors, weights_of
from cytally.training.tasks.masks import CLASSES


def timed(action, rounds):
    """Median seconds."""
    action()
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def labelling(rounds):
    """Milliseconds on one core, chain and parts, and scikit-image's two."""
    cv2.setNumThreads(1)
    field = next(frames(TimeLapse(frames=1, shape=(1040, 1408), population=PopulationSettings(110))))
    stain = field.fluorescence
    scaled = (stain / stain.max()).astype(np.float32)
    grey = (scaled * 255).astype(np.uint8)
    settings = FluorescenceSettings(half_height=0.5, border=True)
    prepared = prepare(stain)
    parts = {
        "labels": lambda: identify(stain, settings),
        "CLAHE": lambda: prepare(stain),
        "adaptive Otsu": lambda: adaptive_threshold(prepared),
        "CLAHE, scikit-image": lambda: equalize_adapthist(scaled, 127, clip_limit=0.01),
        "local Otsu, scikit-image": lambda: rank.otsu(grey, footprint_rectangle((20, 20))),
    }
    result = {
        name: round(1000 * timed(action, rounds if "scikit" not in name else 1), 1) for name, action in parts.items()
    }
    result["nuclei"] = identify(stain, settings).count
    result["times faster than scikit-image's two steps"] = round(
        (result["CLAHE, scikit-image"] + result["local Otsu, scikit-image"])
        / (result["CLAHE"] + result["adaptive Otsu"]),
        1,
    )
    return result


def predicting(rounds):
    """Seconds for a 1024 x 1024 field."""
    pixels = np.random.default_rng(1).normal(128, 20, (1024, 1024)).astype(np.uint8)
    flat = flatten(pixels)
    result = {"flatten": round(timed(lambda: flatten(pixels), rounds), 3)}
    for name in ("fast", "paper"):
        member = TorchMember(UNet(PRESETS[name].architecture).eval())
        few = rounds if name == "fast" else 1
        result[name] = round(timed(lambda member=member: member.padded(flat), few), 3)
    result["times faster than the published network"] = round(result["paper"] / result["fast"], 1)
    return result


def untrained(folder: Path) -> Path:
    """A fast ensemble of two members that was taught nothing but to answer here and there."""
    architecture = replace(PRESETS["fast"].architecture, filters=4, widest=16)
    paths = []
    for number in range(2):
        torch.manual_seed(number)
        network = UNet(architecture)
        torch.nn.init.normal_(network.head.weight, std=1.0)
        paths.append(folder / f"epoch_{number:03d}.safetensors")
        save_tensors(paths[-1], weights_of(network))
    card = Card(
        name="untrained",
        task="livecell",
        classes=list(CLASSES),
        stride=1,
        arguments=asdict(architecture),
        normalisation=dict(LIVE_CELLS.normalisation),
        members=[],
        thresholds=Thresholds(confidence=[[0.3, 0.5]] * 2, agreement=[0, 0]),
    )
    write_ensemble(folder / "ensemble", card, paths)
    return folder / "ensemble"


def follow_many(count: int) -> int:
    """Peak memory in MB of following so many frames (one simulated frame under many names)."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ensemble = untrained(folder)
        load_ensemble(ensemble)
        write_sequence(TimeLapse(frames=10, shape=(256, 256), population=PopulationSettings(20)), folder / "sim")
        (folder / "many").mkdir()
        for number in range(count):
            source = folder / "sim" / "phase" / f"t{number % 10:03d}.tif"
            (folder / "many" / f"t{number:04d}.tif").symlink_to(source)
        follow_images([folder / "many"], folder / "run", Order(ensemble=ensemble, movie=""))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", action="store_true", help="also the peak after 100 and 1,000 frames")
    parser.add_argument("--follow", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.follow:
        print(follow_many(chosen.follow))
        return
    result = {"labelling 1408 x 1040, ms on one core": labelling(chosen.rounds)}
    result["predicting 1024 x 1024, s"] = predicting(chosen.rounds)
    if chosen.memory:
        peaks = {}
        for count in (100, 1000):
            done = subprocess.run(
                [sys.executable, __file__, "--follow", str(count)], capture_output=True, text=True, check=True
            )
            peaks[f"{count} frames"] = int(done.stdout.split()[-1])
        result["peak memory, MB"] = peaks | {"ratio": round(peaks["1000 frames"] / peaks["100 frames"], 2)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
