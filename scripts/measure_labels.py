"""Automatic labels against the masks of real images: F1 at IoU 0.5, and how far counts lie off.

    python scripts/measure_labels.py [--data ../shared/data] [--counts]

As the thesis did it (CellProfiler with its own declumping), with the settings of `cytally livecell
label` (what the stain gives, and what is left of it after debris and specks are taken out, which is
what `label` writes), and, where the nuclei are larger than its 30 pixels, once more with a range of
diameters that fits them. `--counts`: counts with the range given (0.45 to 1.9 times the median true
diameter) on these four images and sixteen of mnfinder, and the root of their mean squared relative error.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cytally.evaluation.segmentation import matched, scores
from cytally.images.read import read
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify
from cytally.livecell.labelling.quality import RejectSettings, clean
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
    errors, total = [], [0, 0, 0]
    for picture, mask in masked(data):
        truth = truth_of(mask)
        middle = float(np.median(2 * np.sqrt(areas(truth) / np.pi)))
        settings = FluorescenceSettings.for_nuclei(0.45 * middle, 1.9 * middle)
        found = identify(read(picture).pixels, settings)
        hits = matched(found.labels, truth).hits
        total = [a + b for a, b in zip(total, (hits.true, hits.false, hits.missed), strict=True)]
        errors.append(found.count / int(truth.max()) - 1)
        print(f"{picture.name[:60]}: {found.count} of {truth.max()} ({errors[-1]:+.0%}); {line(found.labels, truth)}")
    f1 = 2 * total[0] / (2 * total[0] + total[1] + total[2])
    print(
        f"{len(errors)} images: F1 {f1:.3f}, counts off by {np.sqrt(np.mean(np.square(errors))):.3f} (root of the mean square)"
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
