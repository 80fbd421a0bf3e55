"""How far the count depends on which members happened to be drawn: the same images by many ensembles.

The preprint draws ensembles of 10 out of 50 checkpoints and shows the 5-95 % band over 100 of
them (section 2.3). An ensemble that ships has only its own members left, and so each draw takes
members of it: as many as vote, with replacement, or as propose to the verifiers, without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.protocol import Detector, Resampling
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.disagreement import Sampled, write_sampled
from cytally.errors import RunError, SettingsError
from cytally.files.hashes import hash_of
from cytally.files.journal import open_journal, read_journal
from cytally.files.names import shown
from cytally.images.read import read
from cytally.progress import Progress, silent

JOURNAL = "sampled.jsonl"
_COUNTED = "dicentric"


def sample_run(
    cells: Sequence[ScoredCell],
    paths: Mapping[str, Path],
    folder: Path,
    detector: Detector,
    ensembles: int,
    progress: Progress = silent,
) -> Sampled:
    """Count the scored cells of a run again by many sampled ensembles; writes sampled.csv.

    Parameters
    ----------
    cells : sequence of ScoredCell
        Of the run; those that were skipped are left out.
    paths : mapping of str to Path
        Where each image lies.
    folder : Path
        The run; an interrupted call resumes. What was counted of an image that
        changed since is not used.
    detector : Detector
        One whose members can be drawn anew.
    ensembles : int
        How many to draw.
    progress : callable

    Raises
    ------
    SettingsError
        The detector has no members to draw from.
    """
    scored = [cell for cell in cells if cell.scored]
    if not isinstance(detector, Resampling):
        raise SettingsError(f"{detector.name}: has no members that could be drawn anew; score without --sampled")
    lines = read_journal(folder / JOURNAL, _reading).whole
    done = {
        (line.image, line.sha256): line.dicentrics
        for line in lines
        if line.detector == detector.identity and len(line.dicentrics) == ensembles
    }
    counts = []
    with open_journal(folder / JOURNAL, _reading) as journal:
        for position, cell in enumerate(scored, start=1):
            known = done.get((cell.image, cell.sha256))
            if known is None:
                known = _counts(paths[cell.image], cell, detector, ensembles)
                line = _Line(image=cell.image, sha256=cell.sha256, detector=detector.identity, dicentrics=known)
                journal.append(line.model_dump())
            counts.append(known)
            progress(f"{ensembles} sampled ensembles", position, len(scored))
    return write_sampled(folder, scored, counts)


class _Line(BaseModel):
    """What the journal keeps of a cell."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    image: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    detector: str
    dicentrics: list[Annotated[int, Field(ge=0)]]


def _reading(line: Mapping[str, object]) -> _Line | None:
    try:
        return _Line.model_validate(line)
    except ValidationError:  # damaged, or of a version that did not keep the image's hash
        return None


def _counts(path: Path, cell: ScoredCell, detector: Resampling, ensembles: int) -> list[int]:
    if hash_of(path) != cell.sha256:
        raise RunError(f"{shown(path)}: was changed or removed while the run was at work; run score again")
    return [found.count(_COUNTED) for found in detector.draws(normalise(read(path)), ensembles)]
