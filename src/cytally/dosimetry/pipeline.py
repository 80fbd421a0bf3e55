"""The main job as one function: images in, counts (and a dose) out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cytally import __version__
from cytally.dosimetry import run
from cytally.dosimetry.calibrate import Curve
from cytally.dosimetry.cells import ScoredCell
from cytally.dosimetry.dose import Dose, dose
from cytally.dosimetry.laboratory.disagreement import Sampled
from cytally.dosimetry.sampled import sample_run
from cytally.dosimetry.workers import scored
from cytally.figures.overlays import overlay
from cytally.images.read import read
from cytally.images.write import encode, write_bytes
from cytally.inference.ensemble import Ensemble
from cytally.runs.folder import locked, open_journal
from cytally.runs.inputs import hash_of, name_images
from cytally.types import Counts

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """Counts of a run, the dose where a curve was given, and counts by sampled ensembles where asked for."""

    counts: Counts
    dose: Dose | None
    sampled: Sampled | None = None


def score_folder(
    inputs: Sequence[str | Path], folder: Path, ensemble: Ensemble, *, curve: Curve | None = None,
    pictures: bool = False, sampled: int = 0, jobs: int = 0, report: Report = lambda stage, done, total: None,
) -> Outcome:  # fmt: skip
    """Score metaphase images into a run folder.

    Parameters
    ----------
    inputs : sequence of str or Path
        Folders, files or globs.
    folder : Path
        The run; an earlier call under the same settings is continued.
    ensemble : Ensemble
        With the thresholds to use.
    curve : Curve, optional
        Adds the dose to the report.
    pictures : bool
        Also write a picture of every cell with its detections.
    sampled : int
        Count again by so many ensembles drawn from the members (sampled.csv); their disagreement
        widens the limits of the dose.
    jobs : int
        Processes that score, one thread each; 0 takes one for each core where there is enough to
        do. The result does not depend on it.
    report : callable
        Told (stage, done, total).

    Raises
    ------
    ImageError, RunError, CountsError
        No images; a folder with another run; counts and curve that do not match.
    """
    paths = name_images(inputs)
    settings = settings_of(ensemble, inputs)
    with locked(folder):
        now = datetime.now(UTC).isoformat(timespec="seconds")
        done = run.open_run(folder, settings, __version__, now)
        run.record_runtime(folder, ensemble.runtime)
        new = {n: path for n, path in paths.items() if n not in done or done[n].sha256 != hash_of(path)}
        with open_journal(folder) as journal:
            for position, cell in enumerate(scored(new, ensemble, jobs), start=len(paths) - len(new) + 1):
                done[cell.image] = cell
                run.record(journal, cell)
                report("scoring", position, len(paths))
        if pictures:
            for name, path in paths.items():
                draw_picture(folder, path, done[name])
        cells = [done[name] for name in paths]
        run.write_tables(folder, cells, settings.classes, known_cells(inputs, paths))
        counts = run.counts_of(cells, settings.classes, settings.detector)
        drawn = None
        if sampled:
            counted = {name: path for name, path in paths.items() if done[name].scored}
            drawn = sample_run(counted, folder, ensemble, sampled, report)
        apart = drawn.disagreement if drawn is not None else 0.0
        found = dose(counts, curve, disagreement=apart) if curve is not None and counts.cells else None
        from cytally.dosimetry.report import write_report  # figures take long to import

        write_report(folder, cells, counts, settings, paths, curve=curve, dose=found)
    return Outcome(counts, found, drawn)


def score(images: str | Path, ensemble: Ensemble) -> Counts:
    """Count aberrations in a folder without leaving anything on disk (for notebooks).

    Parameters
    ----------
    images : str or Path
        Folder, file or glob.
    ensemble : Ensemble
    """
    settings = settings_of(ensemble, [images])
    cells = list(scored(name_images([images]), ensemble, jobs=1))
    return run.counts_of(cells, settings.classes, settings.detector)


def settings_of(ensemble: Ensemble, inputs: Sequence[str | Path]) -> run.RunSettings:
    """What must not change between two calls into the same folder."""
    thresholds = ensemble.card.thresholds
    strict = thresholds.co_occurrence
    return run.RunSettings(
        ensemble=ensemble.card.name, detector=ensemble.card.identity, classes=ensemble.classes,
        confidence=tuple(tuple(row) for row in thresholds.confidence),
        agreement=tuple(thresholds.agreement), co_occurrence=thresholds.co_occurrence,
        inputs=tuple(Path(given).as_posix() for given in inputs),
        reading=tuple((strict and thresholds.alone) or thresholds.reading or ()),
        accompanied=tuple(thresholds.accompanied or ()) if not strict else (),
    )  # fmt: skip


def known_cells(inputs: Sequence[str | Path], paths: dict[str, Path]) -> dict[str, dict[str, str]]:
    """Rows of the inputs' own cells.csv, under the names of this run."""
    by_path: dict[Path, dict[str, str]] = {}
    for given in inputs:
        table = Path(given) / "cells.csv"
        if Path(given).is_dir() and table.is_file():
            with table.open(newline="") as file:
                for row in csv.DictReader(file):
                    if row.get("image"):
                        by_path[(Path(given) / row["image"]).resolve()] = row
    return {name: by_path[path.resolve()] for name, path in paths.items() if path.resolve() in by_path}


def draw_picture(folder: Path, path: Path, cell: ScoredCell) -> None:
    """Write the cell with its detections, unless it is there or cannot be read."""
    target = folder / "pictures" / f"{cell.image}.png"
    if target.exists() or not cell.scored:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = overlay(read(path), cell.detections, radius=26.0 / cell.scale)
    write_bytes(target, encode(picture[..., ::-1], ".png"))
