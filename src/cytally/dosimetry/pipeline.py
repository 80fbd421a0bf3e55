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
from cytally.dosimetry.dose import Dose
from cytally.dosimetry.laboratory.disagreement import Sampled
from cytally.dosimetry.laboratory.series import dose_of_counts
from cytally.dosimetry.report import write_report
from cytally.dosimetry.sampled import sample_run
from cytally.dosimetry.score import score_file
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
    pictures: bool = False, sampled: int = 0, report: Report = lambda stage, done, total: None,
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
        with open_journal(folder) as journal:
            for position, (name, path) in enumerate(paths.items(), start=1):
                if name not in done or done[name].sha256 != hash_of(path):
                    done[name] = score_file(path, name, ensemble)
                    run.record(journal, done[name])
                if pictures:
                    draw_picture(folder, path, done[name])
                report("scoring", position, len(paths))
        cells = [done[name] for name in paths]
        run.write_tables(folder, cells, settings.classes, known_cells(inputs, paths))
        counts = run.counts_of(cells, settings.classes, settings.detector)
        drawn = None
        if sampled:
            scored = {name: path for name, path in paths.items() if done[name].scored}
            drawn = sample_run(scored, folder, ensemble, sampled, report)
        found = dose_of_counts(counts, folder, curve) if curve is not None and counts.cells else None
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
    cells = [score_file(path, name, ensemble) for name, path in name_images([images]).items()]
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
