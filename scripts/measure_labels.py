"""Automatic labels against the masks of real images: F1 at IoU 0.5.

    python scripts/measure_labels.py [--data ../shared/data]

As the thesis did it (CellProfiler with its own declumping), with the settings of `cytally livecell
label`, and, where the nuclei are larger than its 30
pixels, once more with a range of diameters that fits them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cytally.evaluation.segmentation import matched, scores
from cytally.images.read import read
from cytally.labels.declump import Declumping, areas, relabelled
from cytally.labels.fluorescence import FluorescenceSettings, identify

PAIRS = (
    ("nuclei_stardist/stardist_data_images_img2d.tif", "nuclei_stardist/stardist_data_images_mask2d.tif", None),
    ("nuclei_stardist/tests_data_img2d.tif", "nuclei_stardist/tests_data_mask2d.tif", None),
    ("neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t1.tif",
     "neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t1_labels.tif", (12.0, 45.0)),
    ("neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t70.tif",
     "neubias/image_data_batch_process_xy_8bit__mitocheck_incenp_t70_labels.tif", (18.0, 80.0)),
)  # fmt: skip


def line(image: np.ndarray, truth: np.ndarray, settings: FluorescenceSettings) -> str:
    hits = matched(identify(image, settings).labels, truth).hits
    return f"F1 {scores(hits).dice:.3f}  ({hits.true} of {hits.true + hits.missed} found, {hits.false} false)"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    thesis = FluorescenceSettings(smoothing=0, declumping=Declumping(by="intensity", neck=1.0))
    usual = FluorescenceSettings.for_nuclei(5, 30)
    for picture, mask, fitting in PAIRS:
        image = read(data / picture).pixels
        truth = relabelled(read(data / mask).pixels.astype(np.int32))
        sizes = np.percentile(2 * np.sqrt(areas(truth) / np.pi), [0, 50, 100])
        print(
            f"{Path(picture).name}: {truth.max()} nuclei of {sizes[0]:.0f} to {sizes[2]:.0f} pixels, median {sizes[1]:.0f}"
        )
        print(f"  as CellProfiler   {line(image, truth, thesis)}")
        print(f"  livecell label    {line(image, truth, usual)}")
        if fitting:
            own = FluorescenceSettings.for_nuclei(*fitting)
            print(f"  --diameter {fitting[0]:g} {fitting[1]:g}  {line(image, truth, own)}")


if __name__ == "__main__":
    main()
