"""How many dicentrics 46 chromosomes can hold: the one check of every count, typed or in a table."""

from __future__ import annotations

import numpy as np

from cytally.errors import CountsError
from cytally.types import IntArray

#: Pairs of the 46 chromosomes of a cell: on average no more dicentrics; in one cell, with
#: chromosomes of many centromeres, no more than 45.
MOST_PER_CELL, MOST_IN_A_CELL = 23, 45


def check_possible(aberrations: int, cells: int, what: str = "dicentrics") -> None:
    """Refuse totals that cells cannot hold.

    Parameters
    ----------
    aberrations, cells : int
    what : str
        Was counted, for the message.

    Raises
    ------
    CountsError
        Less than one cell, a count below 0, or more than 23 per cell.
    """
    if cells < 1 and aberrations == 0:
        raise CountsError(f"expected at least one cell, got {cells}")
    if not 0 <= aberrations <= MOST_PER_CELL * cells:
        raise CountsError(
            f"expected 0 to {MOST_PER_CELL} {what} per cell (46 chromosomes hold no more), got {aberrations} in "
            f"{cells}; are the two swapped?"
        )


def check_possible_cells(distribution: IntArray) -> None:
    """Refuse a distribution over cells that 46 chromosomes cannot hold; its totals as `check_possible`.

    Parameters
    ----------
    distribution : ndarray of int
        Cells with 0, 1, 2, ... dicentrics.

    Raises
    ------
    CountsError
        A number below 0, no cell, a cell with more than 45, or more than 23 per cell.
    """
    counts = np.asarray(distribution)
    if (counts < 0).any():
        raise CountsError(f"expected numbers of cells >= 0, got {counts.min()}")
    check_in_a_cell(counts)
    check_possible(int(counts @ np.arange(len(counts))), int(counts.sum()))


def check_in_a_cell(counts: IntArray) -> None:
    """Refuse cells with more than 45 dicentrics.

    Raises
    ------
    CountsError
        There is such a cell.
    """
    if counts[MOST_IN_A_CELL + 1 :].any():
        most = int(np.flatnonzero(counts)[-1])
        cells = "cell" if counts[most] == 1 else "cells"
        raise CountsError(
            f"got {counts[most]} {cells} with {most} dicentrics, but 46 chromosomes hold {MOST_IN_A_CELL} at most; are "
            "the numbers in the right order?"
        )
