"""Several runs together: counts at known doses for a curve, and the dose of one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cytally.dosimetry.curves.calibrate import DICENTRICS, Curve, DosePoint
from cytally.dosimetry.curves.checks import counts_kind
from cytally.dosimetry.estimation.dose import PLAIN, Dose, DoseSettings, dose_of_counts
from cytally.dosimetry.laboratory.columns import COUNTS, check_kind, kind_in
from cytally.dosimetry.laboratory.tables import check_doses, read_counts
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.disagreement import Sampled, read_sampled
from cytally.errors import CountsError
from cytally.files.tables.numbers import real
from cytally.files.tables.table import read_table
from cytally.types import Counts

if TYPE_CHECKING:
    from cytally.dosimetry.scoring.run import RunSettings


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
    from cytally.dosimetry.scoring import run

    counted: dict[float, list[int]] = {}
    detectors, seen = set(), dict[str, str]()
    for folder in sources:
        if not (folder / run.CELLS).is_file() or not (folder / "run.json").is_file():
            raise CountsError(f"{folder}: expected a finished run folder (with cells.csv), or a single table of counts")
        detectors.add(run.read_settings(folder).detector)
        for cell, gray in _cells(folder):
            for digest in filter(None, (cell.sha256, cell.picture)):  # of the file, and of what it shows
                where = seen.setdefault(digest, f"{cell.image} of {folder}")
                if where != f"{cell.image} of {folder}":
                    raise CountsError(
                        f"{cell.image} of {folder} is the same image as {where}; a cell counts once: leave one of them out"
                    )
            counted.setdefault(gray, []).append(cell.detections.count("dicentric"))
    if len(detectors) > 1:
        raise CountsError(f"runs were scored by {len(detectors)} different detectors; score them all with one")
    points = [_point(gray, counted[gray]) for gray in sorted(counted)]
    check_doses(points, ", ".join(map(str, sources)), unit, typed=False)
    return points, detectors.pop()


def counted_in(sources: Sequence[Path], stated: str | None = None) -> str:
    """What the counts for a curve are counts of: as stated, as the heading of a table says, or dicentrics.

    Parameters
    ----------
    sources : sequence of Path
        One table, or run folders; runs count dicentrics.
    stated : str, optional
        By the person who asks.

    Raises
    ------
    FileError, CountsError
        Not a table; or the sources say something else than was stated.
    """
    if len(sources) == 1 and not sources[0].is_dir():
        table = read_table(sources[0], COUNTS)
        if stated is not None:
            check_kind(table, stated, "--aberration")
        return stated or kind_in(table) or DICENTRICS
    if stated is not None and not counts_kind(stated, DICENTRICS):
        raise CountsError(
            f"runs count {DICENTRICS}, and --aberration says {stated}; leave it out, or give a table of these"
        )
    return DICENTRICS


def _point(gray: float, per_cell: list[int]) -> DosePoint:
    counts = tuple(np.bincount(per_cell).tolist())
    return DosePoint(gray, len(per_cell), sum(per_cell), distribution=counts)


def _cells(folder: Path) -> Iterator[tuple[ScoredCell, float]]:
    """Scored cells of a run with their doses in Gy."""
    from cytally.dosimetry.scoring import run

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


@dataclass(frozen=True)
class FinishedRun:
    """A run as it lies in its folder.

    Attributes
    ----------
    folder : Path
    settings : RunSettings
    cells : tuple of ScoredCell
    counts : Counts
    sampled : Sampled or None
        Counts of the same cells by sampled ensembles, where the run has them.
    """

    folder: Path
    settings: RunSettings
    cells: tuple[ScoredCell, ...]
    counts: Counts
    sampled: Sampled | None = None

    @staticmethod
    def read(folder: Path) -> FinishedRun:
        """Read a run.

        Raises
        ------
        FileError, RunError, CountsError
            No finished run, or a sampled.csv of other cells.
        """
        from cytally.dosimetry.scoring import run

        settings, cells = run.read_settings(folder), tuple(run.read_run(folder))
        counts = run.counts_of(cells, settings.classes, settings.detector)
        return FinishedRun(folder, settings, cells, counts, read_sampled(folder, cells))

    def dose(self, curve: Curve, settings: DoseSettings = PLAIN) -> Dose:
        """The dose that every command and page gives of this run; errors as of `dose_of_counts`.

        Where the same cells were counted by sampled ensembles too, their disagreement is carried.
        """
        return dose_of_counts(self.counts, curve, self.carrying(settings))

    def carrying(self, settings: DoseSettings) -> DoseSettings:
        """Settings with the disagreement of this run's sampled ensembles."""
        return replace(settings, disagreement=self.sampled.disagreement if self.sampled is not None else 0.0)


def dose_of_run(folder: Path, curve: Curve, settings: DoseSettings = PLAIN) -> Dose:
    """Dose of a finished run; its page is written again with the dose on top.

    Parameters
    ----------
    folder : Path
    curve : Curve
    settings : DoseSettings
        As of `dose_of_counts`, whose errors are raised.
    """
    from cytally.dosimetry.reporting.run_page import write_report
    from cytally.dosimetry.scoring.run import images_of

    run = FinishedRun.read(folder)
    found = run.dose(curve, settings)
    write_report(run, images_of(folder, run.cells), curve=curve, dose=found, settings=settings)
    return found
