"""How many dicentrics 46 chromosomes can hold: the one check of every count, typed or in a table."""

from __future__ import annotations

import numpy as np

from cytally.errors import CountsError
from cytally.types import FloatArray, IntArray

#: Pairs of the 46 chromosomes of a cell: on average no more dicentrics; in one cell, with
#: chromosomes of many centromeres, no more than 45.
MOST_PER_CELL, MOST_IN_A_CELL = 23, 45
#: Of a human cell.
CHROMOSOMES = 46


#: Beyond all published curves per cell: C, alpha per Gy (neutrons of 1 MeV give about 1), beta per Gy^2.
_HIGHEST_C, _HIGHEST_ALPHA, _HIGHEST_BETA = 0.05, 2.0, 0.5


def doubtful_coefficients(coefficients: FloatArray, errors: FloatArray) -> str:
    """What of a curve is larger than any radiation gives, in words; "" where nothing is.

    Parameters
    ----------
    coefficients, errors : ndarray of shape (3,)
        C, alpha, beta and their standard errors; what may well be smaller (by two errors) is not doubted.

    Examples
    --------
    >>> doubtful_coefficients(np.array([0.128, 2.103, 6.307]), np.zeros(3))
    'C 0.128 (expected up to 0.05 per cell), alpha 2.103 (up to 2 per Gy), beta 6.307 (up to 0.5 per Gy^2)'
    >>> doubtful_coefficients(np.array([0.00128, 0.02103, 0.06307]), np.zeros(3))
    ''
    """
    limits = (
        ("C", _HIGHEST_C, "expected up to {:g} per cell"),
        ("alpha", _HIGHEST_ALPHA, "up to {:g} per Gy"),
        ("beta", _HIGHEST_BETA, "up to {:g} per Gy^2"),
    )
    return ", ".join(
        f"{name} {value:.4g} ({words.format(most)})"
        for (name, most, words), value, error in zip(limits, coefficients, errors, strict=True)
        if value - 2 * error > most
    )


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


def check_held(count: int, cells: int, what: str) -> None:
    """Refuse counts of an assay that the chromosomes of its cells cannot hold: 46 of them, one aberration each.

    Raises
    ------
    CountsError
        No cell, a negative count, or more than that.
    """
    if cells <= 0 or count < 0 or count > CHROMOSOMES * cells:
        raise CountsError(
            f"expected cells > 0 and 0 to {CHROMOSOMES} {what} per cell, got {count} in {cells} cells; "
            "were the two mixed up?"
        )
