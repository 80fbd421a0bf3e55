"""Simulated cells -> a labelled folder: images, labels.csv, cells.csv, truth on request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.cell import SHAPE, SimulatedCell, simulate_cell
from cytally.dosimetry.simulate.styles import style_named
from cytally.errors import SettingsError
from cytally.files.atomic import write_bytes
from cytally.files.tables.csv import csv_bytes
from cytally.images.write import write
from cytally.labels.points import write_labels
from cytally.progress import Progress, silent
from cytally.types import Image, Points

Drawn = tuple[list[str], Points]
Each = Callable[[Callable[[int], Drawn], Iterable[int]], Iterable[Drawn]]


@dataclass(frozen=True)
class Order:
    """What to simulate.

    Attributes
    ----------
    cells : int
    exposure : Exposure
    style : str
    seed : int
    sample : str
        Written into cells.csv and the file names.
    unscorable : float
        Share of incomplete, double, prometaphase and smeared cells.
    truth : bool
        Also write masks, identities, centromeres, centrelines and break points.
    """

    cells: int
    exposure: Exposure
    style: str = "mixed"
    seed: int = 1
    sample: str = "S1"
    unscorable: float = 0.0
    truth: bool = False
    shape: tuple[int, int] = SHAPE

    def __post_init__(self) -> None:
        style_named(self.style)
        if self.cells < 1 or not 0 <= self.unscorable <= 1:
            raise SettingsError(f"expected cells >= 1 and a share in [0, 1], got {self.cells} and {self.unscorable}")

    def cell(self, number: int) -> SimulatedCell:
        """Cell number `number`, the same each time."""
        rng = np.random.default_rng([self.seed, number])
        style = replace(style_named(self.style), unscorable=self.unscorable)
        return simulate_cell(style, self.exposure.draw(rng), rng, self.shape)


def write_folder(
    order: Order,
    folder: Path,
    progress: Progress = silent,
    each: Each = map,
) -> None:
    """Write a labelled folder; images that are there already are kept.

    Parameters
    ----------
    order : Order
    folder : Path
        Gets NAME.png, labels.csv, cells.csv and, on request, _truth/NAME.json and
        _truth/NAME_masks.png (uint16, background 0).
    progress : callable
    each : callable
        `map`, or that of a pool of processes: every cell is drawn by itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels: dict[str, Points] = {}
    rows = [["image", "sample", "dose_gy", "chromosomes", "kind"]]
    cells = each(partial(_write_cell, order, folder), range(order.cells))
    for number, (row, points) in enumerate(cells, start=1):
        labels[row[0]] = points
        rows.append(row)
        progress("simulating", number, order.cells)
    write_labels(folder / "labels.csv", labels)
    write_bytes(folder / "cells.csv", csv_bytes(rows))


def _write_cell(order: Order, folder: Path, number: int) -> tuple[list[str], Points]:
    """Draw and write one cell; its row of cells.csv and its labels."""
    made = order.cell(number)
    name = f"{order.sample}_{number:05d}.png"
    if not (folder / name).exists():
        write(folder / name, made.image)
    if order.truth:
        _write_truth(folder / "_truth", name, made)
    dose = f"{order.exposure.dose_gy:g}"
    return [name, order.sample, dose, str(len(made.bodies)), made.kind], made.points


def _write_truth(folder: Path, name: str, made: SimulatedCell) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    stem = Path(name).stem
    write_bytes(folder / f"{stem}.json", json.dumps(made.truth()).encode())
    write(folder / f"{stem}_masks.png", Image(made.masks))
