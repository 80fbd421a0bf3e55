"""How far the count depends on which members happened to be drawn: the same images by many ensembles.

The preprint draws ensembles of 10 out of 50 checkpoints and shows the 5-95 % band over 100 of
them (section 2.3). An ensemble that ships has only its own members left, and so each draw takes
members of it: as many as vote, with replacement, or as propose to the verifiers, without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytally.detection.vote import binary_votes, co_occurring, detect
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.candidates import PROPOSING, judged, peaks
from cytally.dosimetry.detectors.cooccurrence import confirmed
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.dosimetry.scoring.disagreement import Sampled, write_sampled
from cytally.errors import RunError
from cytally.files.hashes import hash_of
from cytally.files.journal import open_journal, read_journal
from cytally.files.names import shown
from cytally.images.read import read
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import predict
from cytally.progress import Progress, silent
from cytally.types import Detections, IntArray

JOURNAL = "sampled.jsonl"
_COUNTED = "dicentric"
_SEED = 880_000


def draw_members(ensemble: Ensemble, ensembles: int) -> list[NDArray[np.int64]]:
    """Which members each sampled ensemble has; the same for every image and every call."""
    rng = np.random.default_rng([_SEED, ensembles])
    number = len(ensemble.members)
    if ensemble.verifiers:
        return [np.sort(rng.permutation(number)[:PROPOSING]) for _ in range(ensembles)]
    return [rng.integers(number, size=number) for _ in range(ensembles)]


def count_sampled(density: NDArray[np.float32], ensemble: Ensemble, draws: list[NDArray[np.int64]]) -> IntArray:
    """Dicentrics of one cell by each sampled ensemble, (ensembles,).

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
        Normalised.
    ensemble : Ensemble
        With its thresholds.
    draws : list of ndarray of int
        From `draw_members`.
    """
    maps = predict(density, ensemble)
    if not ensemble.verifiers:
        return np.array([_voted(maps[chosen], ensemble, chosen).count(_COUNTED) for chosen in draws])
    proposed = [peaks(maps[chosen], ensemble, chosen.tolist()) for chosen in draws]
    known = _answers(density, proposed, ensemble)
    return np.array([_read(found, ensemble, known).count(_COUNTED) for found in proposed])


def _voted(maps: NDArray[np.float32], ensemble: Ensemble, chosen: NDArray[np.int64]) -> Detections:
    thresholds = ensemble.card.thresholds
    votes = binary_votes(maps, np.asarray(thresholds.confidence)[chosen])
    found = detect(votes, maps, thresholds.agreement, ensemble.classes, ensemble.card.stride)
    return co_occurring(found) if thresholds.co_occurrence else found


Place = tuple[str, float, float]


def _places(found: Detections) -> list[Place]:
    return list(zip(found.names, found.row.tolist(), found.col.tolist(), strict=True))


def _answers(density: NDArray[np.float32], proposed: list[Detections], ensemble: Ensemble) -> dict[Place, float]:
    """What the verifiers say of every place that any sampled ensemble proposes, asked once."""
    places = sorted({place for found in proposed for place in _places(found)})
    if not places:
        return {}
    row, col = (np.array([place[k] for place in places]) for k in (1, 2))
    none = np.zeros(len(places))
    every = Detections(row, col, tuple(p[0] for p in places), none.astype(int), none, none, PROPOSING, none)
    return dict(zip(places, judged(density, every, ensemble).probability.tolist(), strict=True))


def _read(found: Detections, ensemble: Ensemble, known: Mapping[Place, float]) -> Detections:
    if not len(found):
        return found
    reading = np.array([known[place] for place in _places(found)])
    kept = confirmed(
        Detections(
            found.row, found.col, found.names, found.votes, found.confidence, found.spread, found.members, reading
        ),
        ensemble,
    )
    return co_occurring(kept) if ensemble.card.thresholds.co_occurrence else kept


def sample_run(
    cells: Sequence[ScoredCell],
    paths: Mapping[str, Path],
    folder: Path,
    ensemble: Ensemble,
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
    ensemble : Ensemble
    ensembles : int
        How many to draw.
    progress : callable
    """
    scored = [cell for cell in cells if cell.scored]
    draws = draw_members(ensemble, ensembles)
    lines = read_journal(folder / JOURNAL, _reading).whole
    done = {
        (line.image, line.sha256): line.dicentrics
        for line in lines
        if line.detector == ensemble.card.identity and len(line.dicentrics) == ensembles
    }
    counts = []
    with open_journal(folder / JOURNAL, _reading) as journal:
        for position, cell in enumerate(scored, start=1):
            known = done.get((cell.image, cell.sha256))
            if known is None:
                known = _counts(paths[cell.image], cell, ensemble, draws)
                line = _Line(image=cell.image, sha256=cell.sha256, detector=ensemble.card.identity, dicentrics=known)
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


def _reading(line: Mapping[str, Any]) -> _Line | None:
    try:
        return _Line.model_validate(line)
    except ValidationError:  # damaged, or of a version that did not keep the image's hash
        return None


def _counts(path: Path, cell: ScoredCell, ensemble: Ensemble, draws: list[NDArray[np.int64]]) -> list[int]:
    if hash_of(path) != cell.sha256:
        raise RunError(f"{shown(path)}: was changed or removed while the run was at work; run score again")
    return [int(n) for n in count_sampled(normalise(read(path)).values, ensemble, draws)]
