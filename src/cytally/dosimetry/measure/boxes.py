"""A detector on real cells with a few boxes: a hit is a detection inside its box."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.scoring.score import detect_image
from cytally.errors import FileError, ImageError, LabelError
from cytally.evaluation.matching import Hits, match_boxes
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.images.read import read
from cytally.labels.boxes import read_yolo
from cytally.progress import Progress
from cytally.statistics.poisson import garwood
from cytally.types import Skipped
from cytally.wording import counted


@dataclass
class Boxed:
    """Hits by class over all images that could be used."""

    hits: dict[str, Hits] = field(default_factory=dict)
    images: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def evaluate_boxes(paths: Sequence[Path], names: Sequence[str], detector: Detector, progress: Progress) -> Boxed:
    """Measure a detector on images with boxes beside them.

    Parameters
    ----------
    paths : sequence of Path
        Images; NAME.txt beside each holds its boxes.
    names : sequence of str
        Class names in the order of their numbers; those that the detector does not
        know (such as normal chromosomes) are not counted.
    detector : Detector
    progress : callable

    Raises
    ------
    LabelError
        None of the names is a class of the detector.
    """
    known = [name for name in detector.classes if name in names]
    if not known:
        raise LabelError(
            f"expected a class of the detector ({', '.join(detector.classes)}) among --boxes, got {', '.join(names)}"
        )
    result = Boxed({name: Hits() for name in known})
    for number, path in enumerate(paths, start=1):
        try:
            image = read(path)
            boxes = read_yolo(path.with_suffix(".txt"), names, image.shape)
            found = detect_image(image, detector)
        except (FileError, ImageError, LabelError) as error:
            result.skipped.append(Skipped(shown(path.name), shown(error.beside(shown(path)))))
            continue
        finally:
            progress("evaluating", number, len(paths))
        result.images += 1
        for name in known:
            keep = np.array([each == name for each in found.names], dtype=bool)
            places = np.stack([found.row[keep], found.col[keep]], axis=1)
            result.hits[name] += match_boxes(boxes.of(name).holding(places))
    return result


def sentences(result: Boxed) -> list[str]:
    """What was measured, for people."""
    lines = [f"{counted(result.images, 'images')}"]
    for name, hits in result.hits.items():
        limits = garwood(hits.false)
        cells = max(result.images, 1)
        lines.append(
            f"{name}: {hits.true} of {hits.true + hits.missed} boxes hit, {hits.false} false "
            f"({hits.false / cells:.3f} per image, {limits.lower / cells:.3f} to {limits.upper / cells:.3f}, 95 %)"
        )
    return lines


def write_boxed(result: Boxed, folder: Path, detector: Detector) -> dict[str, object]:
    """Write boxes.json."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "ensemble": detector.name,
        "detector": detector.identity,
        "images": result.images,
        "classes": {name: vars(hits) for name, hits in result.hits.items()},
        "skipped": [vars(one) for one in result.skipped],
    }
    write_bytes(folder / "boxes.json", (json.dumps(figures, indent=1) + "\n").encode())
    return figures
