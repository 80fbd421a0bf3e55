"""Cells and their motion by every method, against the truth of simulated scenes.

    python scripts/flow_methods.py --seeds 1001 1002 1003 --out runs/flow

Scenes of 256 x 448 pixels, 40 cells of three kinds at a time, at most 8 pixels a frame; the ground is found on the frames themselves. Prints for each method the
intersection over union of the masks (all cells; those that were not missed), the mean absolute relative error of the number of cells, the share
missed, the mean length of the error of the flow on cells and on cells faster than 3 pixels a frame, and CPU time. Writes methods.csv.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from cytally.cli.progress import reporting
from cytally.evaluation.flow import FrameScores, frame_scores
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes
from cytally.flow.ground import ground_of, subtract
from cytally.flow.methods.choice import METHODS, method_named
from cytally.flow.simulate.folder import write_scene
from cytally.flow.simulate.scene import Scene, scene_frames
from cytally.images.sequences.video import open_video

#: Every so many frames are compared.
EVERY = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1001, 1002, 1003])
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[name for name in METHODS if name != "tvl1"])
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    scores: dict[str, list[FrameScores]] = {name: [] for name in chosen.methods}
    spent = dict.fromkeys(chosen.methods, 0.0)
    with reporting() as progress:
        for done, seed in enumerate(chosen.seeds, start=1):
            scene = Scene(frames=chosen.frames, seed=seed)
            for name, (found, seconds) in met(scene, chosen.out / f"scene_{seed}", chosen.methods).items():
                scores[name] += found
                spent[name] += seconds
            progress("scenes", done, len(chosen.seeds))
    heading = [
        "method",
        "iou_all",
        "iou_boundary",
        "count_error",
        "missed",
        "endpoint_error",
        "fast",
        "ground",
        "cpu_ms",
    ]
    rows = [[name, *told(scores[name]), f"{1000 * spent[name] / len(scores[name]):.0f}"] for name in chosen.methods]
    write_bytes(chosen.out / "methods.csv", csv_bytes([heading, *rows]))
    for row in [heading, *rows]:
        print(*row, sep="\t")


def met(scene: Scene, folder: Path, methods: list[str]) -> dict[str, tuple[list[FrameScores], float]]:
    """Scores of every method on some frames of a scene, and the CPU time that it took."""
    if not folder.exists():
        write_scene(scene, folder)
    video = open_video(folder / "frames")
    ground = ground_of(video)
    frames = [subtract(frame, ground) for frame in video.frames()]
    truth = [(frame.labels, frame.flow.astype(float)) for frame in scene_frames(scene)]
    result = {}
    for name in methods:
        method, found, begun = method_named(name), [], time.process_time()
        moved = [(k, method.move(frames[k], frames[k + 1])) for k in range(0, scene.frames - 1, EVERY)]
        seconds = time.process_time() - begun
        found = [frame_scores(one.labels, one.flow.astype(float), *truth[k]) for k, one in moved]
        result[name] = (found, seconds)
    return result


def told(scores: list[FrameScores]) -> list[str]:
    """Pooled over frames; the count's error is the mean of its size."""
    values = (
        sum(s.shared for s in scores) / max(sum(s.either for s in scores), 1),
        sum(s.shared for s in scores) / max(sum(s.reached for s in scores), 1),
        float(np.mean([abs(s.count_error) for s in scores])),
        sum(s.missed for s in scores) / max(sum(s.true for s in scores), 1),
        float(np.nanmean([s.endpoint for s in scores])),
        float(np.nanmean([s.fast for s in scores])),
        float(np.mean([s.ground for s in scores])),
    )
    return [f"{value:.3f}" for value in values]


if __name__ == "__main__":
    main()
