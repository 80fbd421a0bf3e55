"""Images -> cells.csv: which of them can be scored, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from cytally.dosimetry.density import normalise
from cytally.dosimetry.scoring.score import no_metaphase
from cytally.dosimetry.selection.model import Selector, shipped
from cytally.dosimetry.selection.traits import traits_of
from cytally.errors import ImageError
from cytally.files.atomic import write_bytes
from cytally.files.hashes import hash_of
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes
from cytally.images.inputs import copies
from cytally.images.read import read
from cytally.progress import Progress, silent
from cytally.types import Skipped

#: Status of a cell.
SCORABLE, UNSCORABLE = "scorable", "not scorable"
NO_METAPHASE = "no metaphase"
CELLS = "cells.csv"


@dataclass(frozen=True)
class Looked:
    """What was made of one image.

    Attributes
    ----------
    image : str
        Name in all tables.
    reason : str
        Why it cannot be scored; "" where it can.
    probability : float or None
        That it is a single, whole, spread metaphase in focus; None where nothing was measured.
    chromosomes : int or None
        Estimate of its pieces.
    note : str
        More about the reason, in words.
    sha256 : str
    skipped : Skipped or None
        Why it was not looked at: unreadable, or the same bytes as another.
    """

    image: str
    reason: str = ""
    probability: float | None = None
    chromosomes: int | None = None
    note: str = ""
    sha256: str = ""
    skipped: Skipped | None = None

    @property
    def status(self) -> str:
        """As the table has it."""
        if self.skipped is not None:
            return self.skipped.status
        return UNSCORABLE if self.reason else SCORABLE


def look(path: Path, name: str, selector: Selector) -> Looked:
    """Decide about one file; what cannot be read is skipped with its reason."""
    digest = hash_of(path)
    try:
        image = read(path)
    except ImageError as error:
        return Looked(name, sha256=digest, skipped=Skipped(name, shown(error.beside(shown(path)))))
    try:
        density = normalise(image)
    except ImageError as error:
        return Looked(name, NO_METAPHASE, note=shown(error.beside(shown(path))), sha256=digest)
    why = no_metaphase(density)
    if why:
        return Looked(name, NO_METAPHASE, note=why, sha256=digest)
    said = selector.judge(traits_of(density))
    return Looked(name, said.reason, said.probability, said.chromosomes, sha256=digest)


def choose(
    paths: Mapping[str, Path], *, selector: Selector | None = None, jobs: int = 1, progress: Progress = silent
) -> list[Looked]:
    """Decide about images, in their order.

    Parameters
    ----------
    paths : mapping of str to Path
        Where each image lies, by its name.
    selector : Selector, optional
        Default: the one that comes with the package.
    jobs : int
        Processes; the result does not depend on it.
    progress : callable
    """
    judge = partial(_look, selector=selector or shipped())
    twins = copies({name: hash_of(path) for name, path in paths.items()})
    new = [(name, path) for name, path in paths.items() if name not in twins]
    done: dict[str, Looked] = {}
    for number, one in enumerate(_each(judge, new, jobs), start=1):
        done[one.image] = one
        progress("looking", number, len(new))
    return [
        done[name] if name in done else Looked(name, skipped=Skipped(name, f"identical to {twins[name]}"))
        for name in paths
    ]


def _look(named: tuple[str, Path], selector: Selector) -> Looked:
    return look(named[1], named[0], selector)


def _each(judge: partial[Looked], new: Sequence[tuple[str, Path]], jobs: int) -> Iterator[Looked]:
    """In processes where there is enough to do."""
    many = jobs > 1 and len(new) > 2 * jobs
    with ProcessPoolExecutor(jobs, get_context("spawn")) if many else nullcontext() as pool:
        yield from pool.map(judge, new, chunksize=4) if pool is not None else map(judge, new)


def write_cells(folder: Path, cells: Sequence[Looked]) -> Path:
    """Write cells.csv into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [["image", "status", "reason", "chromosomes", "probability", "note", "sha256"]]
    for cell in cells:
        number = "" if cell.chromosomes is None else str(cell.chromosomes)
        chance = "" if cell.probability is None else f"{cell.probability:.4f}"
        rows.append([cell.image, cell.status, cell.reason, number, chance, cell.note, cell.sha256])
    write_bytes(folder / CELLS, csv_bytes(rows))
    return folder / CELLS


def copy_scorable(folder: Path, cells: Sequence[Looked], paths: Mapping[str, Path]) -> Path:
    """Copy the images that can be scored to FOLDER/scorable, under their names; what lies there of an earlier call goes.

    Raises
    ------
    OutputError
        Two images whose names would be one file's, or a disk that refuses.
    """
    target = folder / "scorable"
    kept = [cell.image for cell in cells if cell.status == SCORABLE]
    for old in sorted(target.rglob("*")) if target.is_dir() else []:
        if old.is_file() and old.relative_to(target).as_posix() not in kept:
            old.unlink()
    for name in kept:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, paths[name].read_bytes(), durable=False)
    return target
