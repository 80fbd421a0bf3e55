"""A picture of every scored cell with its detections; one of an image that changed is drawn anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.errors import ImageError
from cytally.figures.overlays import overlay
from cytally.files.atomic import write_bytes
from cytally.files.journal import open_journal, read_journal
from cytally.files.names import fitting
from cytally.images.read import read
from cytally.images.write import encode
from cytally.progress import Progress, silent

FOLDER, DRAWN = "pictures", "pictures.jsonl"
_RADIUS = 26.0


def draw_pictures(
    folder: Path,
    cells: Sequence[ScoredCell],
    paths: Mapping[str, Path],
    progress: Progress = silent,
) -> None:
    """Draw what is not drawn yet: RUN/pictures/NAME.png, and a line in pictures.jsonl for each.

    Parameters
    ----------
    folder : Path
        The run.
    cells : sequence of ScoredCell
    paths : mapping of str to Path
        Where each image lies.
    progress : callable
    """
    scored = [cell for cell in cells if cell.scored]
    drawn = _drawn(folder)
    with open_journal(folder / DRAWN, _reading) as journal:
        for number, cell in enumerate(scored, start=1):
            name, shows = fitting(cell.image, ".png"), (cell.image, cell.sha256)
            target = folder / FOLDER / name
            if (drawn.get(name) != shows or not target.is_file()) and _draw(target, paths[cell.image], cell):
                journal.append({"image": cell.image, "picture": name, "sha256": cell.sha256})
            progress("drawing", number, len(scored))


def forget_pictures(folder: Path, cells: Sequence[ScoredCell]) -> list[str]:
    """Remove pictures of images that left the run or are no longer what was drawn.

    Returns
    -------
    list of str
        Images of the run whose pictures are gone.
    """
    now = {(cell.image, cell.sha256) for cell in cells if cell.scored}
    there = {cell.image for cell in cells if cell.scored}
    gone = []
    for picture, (image, digest) in _drawn(folder).items():
        if (image, digest) not in now and (folder / FOLDER / picture).is_file():
            (folder / FOLDER / picture).unlink(missing_ok=True)
            gone += [image] if image in there else []
    return gone


def _drawn(folder: Path) -> dict[str, tuple[str, str]]:
    """Picture -> name and hash of the image that it shows: its last line says."""
    lines = read_journal(folder / DRAWN, _reading).whole
    return {picture: (image, digest) for image, picture, digest in lines}


def _draw(target: Path, path: Path, cell: ScoredCell) -> bool:
    try:
        picture = overlay(read(path), cell.detections, radius=_RADIUS / cell.scale)
    except ImageError:  # it could be read when it was scored
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, encode(picture[..., ::-1], ".png"), durable=False)
    return True


def _reading(line: Mapping[str, object]) -> tuple[str, str, str] | None:
    parts = tuple(line.get(name) for name in ("image", "picture", "sha256"))
    if len(line) != 3 or not all(isinstance(part, str) and part for part in parts):
        return None
    if Path(str(parts[1])).is_absolute() or ".." in Path(str(parts[1])).parts:
        return None  # would lie outside the run
    return str(parts[0]), str(parts[1]), str(parts[2])
