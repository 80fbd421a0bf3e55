"""Where the members of an ensemble do not know: a picture of every scored cell with the entropy of their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from cytally.detection.entropy import heatmap_entropy
from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.protocol import Detector, Heatmaps
from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.errors import ImageError, SettingsError
from cytally.figures.overlays import tinted
from cytally.files.atomic import write_bytes
from cytally.files.journal import open_journal, read_journal
from cytally.files.names import fitting
from cytally.files.tables.csv import csv_bytes
from cytally.images.read import read
from cytally.images.write import encode
from cytally.progress import Progress, silent
from cytally.types import FloatArray

FOLDER, TABLE, DRAWN = "entropy", "entropy.csv", "entropy.jsonl"


def _inside(name: str) -> str:
    """A place below the folder of pictures."""
    if not name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError("expected a name that stays within the run")
    return name


@dataclass(frozen=True)
class Unsure:
    """How little is known of one cell.

    Attributes
    ----------
    image, sha256 : str
    picture : str
        Name of the file below RUN/entropy.
    bits : tuple of float
        Sum of the entropy over the heatmap, one per class.
    """

    image: str
    sha256: str
    picture: Annotated[str, AfterValidator(_inside)]
    bits: tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...]


_LINE = TypeAdapter(Unsure)


def check_maps(detector: Detector) -> Heatmaps:
    """The detector, which must have heatmaps.

    Raises
    ------
    SettingsError
        It has none.
    """
    if not isinstance(detector, Heatmaps):
        raise SettingsError(
            f"{detector.name}: has no heatmaps, so it has no entropy of their mean; leave --entropy out"
        )
    return detector


def draw_entropy(
    folder: Path,
    cells: Sequence[ScoredCell],
    paths: Mapping[str, Path],
    detector: Detector,
    progress: Progress = silent,
) -> list[Unsure]:
    """Draw what is not drawn yet: RUN/entropy/NAME.png, a line in entropy.jsonl for each, and entropy.csv.

    Parameters
    ----------
    folder : Path
        The run.
    cells : sequence of ScoredCell
    paths : mapping of str to Path
        Where each image lies.
    detector : Detector
        With heatmaps.
    progress : callable

    Returns
    -------
    list of Unsure
        The least certain first.

    Raises
    ------
    SettingsError
        As `check_maps`.
    """
    knowing, done = check_maps(detector), _drawn(folder)
    scored = [cell for cell in cells if cell.scored]
    with open_journal(folder / DRAWN, _reading) as journal:
        for number, cell in enumerate(scored, start=1):
            if (cell.image, cell.sha256) not in done:
                one = _draw(folder, cell, paths[cell.image], knowing)
                if one is not None:
                    journal.append(asdict(one))
            progress("drawing entropy", number, len(scored))
    found = read_entropy(folder, cells)
    rows = [[each.image, *(f"{bits:.3f}" for bits in each.bits)] for each in found]
    write_bytes(folder / TABLE, csv_bytes([["image", *(f"{name}_bits" for name in detector.classes)], *rows]))
    return found


def read_entropy(folder: Path, cells: Sequence[ScoredCell]) -> list[Unsure]:
    """What was drawn of these cells as they are, the least certain first."""
    done = _drawn(folder)
    found = [one for cell in cells if cell.scored and (one := done.get((cell.image, cell.sha256)))]
    return sorted(found, key=lambda each: (-sum(each.bits), each.image))


def forget_entropy(folder: Path, cells: Sequence[ScoredCell]) -> bool:
    """Remove pictures of images that left the run or changed, and the table where it tells of one; whether there were any."""
    now = {(cell.image, cell.sha256) for cell in cells if cell.scored}
    kept = {one.picture for key, one in _drawn(folder).items() if key in now}
    where = folder / FOLDER
    gone = [path for path in where.rglob("*.png") if path.relative_to(where).as_posix() not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    if gone:
        (folder / TABLE).unlink(missing_ok=True)
    return bool(gone)


def _drawn(folder: Path) -> dict[tuple[str, str], Unsure]:
    """By image and hash, where the picture is still there; of one picture the last line counts."""
    last = {one.picture: one for one in read_journal(folder / DRAWN, _reading).whole}
    return {(one.image, one.sha256): one for one in last.values() if (folder / FOLDER / one.picture).is_file()}


def _reading(line: Mapping[str, object]) -> Unsure | None:
    try:
        return _LINE.validate_python(line)
    except ValidationError:
        return None


def _draw(folder: Path, cell: ScoredCell, path: Path, knowing: Heatmaps) -> Unsure | None:
    """Draw one cell; None where its image can no longer be read."""
    try:
        image = read(path)
        density = normalise(image)
    except ImageError:
        return None
    entropy = heatmap_entropy(knowing.heatmaps(density))
    seen = at_image(entropy.max(axis=0), density, knowing.stride, image.shape)
    name = fitting(cell.image, ".png")
    target = folder / FOLDER / name
    target.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(target, encode(tinted(image, seen)[..., ::-1], ".png"), durable=False)
    return Unsure(cell.image, cell.sha256, name, tuple(float(each.sum()) for each in entropy))


def at_image(coarse: FloatArray, density: Density, stride: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """A map of the heatmap's grid at every pixel of the image (linear between places).

    Place (i, j) of the map lies at ((i + 1/2) stride - 1/2, ...) of the normalised cell.
    """
    import cv2

    rows, cols = ((((np.arange(size) + 0.5) * density.scale) / stride - 0.5).astype(np.float32) for size in shape)
    grid = np.meshgrid(cols, rows)
    return np.asarray(cv2.remap(coarse.astype(np.float32), *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
