"""Composed cells -> a labelled folder that `train` and `evaluate` read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytally.dosimetry.compose.cell import Wanted, compose_cell
from cytally.dosimetry.compose.field import Field
from cytally.errors import ImageError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes
from cytally.images.read import find_images, read
from cytally.images.write import write
from cytally.labels.points import write_labels
from cytally.progress import Progress, silent
from cytally.types import Points, Skipped


def read_fields(folder: Path, skipped: list[Skipped], progress: Progress) -> tuple[Field, ...]:
    """Take the fields of a folder of unexposed cells apart.

    Parameters
    ----------
    folder : Path
        Images of unexposed metaphases; nothing needs to be labelled.
    skipped : list of Skipped
        Gets the images that cannot be used, with the reason.
    progress : callable
    """
    found, paths = [], find_images(folder)
    for number, path in enumerate(paths, start=1):
        try:
            found.append(Field.of(read(path)))
        except ImageError as error:
            skipped.append(Skipped(shown(path.name), shown(error.beside(shown(path)))))
        progress("taking fields apart", number, len(paths))
    return tuple(found)


def check_fields(fields: tuple[Field, ...], folder: Path, least: int = 1) -> None:
    """Refuse a folder from which nothing can be composed.

    Raises
    ------
    ImageError
        Fewer than `least` fields have enough separate chromosomes with visible centromeres.
    """
    able = sum(bool(f.uprights) for f in fields)
    if able < least:
        raise ImageError(
            f"{folder}: expected at least {least} metaphase(s) whose chromosomes lie apart and show their "
            f"centromeres, found {able} among {len(fields)} usable image(s); add unexposed cells"
        )


def write_composed(
    fields: tuple[Field, ...],
    folder: Path,
    cells: int,
    seed: int,
    wanted: Wanted | None = None,
    progress: Progress = silent,
) -> None:
    """Write composed cells; images that are there already are kept.

    Parameters
    ----------
    fields : tuple of Field
    folder : Path
        Gets composed_NNNNN.png (16 bit), labels.csv and cells.csv.
    cells, seed : int
    wanted : Wanted, optional
    progress : callable
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels: dict[str, Points] = {}
    rows = [["image", "sample", "dose_gy", "field", "kind"]]
    for number in range(cells):
        made = compose_cell(fields, wanted or Wanted(), np.random.default_rng([seed, number]))
        name = f"composed_{number:05d}.png"
        if not (folder / name).exists():
            write(folder / name, made.image)
        labels[name] = made.points
        rows.append([name, "composed", "", Path(made.field).name, "composed"])
        progress("composing", number + 1, cells)
    write_labels(folder / "labels.csv", labels)
    write_bytes(folder / "cells.csv", csv_bytes(rows))
