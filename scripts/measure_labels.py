"""Automatic labels against the masks of real images: F1 at IoU 0.5, and how far counts lie off.

    python scripts/measure_labels.py [--data ../shared/data] [--counts]

As the thesis did it (CellProfiler with its own declumping), with the settings of `cytally livecell
label` (what the stain gives, and what is left of it after debris and specks are taken out, which is
what `label` writes), and, where the nuclei are larger than its 30 pixels, once more with a range of
diameters that fits them. `--counts`: all twenty images (these four and sixteen of mnfinder), nothing given and with the size given
(0.4 to 1.9 times the median true diameter): F1 of what the stain gives and of what `label` writes, and the mean and the
root of the mean square of the counts' relative errors; on the images on which the recipe was chosen (mnfinder's
first, third ... and StarDist's img2d) and on the others apart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cytally.evaluation.segmentation import matched, scores
from cytally.images.read import read
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify
from cytally.livecell.labelling.quality import RejectSettings, clean
from cytally.livecell.labelling.sizes import OwnSize, stained_nuclei
from cytally.segmentation.declump import Declumping, areas, relabelled

PAIRS = (
    ("nuclei_stardist/stardist_data_images_img2d.tif", "nuclei_stardist/stardist_data_images_mask2d.tif", None),
    ("nuclei_stardist/tests_data_img2d.tif", "nuclei_stardist/tests_data_mask2d.tif", None),
    (
        "neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t1.tif",
        "neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t1_labels.tif",
        (12.0, 45.0),
    ),
    (
        "neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t70.tif",
        "neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t70_labels.tif",
        (18.0, 80.0),
    ),
)


def line(labels: np.ndarray, truth: np.ndarray) -> str:
    hits = matched(labels, truth).hits
    return f"F1 {scores(hits).dice:.3f}  ({hits.true} of {hits.true + hits.missed} found, {hits.false} false)"


def truth_of(path: Path) -> np.ndarray:
    pixels = read(path).pixels.astype(np.int32)
    if pixels.ndim == 3:  # a colour for each nucleus
        pixels = pixels @ (1, 256, 65536)
    return relabelled(np.unique(pixels, return_inverse=True)[1].reshape(pixels.shape).astype(np.int32))


def masked(data: Path) -> list[tuple[Path, Path]]:
    """All images with masks: those above and mnfinder's."""
    found = [(data / picture, data / mask) for picture, mask, _ in PAIRS]
    for mask in sorted((data / "mnfinder").rglob("nucleus_masks/*.png")):
        image = mask.parent.parent / "images" / f"{mask.stem}.tif"
        found += [(image, mask)] if image.is_file() else []
    return found


def count_errors(data: Path) -> None:
    found: dict[str, list[tuple[int, int, int, float]]] = {}
    for number, (picture, mask) in enumerate(masked(data)):
        image, truth = read(picture).pixels, truth_of(mask)
        middle = float(np.median(2 * np.sqrt(areas(truth) / np.pi)))
        part = "chosen on" if number == 0 or (number >= 4 and number % 2 == 0) else "held out"
        for how, stain in (("nothing given", OwnSize()), ("size given", FluorescenceSettings.of_size(middle))):
            by_stain = stained_nuclei(image, stain).labels
            for what, labels in (("stain", by_stain), ("label", clean(image, by_stain, RejectSettings()).labels)):
                hits = matched(labels, truth).hits
                row = hits.true, hits.false, hits.missed, int(labels.max()) / int(truth.max()) - 1
                for name in (part, "all"):
                    found.setdefault(f"{how}, {what}, {name}", []).append(row)
    for name, rows in found.items():
        true, false, missed = (sum(row[k] for row in rows) for k in range(3))
        errors = np.array([row[3] for row in rows])
        print(
            f"{name}: {len(rows)} images, F1 {2 * true / (2 * true + false + missed):.3f}, counts off by "
            f"{np.abs(errors).mean():.3f} (mean), {np.sqrt(np.mean(errors**2)):.3f} (root of the mean square)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--counts", action="store_true")
    given = parser.parse_args()
    if given.counts:
        count_errors(given.data)
        return
    thesis = FluorescenceSettings(smoothing=0, declumping=Declumping(by="intensity", neck=1.0))
    usual = FluorescenceSettings.for_nuclei(5, 30)
    for picture, mask, fitting in PAIRS:
        image, truth = read(given.data / picture).pixels, truth_of(given.data / mask)
        sizes = np.percentile(2 * np.sqrt(areas(truth) / np.pi), [0, 50, 100])
        print(
            f"{Path(picture).name}: {truth.max()} nuclei of {sizes[0]:.0f} to {sizes[2]:.0f} pixels, median {sizes[1]:.0f}"
        )
        stained = identify(image, usual).labels
        print(f"  as CellProfiler   {line(identify(image, thesis).labels, truth)}")
        print(f"  by the stain      {line(stained, truth)}")
        print(f"  livecell label    {line(clean(image, stained, RejectSettings()).labels, truth)}")
        if fitting:
            own = FluorescenceSettings.for_nuclei(*fitting)
            print(f"  --diameter {fitting[0]:g} {fitting[1]:g}  {line(identify(image, own).labels, truth)}")


if __name__ == "__main__":
    main()
