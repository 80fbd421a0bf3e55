"""Measure an ensemble on simulated cells that it never saw: the figures of docs/detector.md.

    python scripts/measure_shipped.py --out runs/measured [--silent 3000] [--exposed 300] [--style hard]

Cells are made, scored and forgotten one by one in two processes; nothing is written but
the figures. `--checkpoints FOLDER` adds precision and recall over T_C of the last
checkpoints of a training run, single and in sampled ensembles (tables 1 and 2 of the
preprint); `--against FOLDER` does the same for a second run, such as one with L2 alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

SEED = 900_000


def cells(style: str, dose: float, start: int, stop: int) -> Iterator[Any]:
    """Held-out cells number start to stop of one dose."""
    from cytally.dosimetry.density import normalise
    from cytally.dosimetry.measure.evaluate import LabelledCell
    from cytally.dosimetry.simulate.breakage import Exposure
    from cytally.dosimetry.simulate.cell import simulate_cell
    from cytally.dosimetry.simulate.styles import style_named
    from cytally.types import Image

    for number in range(start, stop):
        rng = np.random.default_rng([SEED + int(10 * dose), number])
        made = simulate_cell(style_named(style), Exposure(dose).draw(rng), rng)
        yield LabelledCell(normalise(Image(made.image.pixels)), made.points, f"{dose:g}")


def shard(task: tuple[str | None, str, float, int, int]) -> dict[str, Any]:
    """Tallies of one stretch of cells."""
    import cv2
    import torch

    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.dosimetry.measure.evaluate import evaluate, summary

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder, style, dose, start, stop = task
    result = evaluate(cells(style, dose, start, stop), stop - start, load_ensemble(folder), [], sweeping=False)
    return summary(result)


def measure(folder: str | None, style: str, counts: dict[float, int], workers: int) -> list[dict[str, Any]]:
    """Figures by dose and class, from shards of 50 cells."""
    tasks = [(folder, style, dose, k, min(k + 50, n)) for dose, n in counts.items() for k in range(0, n, 50)]
    totals: dict[tuple[str, str], dict[str, float]] = {}
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        for number, part in enumerate(pool.map(shard, tasks), start=1):
            for line in part["by_dose"]:
                total = totals.setdefault(
                    (line["dose_gy"], line["class"]), dict.fromkeys(("cells", "true", "false", "missed", "beside"), 0)
                )
                total["cells"] += line["cells"]
                for name in ("true", "false", "missed"):
                    total[name] += line[name]
                total["beside"] += round(line["false_per_cell_beside_fragment"] * line["cells"])
            print(f"{number} of {len(tasks)} shards", file=sys.stderr, flush=True)
    return [figures(dose, name, total) for (dose, name), total in sorted(totals.items())]


def figures(dose: str, name: str, total: dict[str, float]) -> dict[str, Any]:
    """Precision, recall and false detections per cell with exact limits."""
    from cytally.statistics.poisson import garwood

    limits, cells_ = garwood(int(total["false"])), total["cells"]
    ratio = lambda a, b: round(a / b, 4) if b else None  # noqa: E731
    return {
        "dose_gy": dose,
        "class": name,
        "cells": int(cells_),
        "true": int(total["true"]),
        "false": int(total["false"]),
        "missed": int(total["missed"]),
        "precision": ratio(total["true"], total["true"] + total["false"]),
        "recall": ratio(total["true"], total["true"] + total["missed"]),
        "false_per_cell": round(total["false"] / cells_, 5),
        "false_limits": [round(limits.lower / cells_, 5), round(limits.upper / cells_, 5)],
        "false_per_cell_beside_fragment": round(total["beside"] / cells_, 5),
    }


def checkpoint_sweep(run: Path, style: str, count: int, size: int, agreement: int) -> dict[str, Any]:
    """Precision and recall over T_C of a run's last checkpoints and of ensembles drawn from them."""
    from safetensors.torch import load_file

    from cytally.evaluation.detection import Draws, Labelled, sweep
    from cytally.inference.runtime import TorchMember
    from cytally.nets.unet import build

    stored = json.loads((run / "run.json").read_text())["settings"]
    members = []
    for path in sorted(run.glob("epoch_*.safetensors")):
        if int(path.stem[-3:]) >= stored["late_from"]:
            network = build(stored["architecture"])
            network.load_state_dict({k: v.float() for k, v in load_file(path).items()}, strict=False)
            members.append(TorchMember(network.eval()))

    if not members:
        sys.exit(f"{run}: expected epoch_*.safetensors from epoch {stored['late_from']} on, found none; train it first")

    def looked_at() -> Iterator[Labelled]:
        for number, cell in enumerate(cells(style, 3.0, 5000, 5000 + count), start=1):
            maps = np.stack([member.padded(cell.density.values)[:2] for member in members])
            yield Labelled(maps, tuple(cell.density.from_image(cell.points.of(n)) for n in ("dicentric", "fragment")))
            if number % 20 == 0:
                print(f"{run.name}: {number} of {count} cells", file=sys.stderr, flush=True)

    found = sweep(looked_at(), Draws(min(size, len(members)), agreement), stride=members[0].architecture.step)
    bands = {
        f"{kind}, {name}": {key: np.round(value, 4).tolist() for key, value in vars(found.band(kind, channel)).items()}
        for kind in ("singles", "ensembles")
        for channel, name in enumerate(("dicentric", "fragment"))
    }
    return {
        "checkpoints": len(members),
        "size": size,
        "agreement": agreement,
        "confidences": found.confidences,
        "bands": bands,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ensemble")
    parser.add_argument("--style", default="hard")
    parser.add_argument("--silent", type=int, default=3000)
    parser.add_argument("--exposed", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--checkpoints", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--swept", type=int, default=120, help="cells of the sweep")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    counts = {0.0: chosen.silent, 2.0: chosen.exposed, 3.0: chosen.exposed, 4.0: chosen.exposed}
    if chosen.silent:
        found = measure(chosen.ensemble, chosen.style, counts, chosen.workers)
        (chosen.out / f"by_dose_{chosen.style}.json").write_text(json.dumps(found, indent=1) + "\n")
        for line in found:
            print(line)
    for name, run in (("checkpoints", chosen.checkpoints), ("against", chosen.against)):
        if run is not None:
            bands = checkpoint_sweep(run, chosen.style, chosen.swept, 10, 4)
            (chosen.out / f"sweep_{name}.json").write_text(json.dumps(bands, indent=1) + "\n")


if __name__ == "__main__":
    main()
