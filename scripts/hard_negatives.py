"""What false detections in unexposed cells are, before and after the second reading.

    python scripts/hard_negatives.py --out runs/causes [--cells 1500] [--style hard] [--ensemble FOLDER]

Silent simulated cells are scored; what truly lies at the place of every false detection is
looked up in the simulator's truth. "Before" are the members' proposals, "after" what the
verifiers confirmed. Writes causes.json and, by class, a picture of the strongest proposals.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SEED, SHARD, HALF = 980_000, 25, 48


def shard(task: tuple[str | None, str, int, int]) -> list[dict[str, Any]]:
    """False detections of one stretch of cells."""
    import torch

    from cytally.dosimetry.density import normalise
    from cytally.dosimetry.detectors.candidates import crops_at
    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.dosimetry.measure.causes import cause
    from cytally.dosimetry.simulate.breakage import Damage
    from cytally.dosimetry.simulate.cell import simulate_cell
    from cytally.dosimetry.simulate.styles import style_named
    from cytally.types import Image

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder, style, start, stop = task
    ensemble = load_ensemble(folder)
    limits = dict(zip(ensemble.classes, ensemble.card.thresholds.probability or [], strict=False))
    everything = ensemble.with_thresholds(probability=0.0) if ensemble.verifiers else ensemble
    rows = []
    for number in range(start, stop):
        made = simulate_cell(style_named(style), Damage(), np.random.default_rng([SEED, number]))
        density = normalise(Image(made.image.pixels))
        found = everything.rule.decide(density.values)
        crops = crops_at(density.values, found.row, found.col, 2 * HALF)
        places = density.to_image(np.stack([found.row, found.col], axis=1))
        for name, place, read, crop in zip(found.names, places, found.probability, crops, strict=True):
            grey = np.clip(255 * (1 - crop / 1.3), 0, 255).astype(np.uint8)
            kept = not ensemble.verifiers or read > limits[name]
            rows.append(
                {
                    "class": name,
                    "cause": cause(place, made),
                    "probability": float(read),
                    "kept": bool(kept),
                    "crop": grey,
                }
            )
    return rows


def picture(rows: list[dict[str, Any]], path: Path, columns: int = 8, count: int = 32) -> None:
    """The proposals to which the verifiers gave the highest probability, with their cause."""
    tiles = []
    for row in sorted(rows, key=lambda r: -r["probability"])[:count]:
        tile = cv2.cvtColor(cv2.resize(row["crop"], (176, 176), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
        colour = (40, 40, 200) if row["kept"] else (110, 110, 110)
        tile = cv2.copyMakeBorder(tile, 20, 3, 3, 3, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        cv2.rectangle(tile, (2, 19), (tile.shape[1] - 3, tile.shape[0] - 3), colour, 1)
        cv2.putText(tile, f"{row['probability']:.2f} {row['cause']}", (4, 14), 0, 0.38, colour, 1, cv2.LINE_AA)
        tiles.append(tile)
    if not tiles:
        return
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    sheet = np.vstack([np.hstack(tiles[k : k + columns]) for k in range(0, len(tiles), columns)])
    cv2.imwrite(str(path), sheet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=1500)
    parser.add_argument("--style", default="hard")
    parser.add_argument("--ensemble")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    tasks = [(chosen.ensemble, chosen.style, k, min(k + SHARD, chosen.cells)) for k in range(0, chosen.cells, SHARD)]
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
        for number, part in enumerate(pool.map(shard, tasks), start=1):
            rows += part
            print(f"{number} of {len(tasks)} shards", file=sys.stderr, flush=True)
    from cytally.dosimetry.measure.causes import CAUSES

    figures: dict[str, Any] = {"cells": chosen.cells, "style": chosen.style}
    for name in ("dicentric", "fragment"):
        mine = [row for row in rows if row["class"] == name]
        print(f"\n| {name}: what lay there | proposed | confirmed |\n|---|---|---|")
        figures[name] = {}
        for why in CAUSES:
            counts = [sum(r["cause"] == why and (r["kept"] or not after) for r in mine) for after in (0, 1)]
            figures[name][why] = {"proposed": counts[0], "confirmed": counts[1]}
            print(f"| {why} | {counts[0]} | {counts[1]} |")
        picture(mine, chosen.out / f"{name}.png")
    (chosen.out / "causes.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
