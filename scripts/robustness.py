"""What scale, focus, noise, compression and contrast of an image cost the shipped ensemble.

    python scripts/robustness.py composed/scc_4 composed/scc_5 [--cells 30]

The folders are labelled ones, such as `cytally dosimetry compose` writes; every cell is changed in
one way at a time, then measured and found as any image is. Prints a table of docs/detector.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.measure.evaluate import LabelledCell, evaluate
from cytally.dosimetry.training.sources import labelled_images
from cytally.images.read import read
from cytally.types import Image, Points

Pixels = np.ndarray
Change = Callable[[Pixels], Pixels]


def scaled(factor: float) -> Change:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return lambda grey: cv2.resize(grey, None, fx=factor, fy=factor, interpolation=how)


def compressed(quality: int) -> Change:
    def change(grey: Pixels) -> Pixels:
        done = cv2.imencode(".jpg", np.rint(grey * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(done[1], cv2.IMREAD_UNCHANGED).astype(np.float32) / 255

    return change


def noisy(share: float) -> Change:
    rng = np.random.default_rng(1)
    return lambda grey: grey + rng.normal(0, share, grey.shape).astype(np.float32)


def blurred(sigma: float) -> Change:
    return lambda grey: cv2.GaussianBlur(grey, (0, 0), sigma)


def shaded(grey: Pixels) -> Pixels:
    """A quarter less light in the corners."""
    rows, cols = (np.linspace(-1, 1, size) ** 2 for size in grey.shape)
    return (grey * (1 - 0.125 * (rows[:, None] + cols[None]))).astype(np.float32)


#: Grey values run from 0 to 1 (the brightest); the second number is by how much places move.
CHANGES: dict[str, tuple[Change, float]] = {
    "as it is": (lambda grey: grey, 1),
    "half the size": (scaled(0.5), 0.5),
    "0.7 of the size": (scaled(0.7), 0.7),
    "1.6 of the size": (scaled(1.6), 1.6),
    "2.5 of the size": (scaled(2.5), 2.5),
    "blurred by 1.5 pixels": (blurred(1.5), 1),
    "blurred by 2.5 pixels": (blurred(2.5), 1),
    "noise of 3 % of the brightest": (noisy(0.03), 1),
    "noise of 6 %": (noisy(0.06), 1),
    "JPEG of quality 30": (compressed(30), 1),
    "gamma 0.5": (lambda grey: grey**0.5, 1),
    "gamma 2": (lambda grey: grey**2, 1),
    "20 grey levels": (lambda grey: np.round(grey * 20) / 20, 1),
    "darker corners": (shaded, 1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--cells", type=int, default=30, help="of each folder")
    chosen = parser.parse_args()
    ensemble = load_ensemble()
    labelled = [one for folder in chosen.folders for one in labelled_images(folder)[: chosen.cells]]
    greys = [(read(path).pixels, points) for path, points in labelled]

    def cells(change: Change, factor: float) -> Iterator[LabelledCell]:
        for pixels, points in greys:
            grey = np.clip(change(pixels.astype(np.float32) / pixels.max()), 0, 1)
            places = Points(points.row * factor, points.col * factor, points.names)
            yield LabelledCell(normalise(Image(np.rint(grey * 65535).astype(np.uint16))), places, "unknown")

    print("| the image | dicentrics found | precision | fragments found | precision |\n|---|---|---|---|---|")
    for name, (change, factor) in CHANGES.items():
        result = evaluate(cells(change, factor), len(greys), ensemble, [], sweeping=False)
        hits = [result.total(kind, "one_to_one") for kind in ensemble.classes]
        row = " | ".join(f"{each.recall:.2f} of {each.true + each.missed} | {each.precision:.2f}" for each in hits)
        print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
