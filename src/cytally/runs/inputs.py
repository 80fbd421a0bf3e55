"""Images given to a run: their names in all tables, and their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from cytally.errors import ImageError
from cytally.images.read import find_images


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
