"""One picture of what the shipped ensemble misses, wrongly raises and finds in labelled cells.

    python scripts/found_and_missed.py composed/scc_4 composed/scc_5 --out docs/pictures/composed_real.jpg

The folders are those of the section "On real fields" of docs/detector.md. Rows: dicentrics
found (grey), missed (blue), false (red); no more than fit.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from cytally.cli.progress import reporting
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.measure.evaluate import evaluate, labelled_cells
from cytally.dosimetry.measure.gallery import Exhibits
from cytally.files.atomic import write_bytes
from cytally.images.read import find_images
from cytally.images.write import encode

ACROSS = 14
ROWS = (("found", 2, (190, 190, 190)), ("missed", 2, (178, 114, 0)), ("false", 1, (40, 40, 214)))


def rows(exhibits: list[Exhibits], kind: str, count: int, colour: tuple[int, int, int]) -> list[np.ndarray]:
    """Framed pictures in rows of `ACROSS`, as many from each folder."""
    each = -(-ACROSS * count // len(exhibits))
    shown = [picture for one in exhibits for picture in one.of("dicentric", kind)[:each]]
    framed = [
        cv2.copyMakeBorder(p[..., ::-1], 3, 3, 3, 3, cv2.BORDER_CONSTANT, value=colour) for p in shown[: ACROSS * count]
    ]
    blank = np.full((94, 94, 3), 255, np.uint8)
    framed += [blank] * (-len(framed) % ACROSS)
    return [np.hstack(framed[k : k + ACROSS]) for k in range(0, len(framed), ACROSS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    ensemble, exhibits = load_ensemble(), []
    for folder in chosen.folders:
        with reporting() as progress:
            cells = labelled_cells(folder, [])
            result = evaluate(cells, len(find_images(folder)), ensemble, [], progress, sweeping=False)
        exhibits.append(result.exhibits)
    lines = [line for row in ROWS for line in rows(exhibits, *row)]
    if not lines:
        parser.error("expected cells with a dicentric, true or raised, got none; give more cells")
    picture = np.vstack(lines)
    write_bytes(chosen.out, encode(picture, ".jpg"))


if __name__ == "__main__":
    main()
