"""The main job as one function: images in, counts (and a dose) out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cytally import __version__
from cytally.dosimetry.curves.calibrate import Curve
from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.estimation.dose import Dose, check_belongs
from cytally.dosimetry.laboratory.series import FinishedRun
from cytally.dosimetry.scoring import run
from cytally.dosimetry.scoring.cells import ScoredCell, line_of, without_repeats
from cytally.dosimetry.scoring.disagreement import Sampled, forget_sampled, read_sampled
from cytally.dosimetry.scoring.entropy_maps import check_maps, draw_entropy, forget_entropy
from cytally.dosimetry.scoring.pictures import draw_pictures, forget_pictures
from cytally.dosimetry.scoring.resampling import sample_run
from cytally.dosimetry.scoring.workers import scored
from cytally.files.hashes import hash_of
from cytally.files.journal import open_journal
from cytally.files.runs import JOURNAL, locked, note_more
from cytally.images.inputs import copies, name_images, resolved
from cytally.labels.known import known_cells
from cytally.progress import Progress, silent
from cytally.types import Counts, Detections, Skipped
from cytally.wording import counted


@dataclass(frozen=True)
class Outcome:
    """What a call gives.

    Attributes
    ----------
    counts : Counts
    dose : Dose or None
        Where a curve was given and a cell was scored.
    sampled : Sampled or None
        Counts by sampled ensembles, where the run has them.
    notes : tuple of str
        What the user should know of how it came about, such as lines of a cells.csv that name
        no image given, images that left the run, and what was converted or not believed in images.
    """

    counts: Counts
    dose: Dose | None
    sampled: Sampled | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Extras:
    """What a run gets beside its counts; see `score_folder`."""

    pictures: bool
    entropy: bool
    sampled: int

    def forget(self, folder: Path, cells: Sequence[ScoredCell]) -> tuple[str, ...]:
        """Remove what was made of other images than these; said where it is not made anew."""
        notes = []
        gone = forget_pictures(folder, cells)
        if gone and not self.pictures:
            notes.append(f"pictures of images that changed were removed ({_some(gone, 5)}); --pictures draws them anew")
        if forget_entropy(folder, cells) and not self.entropy:
            notes.append("pictures of entropy of images that changed were removed; --entropy draws them anew")
        if not self.sampled and forget_sampled(folder, cells):
            notes.append("sampled.csv counted other images and was removed; --sampled counts anew")
        return tuple(notes)

    def make(
        self,
        folder: Path,
        cells: Sequence[ScoredCell],
        paths: Mapping[str, Path],
        detector: Detector,
        progress: Progress,
    ) -> None:
        """Make what was asked for."""
        if self.pictures:
            draw_pictures(folder, cells, paths, progress)
        if self.entropy:
            draw_entropy(folder, cells, paths, detector, progress)
        if self.sampled:
            note_more(folder, runtime=detector.runtime)
            sample_run(cells, paths, folder, detector, self.sampled, progress)


def score_folder(
    inputs: Sequence[str | Path],
    folder: Path,
    detector: Detector,
    *,
    curve: Curve | None = None,
    pictures: bool = False,
    entropy: bool = False,
    sampled: int = 0,
    jobs: int = 0,
    progress: Progress = silent,
) -> Outcome:
    """Score metaphase images into a run folder.

    Parameters
    ----------
    inputs : sequence of str or Path
        Folders, files or globs.
    folder : Path
        The run; an earlier call under the same settings is continued.
    detector : Detector
        With the thresholds to use.
    curve : Curve, optional
        Adds the dose to the report.
    pictures : bool
        Also write a picture of every cell with its detections.
    entropy : bool
        Also write a picture of every cell with the entropy of the members' mean, the least certain into the report.
    sampled : int
        Count again by so many ensembles drawn from the members (sampled.csv); their disagreement
        widens the limits of the dose.
    jobs : int
        Processes that score, one thread each; 0 takes one for each core where there is enough to
        do. The result does not depend on it.
    progress : callable

    Raises
    ------
    ImageError, RunError, CountsError, FileError, LabelError
        No images; a folder with another run; a curve that does not belong to this detector; a
        cells.csv beside the images that cannot be read or makes no sense. All before anything is scored.
    """
    paths = name_images(inputs)
    settings, extras = settings_of(detector, inputs), _Extras(pictures, entropy, sampled)
    if curve is not None:
        check_belongs(curve, settings.detector)
    if entropy:
        check_maps(detector)
    known = known_cells(inputs, paths)
    with locked(folder):
        hashes = {name: hash_of(path) for name, path in paths.items()}
        done = _twins(hashes, detector)
        planned = {name: digest for name, digest in hashes.items() if name not in done}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        earlier = run.open_run(folder, settings, __version__, now, planned)
        done |= {name: earlier.cells[name, d] for name, d in planned.items() if d and (name, d) in earlier.cells}
        new = {name: paths[name] for name in planned if name not in done}
        done |= _scored(folder, new, detector, jobs, len(planned), progress)
        run.write_tables(folder, without_repeats([done[name] for name in paths]), settings.classes, known.rows)
        cells = run.read_run(folder)
        gone = extras.forget(folder, cells)
        extras.make(folder, cells, paths, detector, progress)
        counts = run.counts_of(cells, settings.classes, settings.detector)
        finished = FinishedRun(folder, settings, tuple(cells), counts, read_sampled(folder, cells))
        found = finished.dose(curve) if curve is not None and counts.cells else None
        from cytally.dosimetry.reporting.run_page import write_report  # figures take long to import

        write_report(finished, paths, curve=curve, dose=found)
    return Outcome(counts, found, finished.sampled, (*known.notes, *_notes(earlier, paths), *gone, *of_images(cells)))


def _scored(
    folder: Path, new: Mapping[str, Path], detector: Detector, jobs: int, total: int, progress: Progress
) -> dict[str, ScoredCell]:
    """Score images, each into the journal as soon as it is done."""
    done = {}
    if new:
        note_more(folder, runtime=detector.runtime)
    with open_journal(folder / JOURNAL, run.reading(detector.classes)) as journal:
        for position, cell in enumerate(scored(new, detector, jobs), start=total - len(new) + 1):
            done[cell.image] = cell
            journal.append(line_of(cell, detector.runtime))
            progress("scoring", position, total)
    return done


def _notes(earlier: run.Known, paths: Mapping[str, Path]) -> tuple[str, ...]:
    """What became of earlier calls: lines lost, images that are no longer given."""
    notes = []
    if earlier.damaged:
        lines = _some([str(line) for line in earlier.damaged], 10)
        notes.append(f"{JOURNAL}: damaged in line {lines}; what was lost there was scored again")
    gone = [name for name in earlier.images if name not in paths]
    if gone:
        verb = "is" if len(gone) == 1 else "are"
        notes.append(
            f"{counted(len(gone), 'images')} that the run had {verb} not among those given and left it: {_some(gone, 5)}"
        )
    return tuple(notes)


def of_images(cells: Sequence[ScoredCell]) -> tuple[str, ...]:
    """Notes on images, each once with the images that it is about."""
    about: dict[str, list[str]] = {}
    for cell in cells:
        for words in cell.notes:
            about.setdefault(words, []).append(cell.image)
    return tuple(f"{_some(names, 3)}: {words}" for words, names in about.items())


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _twins(hashes: Mapping[str, str], detector: Detector) -> dict[str, ScoredCell]:
    """What becomes of images that are the same bytes as another: a cell is counted once."""
    nothing = Detections.empty(detector.voters)
    return {
        name: ScoredCell(name, nothing, sha256=hashes[name], skipped=Skipped(name, f"identical to {original}"))
        for name, original in copies(hashes).items()
    }


def score(images: str | Path, detector: Detector) -> Counts:
    """Count aberrations in a folder without leaving anything on disk (for notebooks).

    Parameters
    ----------
    images : str or Path
        Folder, file or glob.
    detector : Detector
    """
    settings = settings_of(detector, [images])
    paths = name_images([images])
    done = _twins({name: hash_of(path) for name, path in paths.items()}, detector)
    new = {name: path for name, path in paths.items() if name not in done}
    done |= {cell.image: cell for cell in scored(new, detector, jobs=1)}
    cells = without_repeats([done[name] for name in paths])
    return run.counts_of(cells, settings.classes, settings.detector)


def settings_of(detector: Detector, inputs: Sequence[str | Path]) -> run.RunSettings:
    """What must not change between two calls into the same folder."""
    return run.RunSettings(
        ensemble=detector.name,
        detector=detector.identity,
        classes=detector.classes,
        inputs=resolved(inputs),
        **vars(detector.decision),
    )
