"""The folder of a training run: settings that must not change, and a curve.

The state (weights, optimiser, rows of the curve) is one file: what else an epoch leaves is
written again from it where an interrupted run did not come to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from cytally import __version__
from cytally.errors import RunError
from cytally.files.atomic import write_bytes
from cytally.files.json import write_json
from cytally.files.names import shown
from cytally.files.runs import RUN, as_stored, machine, read_record
from cytally.files.tables.csv import csv_bytes
from cytally.training.checkpoints import STATE, load_tensors, read_curves
from cytally.training.task import Row

CURVES = "curves.csv"


def check_settings(folder: Path, settings: Mapping[str, object], free: Sequence[str] = ()) -> None:
    """Refuse a folder that holds a run with other settings; `free` ones may differ.

    Raises
    ------
    RunError
        Other settings, or a damaged run.json.
    """
    if not (folder / RUN).exists():
        return
    theirs, mine = read_record(folder).settings, as_stored(settings)
    changed = sorted(k for k in theirs.keys() | mine.keys() if k not in free and theirs.get(k) != mine.get(k))
    if changed:
        raise RunError(
            f"{shown(folder)}: holds a training run with other settings ({', '.join(changed)}); give another --out"
        )


def note_settings(folder: Path, settings: Mapping[str, object]) -> None:
    """Write run.json where it is not there yet, or where free settings have changed."""
    mine = as_stored(settings)
    if not (folder / RUN).exists() or read_record(folder).settings != mine:
        write_json(folder / RUN, {"settings": mine, "version": __version__, "machine": machine()})


def restored(folder: Path, restore: Callable[[dict[str, Tensor], dict[str, object]], None]) -> None:
    """Call `restore` with the state's tensors and notes, where there is a state.

    Raises
    ------
    RunError
        A damaged state, or one of another training.
    """
    path = folder / STATE
    if not path.exists():
        return
    tensors, notes = load_tensors(path)
    try:
        restore(tensors, notes)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise RunError(
            f"{shown(path)}: expected the state of this training, got {type(error).__name__} ({error}); remove it to start anew"
        ) from error


def rows_of(notes: Mapping[str, object]) -> list[Row]:
    """Rows of the curve in a state's notes, checked."""
    rows = notes["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TypeError("rows that are none")
    if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
        raise ValueError("rows that are not those of epochs 1, 2, 3, ...")
    if any(not isinstance(value, int | float) for row in rows for value in row.values()):
        raise ValueError("a row with something else than numbers")
    return list(rows)


def write_curve(folder: Path, rows: Sequence[Row]) -> None:
    """Write curves.csv, a line per epoch."""
    if rows:
        write_bytes(folder / CURVES, csv_bytes([list(rows[0]), *(list(row.values()) for row in rows)]))


def read_curve(folder: Path) -> list[Row]:
    """Rows of curves.csv; [] where no epoch is done."""
    path = folder / CURVES
    if not path.is_file():
        return []
    return [{name: float(value) for name, value in row.items()} for row in read_curves(path)]
