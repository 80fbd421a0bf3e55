"""Several runs together: counts at known doses for a curve, and the dose of one run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from cytally.dosimetry.calibrate import Curve, DosePoint
from cytally.dosimetry.dose import ACUTE, DEFAULT, Dose, Exposed, dose
from cytally.dosimetry.laboratory.columns import RUN_CELLS
from cytally.dosimetry.laboratory.tables import check_doses, read_counts
from cytally.errors import CountsError
from cytally.files.tables import read_table
from cytally.statistics.detector import DetectorErrors


def points_of(sources: Sequence[Path], unit: str | None = None) -> tuple[list[DosePoint], str]:
    """Counts per dose from one table or from run folders, and the detector they share.

    Parameters
    ----------
    sources : sequence of Path
    unit : {"gy", "cgy", "mgy"}, optional
        Of the doses of a table, as in `read_counts`; those of runs are in Gy.

    Raises
    ------
    CountsError
        A file among folders, doses unknown, or runs of different detectors.
    """
    if len(sources) == 1 and not sources[0].is_dir():
        return read_counts(sources[0], unit), ""
    if unit not in (None, "gy"):
        raise CountsError(f"doses of runs are in Gy, as their cells.csv says; got the unit {unit}")
    totals: dict[float, tuple[int, int]] = {}
    detectors = set()
    for folder in sources:
        if not (folder / "cells.csv").is_file() or not (folder / "run.json").is_file():
            raise CountsError(
                f"{folder}: expected a finished run folder (with cells.csv), or a single table of counts"
            )
        detectors.add(json.loads((folder / "run.json").read_text())["settings"]["detector"])
        for point in _points(folder / "cells.csv"):
            cells, dicentrics = totals.get(point.dose_gy, (0, 0))
            totals[point.dose_gy] = (cells + point.cells, dicentrics + point.dicentrics)
    if len(detectors) > 1:
        raise CountsError(
            f"runs were scored by {len(detectors)} different detectors; score them all with one"
        )
    points = [DosePoint(d, *totals[d]) for d in sorted(totals)]
    check_doses(points, ", ".join(map(str, sources)), unit)
    return points, detectors.pop()


def _points(path: Path) -> list[DosePoint]:
    """Cells and dicentrics of a run by dose, out of its own cells.csv."""
    found: dict[float, tuple[int, int]] = {}
    for row in read_table(path, RUN_CELLS).rows:
        status = row.text("status")
        if status != "scored":
            if not status.startswith("skipped"):
                raise row.wrong(f"expected a status 'scored' or 'skipped: ...', got {status[:60]!r}")
            continue
        if not row.has("dose_gy"):
            raise CountsError(
                f"{path}: dose of {row.text('image')} is not known; expected a cells.csv with image,sample,dose_gy "
                "beside the images when they were scored"
            )
        gray = row.number("dose_gy", lowest=0.0)
        cells, dicentrics = found.get(gray, (0, 0))
        found[gray] = (cells + 1, dicentrics + row.whole("dicentrics"))
    return [DosePoint(gray, *totals) for gray, totals in found.items()]


def dose_of_run(
    folder: Path,
    curve: Curve,
    *,
    method: str = DEFAULT,
    any_detector: bool = False, exposed: Exposed = ACUTE,
    errors: DetectorErrors | None = None,
) -> Dose:  # fmt: skip
    """Dose of a finished run; its report is written again with the dose on top.

    Where the run was counted by sampled ensembles too, their disagreement is carried.
    """
    from cytally.dosimetry import run
    from cytally.dosimetry.laboratory.disagreement import read_sampled
    from cytally.dosimetry.report import write_report
    from cytally.errors import ImageError
    from cytally.runs.inputs import name_images

    settings, cells = run.read_settings(folder), run.read_run(folder)
    counts = run.counts_of(cells, settings.classes, settings.detector)
    drawn = read_sampled(folder)
    found = dose(
        counts, curve, method=method, any_detector=any_detector, exposed=exposed, errors=errors,
        disagreement=drawn.disagreement if drawn else 0.0,
    )  # fmt: skip
    try:
        paths = name_images(settings.inputs)
    except ImageError:  # images have moved: the gallery stays empty
        paths = {}
    write_report(folder, cells, counts, settings, paths, curve=curve, dose=found)
    return found
