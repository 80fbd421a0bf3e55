"""Images of a run and what became of each: names, hashes, detections. Needs no network."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally.errors import ImageError
from cytally.images.read import find_images
from cytally.types import Detections


@dataclass(frozen=True)
class ScoredCell:
    """What became of one image.

    Attributes
    ----------
    image : str
        Name in all tables.
    status : str
        "scored", or "skipped: " and the reason.
    detections : Detections
    objects : int
        Chromosome-like objects, a rough count of pieces.
    scale : float
        Pixels that the networks saw per pixel of the image.
    sha256 : str
        Hash of the file, "" if it could not be read.
    """

    image: str
    status: str
    detections: Detections
    objects: int = 0
    scale: float = 1.0
    sha256: str = ""

    @property
    def scored(self) -> bool:
        """Whether the cell counts."""
        return self.status == "scored"


def hash_of(path: Path) -> str:
    """SHA-256 of a file, "" where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def name_images(inputs: Sequence[str | Path]) -> dict[str, Path]:
    """Name -> path: relative to the folder given; with several, behind that folder's name."""
    paths: dict[str, Path] = {}
    for given in inputs:
        root = Path(given) if Path(given).is_dir() else Path(given).parent
        for path in find_images(given):
            name = path.relative_to(root).as_posix()
            if len(inputs) > 1 and Path(given).is_dir():
                name = f"{root.resolve().name}/{name}"
            if name in paths and paths[name].resolve() != path.resolve():
                raise ImageError(
                    f"two images are called {name!r}: {paths[name]} and {path}; score them in two runs"
                )
            paths[name] = path
    return paths
