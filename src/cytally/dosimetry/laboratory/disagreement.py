"""Counts of one run by many sampled ensembles: how far the number depends on who was drawn."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.errors import CountsError
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


def read_sampled(folder: Path) -> Sampled | None:
    """Counts by sampled ensembles that a run has; None where it has none.

    Raises
    ------
    CountsError
        A table that is not one.
    """
    path = folder / TABLE
    if not path.is_file():
        return None
    try:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
        table = np.array([[int(cell) for cell in row[1:]] for row in rows[1:]], int)
        images = tuple(row[0] for row in rows[1:])
        return Sampled(table.reshape(-1, len(rows[0]) - 1).sum(axis=0), images)
    except (ValueError, IndexError) as error:
        raise CountsError(f"{path}: expected whole numbers per sampled ensemble, got {error}") from error
