"""Counts of one run by many sampled ensembles: how far the number depends on who was drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.laboratory.columns import SAMPLED
from cytally.errors import CountsError
from cytally.files.numbers import whole
from cytally.files.tables import Row, read_table
from cytally.types import IntArray

TABLE = "sampled.csv"


@dataclass(frozen=True)
class Sampled:
    """Dicentrics of a run by each of the sampled ensembles.

    Attributes
    ----------
    totals : ndarray of int, shape (ensembles,)
    """

    totals: IntArray

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
    table = read_table(path, SAMPLED)
    places = [k for k in range(len(table.head.headings)) if k != table.head.columns["image"]]
    odd = [
        table.head.headings[k] for k in places if not re.fullmatch(r"ensemble_[0-9]+", table.head.headings[k])
    ]
    if odd or not places:
        raise CountsError(
            f"{path}: expected the headings image, ensemble_000, ...; got {odd or 'no ensemble'}"
        )
    rows = [[_count(row, k) for k in places] for row in table.rows]
    return Sampled(np.array(rows, int).sum(axis=0))


def _count(row: Row, place: int) -> int:
    if row.fault:
        raise row.wrong(row.fault)
    try:
        return whole(row.cells[place])
    except ValueError as error:
        raise row.wrong(
            f"expected whole numbers per sampled ensemble, got {row.cells[place][:60]!r}; {error}"
        ) from None
