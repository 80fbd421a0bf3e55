"""Where the members of an ensemble do not know: a picture of every scored cell with the entropy of their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.detection.entropy import heatmap_entropy
from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.protocol import Detector, Heatmaps
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.errors import ImageError, SettingsError
from cytally.figures.overlays import tinted
from cytally.files.atomic import write_bytes
from cytally.files.names import fitting
from cytally.files.tables.csv import csv_bytes
from cytally.images.read import read
from cytally.images.write import encode
from cytally.progress import Progress, silent
from cytally.types import FloatArray, Image

FOLDER, TABLE = "entropy", "entropy.csv"


@dataclass(frozen=True)
class Unsure:
    """How little is known of one cell.

    Attributes
    ----------
    image : str
    bits : tuple of float
        Sum of the entropy over the heatmap, one per class.
    picture : Path
        In the run's folder.
    """

    image: str
    bits: tuple[float, ...]
    picture: Path


def check_maps(detector: Detector) -> Heatmaps:
    """The detector, which must have heatmaps.

    Raises
    ------
    SettingsError
        It has none.
    """
    if not isinstance(detector, Heatmaps):
        raise SettingsError(
            f"{detector.name}: has no heatmaps, so it has no entropy of their mean; leave --entropy out"
        )
    return detector


def draw_entropy(
    folder: Path,
    cells: Sequence[ScoredCell],
    paths: Mapping[str, Path],
    detector: Detector,
    progress: Progress = silent,
) -> list[Unsure]:
    """Write RUN/entropy/NAME.png for every scored cell, and RUN/entropy.csv; the least certain first.

    Parameters
    ----------
    folder : Path
        The run.
    cells : sequence of ScoredCell
    paths : mapping of str to Path
        Where each image lies.
    detector : Detector
        With heatmaps.
    progress : callable

    Raises
    ------
    SettingsError
        As `check_maps`.
    """
    knowing, found = check_maps(detector), []
    scored = [cell for cell in cells if cell.scored]
    for number, cell in enumerate(scored, start=1):
        target = folder / FOLDER / fitting(cell.image, ".png")
        try:
            image = read(paths[cell.image])
            bits = _draw(target, image, normalise(image), knowing)
        except ImageError:  # it could be read when it was scored
            continue
        found.append(Unsure(cell.image, bits, target))
        progress("drawing entropy", number, len(scored))
    found.sort(key=lambda each: (-sum(each.bits), each.image))
    rows = [[each.image, *(f"{bits:.3f}" for bits in each.bits)] for each in found]
    write_bytes(folder / TABLE, csv_bytes([["image", *(f"{name}_bits" for name in detector.classes)], *rows]))
    return found


def _draw(target: Path, image: Image, density: Density, knowing: Heatmaps) -> tuple[float, ...]:
    entropy = heatmap_entropy(knowing.heatmaps(density))
    seen = at_image(entropy.max(axis=0), density, knowing.stride, image.shape)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, encode(tinted(image, seen)[..., ::-1], ".png"), durable=False)
    return tuple(float(each.sum()) for each in entropy)


def at_image(coarse: FloatArray, density: Density, stride: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """A map of the heatmap's grid at every pixel of the image (linear between places).

    Place (i, j) of the map lies at ((i + 1/2) stride - 1/2, ...) of the normalised cell.
    """
    import cv2

    rows, cols = ((((np.arange(size) + 0.5) * density.scale) / stride - 0.5).astype(np.float32) for size in shape)
    grid = np.meshgrid(cols, rows)
    return np.asarray(cv2.remap(coarse.astype(np.float32), *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
