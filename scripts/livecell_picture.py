"""Draw the picture in docs/livecell.md: automatic labels on both channels, and the tracks of a time-lapse.

    python scripts/livecell_picture.py runs/livecell docs/pictures/livecell.png

From a folder that `scripts/measure_livecell.py` has filled. Measures nothing itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from cytally.figures.masks import outlined, tracked
from cytally.files.atomic import write_bytes
from cytally.images.masks import read_mask
from cytally.images.read import read
from cytally.images.sequences.tracks import read_masks
from cytally.images.write import encode

SIDE = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, help="folder that measure_livecell.py has filled")
    parser.add_argument("picture", type=Path, help="PNG to write")
    chosen = parser.parse_args()
    out, target = chosen.measured, chosen.picture
    lapse = out / "lapse_30_901"
    name = "A06_1_t002.tif"
    stain = read(out / "first" / "sim" / "fluorescence" / name).pixels
    phase = read(out / "first" / "sim" / "phase" / name).pixels
    label = read_mask(out / "first" / "labels" / "labels" / name)
    images = sorted((lapse / "phase").iterdir())
    masks = list(read_masks(lapse / "run" / "tracks"))
    table = np.genfromtxt(lapse / "run" / "tracks" / "tracks.csv", delimiter=",", names=True)
    now = len(masks) - 1
    here = next((row["camera_row"], row["camera_col"]) for row in table if row["frame"] == now)
    tails = {}
    for number in np.unique(masks[now])[1:]:
        rows = table[(table["track"] == number) & (table["frame"] > now - 12)]
        tails[int(number)] = np.stack(
            [rows["row"] + rows["camera_row"] - here[0], rows["col"] + rows["camera_col"] - here[1]], axis=1
        )
    panels = [
        outlined(stain, label),
        outlined(phase, label),
        tracked(read(images[now]).pixels, masks[now], tails),
    ]
    corner = slice(80, 80 + SIDE)
    row = [cv2.resize(panel[corner, corner], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for panel in panels]
    gap = np.full((2 * SIDE, 12, 3), 255, np.uint8)
    write_bytes(target, encode(np.hstack([row[0], gap, row[1], gap, row[2]]), ".png"))


if __name__ == "__main__":
    main()
