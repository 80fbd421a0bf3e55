"""Counts of one run by many sampled ensembles: how far the number depends on who was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.scoring.cells import ScoredCell
from cytally.errors import CountsError, FileError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes, read_rows
from cytally.files.tables.numbers import whole
from cytally.types import IntArray

TABLE = "sampled.csv"


@dataclass(frozen=True)
class Sampled:
    """Dicentrics of a run by each of the sampled ensembles.

    Attributes
    ----------
    totals : ndarray of int, shape (ensembles,)
    images : tuple of str
        Which cells they counted.
    """

    totals: IntArray
    images: tuple[str, ...] = ()

    @property
    def disagreement(self) -> float:
        """Their standard deviation."""
        return float(self.totals.std(ddof=1)) if len(self.totals) > 1 else 0.0

    def __str__(self) -> str:
        low, high = np.percentile(self.totals, [5, 95])
        return (
            f"{len(self.totals)} sampled ensembles count {low:.0f} to {high:.0f} dicentrics "
            f"(5-95 %; standard deviation {self.disagreement:.1f})"
        )


def write_sampled(folder: Path, cells: Sequence[ScoredCell], counts: Sequence[Sequence[int]]) -> Sampled:
    """Write sampled.csv: a line per scored cell with its hash, a column per sampled ensemble.

    Parameters
    ----------
    folder : Path
        The run.
    cells : sequence of ScoredCell
        Those that were scored.
    counts : sequence of sequence of int
        Dicentrics of each cell by each sampled ensemble.
    """
    number = len(counts[0]) if counts else 0
    heading = [*_FIRST, *(f"ensemble_{k:03d}" for k in range(number))]
    rows = [[cell.image, cell.sha256, *each] for cell, each in zip(cells, counts, strict=True)]
    write_bytes(folder / TABLE, csv_bytes([heading, *rows]))
    return Sampled(np.array(counts, int).reshape(-1, number).sum(axis=0))


def read_sampled(folder: Path, cells: Sequence[ScoredCell]) -> Sampled | None:
    """Counts by sampled ensembles that a run has of these cells; None where it has none.

    Raises
    ------
    CountsError
        A table that is not one, or is of other cells than the run.
    """
    path = folder / TABLE
    if not path.is_file():
        return None
    heading, rows = _table(path)
    if not _fits(heading, rows, cells):
        raise CountsError(
            f"{shown(path)}: counts other images than the run; run score with --sampled again, or remove the file"
        )
    try:
        table = np.array([[whole(cell) for cell in row[2:]] for row in rows], int)
        if len(heading) < 3 or (table < 0).any():
            raise ValueError("no sampled ensemble" if len(heading) < 3 else "a count below 0")
        return Sampled(table.reshape(-1, len(heading) - 2).sum(axis=0))
    except (ValueError, OverflowError) as error:
        raise CountsError(f"{shown(path)}: expected whole numbers per sampled ensemble, got {error}") from error


def forget_sampled(folder: Path, cells: Sequence[ScoredCell]) -> bool:
    """Remove a sampled.csv of other cells, and say whether: the journal beside it keeps what can be used again."""
    path = folder / TABLE
    other = path.is_file() and not _fits(*_table(path), cells)
    if other:
        path.unlink()
    return other


_FIRST = ("image", "sha256")


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        return read_rows(path)
    except FileError as error:
        raise CountsError(f"{error}; run score with --sampled again, or remove the file") from error


def _fits(heading: Sequence[str], rows: Sequence[Sequence[str]], cells: Sequence[ScoredCell]) -> bool:
    counted = [(cell.image, cell.sha256) for cell in cells if cell.scored]
    return tuple(heading[:2]) == _FIRST and [tuple(row[:2]) for row in rows] == counted
