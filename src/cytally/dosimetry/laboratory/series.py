"""Several runs together: counts at known doses for a curve, and the dose of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cytally.dosimetry.calibrate import Curve, DosePoint
from cytally.dosimetry.cells import ScoredCell
from cytally.dosimetry.dose import ACUTE, DEFAULT, Dose, Exposed, dose
from cytally.dosimetry.laboratory.tables import check_doses, read_counts
from cytally.errors import CountsError
from cytally.files.numbers import real
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
    from cytally.dosimetry import run

    totals: dict[float, tuple[int, int]] = {}
    detectors, seen = set(), dict[str, str]()
    for folder in sources:
        if not (folder / run.CELLS).is_file() or not (folder / "run.json").is_file():
            raise CountsError(
                f"{folder}: expected a finished run folder (with cells.csv), or a single table of counts"
            )
        detectors.add(run.read_settings(folder).detector)
        for cell, gray in _cells(folder):
            where = seen.setdefault(cell.sha256, f"{cell.image} of {folder}")
            if where != f"{cell.image} of {folder}":
                raise CountsError(
                    f"{cell.image} of {folder} is the same image as {where}; a cell counts once: leave one of them out"
                )
            cells, dicentrics = totals.get(gray, (0, 0))
            totals[gray] = (cells + 1, dicentrics + cell.detections.count("dicentric"))
    if len(detectors) > 1:
        raise CountsError(
            f"runs were scored by {len(detectors)} different detectors; score them all with one"
        )
    points = [DosePoint(d, *totals[d]) for d in sorted(totals)]
    check_doses(points, ", ".join(map(str, sources)), unit)
    return points, detectors.pop()


def _cells(folder: Path) -> Iterator[tuple[ScoredCell, float]]:
    """Scored cells of a run with their doses in Gy."""
    from cytally.dosimetry import run

    for cell, row in zip(run.read_run(folder), run.read_cells_table(folder), strict=True):
        if not cell.scored:
            continue
        try:
            yield cell, real(row["dose_gy"])
        except (KeyError, ValueError):
            raise CountsError(
                f"{folder / run.CELLS}: dose of {cell.image} is not known; expected a cells.csv with image,sample,dose_gy "
                "beside the images when they were scored"
            ) from None


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

    settings, cells = run.read_settings(folder), run.read_run(folder)
    counts = run.counts_of(cells, settings.classes, settings.detector)
    drawn = read_sampled(folder, cells)
    found = dose(
        counts, curve, method=method, any_detector=any_detector, exposed=exposed, errors=errors,
        disagreement=drawn.disagreement if drawn else 0.0,
    )  # fmt: skip
    write_report(folder, cells, counts, settings, run.images_of(folder, cells), curve=curve, dose=found)
    return found
