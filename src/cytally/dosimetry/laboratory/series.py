"""Several runs together: counts at known doses for a curve, and the dose of one run."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytally.dosimetry.calibrate import Curve, DosePoint
from cytally.dosimetry.dose import ACUTE, DEFAULT, PLAIN, Asked, Dose, Exposed, Note, dose
from cytally.dosimetry.laboratory.disagreement import read_sampled
from cytally.dosimetry.laboratory.tables import read_counts
from cytally.errors import CountsError
from cytally.statistics.detector import DetectorErrors
from cytally.types import Counts


def points_of(sources: Sequence[Path]) -> tuple[list[DosePoint], str]:
    """Counts per dose from one CSV file or from run folders, and the detector they share.

    Raises
    ------
    CountsError
        A file among folders, doses unknown, or runs of different detectors.
    """
    if len(sources) == 1 and not sources[0].is_dir():
        return read_counts(sources[0]), ""
    counted: dict[float, list[int]] = {}
    detectors = set()
    for folder in sources:
        if not (folder / "cells.csv").is_file() or not (folder / "run.json").is_file():
            raise CountsError(
                f"{folder}: expected a finished run folder (with cells.csv), or a single CSV file of counts"
            )
        detectors.add(json.loads((folder / "run.json").read_text())["settings"]["detector"])
        for gray, per_cell in _dicentrics_per_cell(folder / "cells.csv").items():
            counted.setdefault(gray, []).extend(per_cell)
    if len(detectors) > 1:
        raise CountsError(
            f"runs were scored by {len(detectors)} different detectors; score them all with one"
        )
    return [_point(gray, counted[gray]) for gray in sorted(counted)], detectors.pop()


def _point(gray: float, per_cell: list[int]) -> DosePoint:
    counts = tuple(np.bincount(per_cell).tolist())
    return DosePoint(gray, len(per_cell), sum(per_cell), distribution=counts)


def _dicentrics_per_cell(table: Path) -> dict[float, list[int]]:
    """Dicentrics of every scored cell, by dose."""
    found: dict[float, list[int]] = {}
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["status"] != "scored":
                continue
            try:
                gray = float(row["dose_gy"])
            except ValueError:
                raise CountsError(
                    f"{table}: dose of {row['image']} is not known; expected a cells.csv with image,sample,dose_gy "
                    "beside the images when they were scored"
                ) from None
            found.setdefault(gray, []).append(int(row["dicentrics"]))
    return found


def dose_of_counts(
    counts: Counts, folder: Path, curve: Curve, *, method: str = DEFAULT, any_detector: bool = False,
    exposed: Exposed = ACUTE, errors: DetectorErrors | None = None, asked: Asked = PLAIN,
) -> Dose:  # fmt: skip
    """Dose of a run's counts, the one that every command and page gives of this run.

    Where the same cells were counted by sampled ensembles too (sampled.csv in the folder), their
    disagreement is carried; where that table counts other cells, it is not, and a note says so.

    Parameters
    ----------
    counts : Counts
    folder : Path
        Of the run.
    curve, method, any_detector, exposed, errors, asked
        As of `dose`, whose errors are raised.
    """
    drawn = read_sampled(folder)
    same = drawn is not None and sorted(drawn.images) == sorted(counts.images)
    found = dose(
        counts, curve, method=method, any_detector=any_detector, exposed=exposed, errors=errors,
        disagreement=drawn.disagreement if drawn is not None and same else 0.0, asked=asked,
    )  # fmt: skip
    if drawn is not None and not same:
        return replace(found, notes=(*found.notes, Note("members stale")))
    return found


def dose_of_run(
    folder: Path, curve: Curve, *, method: str = DEFAULT, any_detector: bool = False,
    exposed: Exposed = ACUTE, errors: DetectorErrors | None = None, asked: Asked = PLAIN,
) -> Dose:  # fmt: skip
    """Dose of a finished run; its page is written again with the dose on top.

    Parameters
    ----------
    folder : Path
    curve, method, any_detector, exposed, errors, asked
        As of `dose_of_counts`.
    """
    from cytally.dosimetry import run
    from cytally.dosimetry.report import write_report
    from cytally.errors import ImageError
    from cytally.runs.inputs import name_images

    settings, cells = run.read_settings(folder), run.read_run(folder)
    counts = run.counts_of(cells, settings.classes, settings.detector)
    found = dose_of_counts(
        counts, folder, curve, method=method, any_detector=any_detector, exposed=exposed, errors=errors,
        asked=asked,
    )  # fmt: skip
    try:
        paths = name_images(settings.inputs)
    except ImageError:  # images have moved: the gallery stays empty
        paths = {}
    write_report(
        folder, cells, counts, settings, paths, curve=curve, dose=found, exposed=exposed, errors=errors
    )
    return found
