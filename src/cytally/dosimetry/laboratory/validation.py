"""evaluation.csv of labelled cells -> the detector's errors that a dose must carry."""

from __future__ import annotations

from pathlib import Path

from cytally.dosimetry.laboratory.tables import rows_of, whole_of
from cytally.errors import CountsError
from cytally.statistics.detector import DetectorErrors

_COUNTED = "dicentric"


def read_validation(path: Path) -> DetectorErrors:
    """Read what `cytally dosimetry evaluate` measured on cells of 0 Gy and of higher doses.

    Parameters
    ----------
    path : Path
        evaluation.csv: `dose_gy,cells,class,true,false,missed`, more columns allowed.

    Raises
    ------
    CountsError
        Not such a table, or no silent or no exposed cells in it.
    """
    false_silent, silent, exposed = 0, 0, [0, 0, 0, 0]
    for where, row in rows_of(path):
        if row.get("class") != _COUNTED:
            continue
        if row.get("dose_gy") in (None, "", "unknown"):
            raise CountsError(
                f"{where}: expected a dose; `evaluate` takes it from the column dose_gy of cells.csv"
            )
        cells, true, false, missed = (whole_of(row, k, where) for k in ("cells", "true", "false", "missed"))
        if _dose(row, where) == 0:
            false_silent, silent = false_silent + false, silent + cells
        else:
            new = (true, missed, false, cells)
            exposed = [have + more for have, more in zip(exposed, new, strict=True)]
    if not silent or not exposed[3]:
        raise CountsError(
            f"{path}: expected lines of class dicentric at 0 Gy and at higher doses, "
            f"got {silent} silent and {exposed[3]} exposed cells"
        )
    return DetectorErrors(exposed[0], exposed[1], false_silent, silent, exposed[2], exposed[3])


def _dose(row: dict[str, str], where: str) -> float:
    try:
        return float(row["dose_gy"])
    except ValueError:
        raise CountsError(f"{where}: expected a dose in Gy, got {row['dose_gy']!r}") from None
