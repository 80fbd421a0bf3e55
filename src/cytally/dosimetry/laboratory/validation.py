"""evaluation.csv of labelled cells -> the detector's errors that a dose must carry."""

from __future__ import annotations

from pathlib import Path

from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
from cytally.dosimetry.laboratory.columns import VALIDATION
from cytally.errors import CountsError
from cytally.files.tables.table import read_table

_COUNTED = "dicentric"


def read_validation(path: Path) -> DetectorErrors:
    """Read what `cytally dosimetry evaluate` measured on cells of 0 Gy and of higher doses.

    Parameters
    ----------
    path : Path
        evaluation.csv: `dose_gy,cells,class,true,false,missed`, more columns allowed.

    Raises
    ------
    FileError
        Not a table.
    CountsError
        Not such a table, no whole counts in it, or no silent or no exposed cells in it.
    """
    false_silent, silent, exposed = 0, 0, [0, 0, 0, 0]
    for row in read_table(path, VALIDATION).rows:
        if row.text("class").casefold() != _COUNTED:
            continue
        if row.text("dose_gy") in ("", "unknown"):
            raise row.wrong("expected a dose; `evaluate` takes it from the column dose_gy of cells.csv")
        cells, true, false, missed = (row.whole(name) for name in ("cells", "true", "false", "missed"))
        if row.number("dose_gy", lowest=0.0) == 0:
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
