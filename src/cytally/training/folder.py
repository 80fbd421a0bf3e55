"""The folder of a training run: settings that must not change, one process at a time, a curve.

The state (weights, optimiser, rows of the curve) is one file: what else an epoch leaves is
written again from it where a interrupted run did not come to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from cytally.errors import FileError, RunError
from cytally.files.atomic import write_bytes
from cytally.files.json import read_json, write_json
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes
from cytally.nets.unet import Architecture
from cytally.training.checkpoints import STATE, load_tensors

CURVES, RUN = "curves.csv", "run.json"
Row = dict[str, Any]
Restored = TypeVar("Restored")


def check_settings(folder: Path, architecture: Architecture, settings: Any, free: Sequence[str] = ()) -> None:
    """Refuse a folder that holds a run with other settings; `free` ones may differ.

    Raises
    ------
    RunError
        Other settings, or a damaged run.json.
    """
    if not (folder / RUN).exists():
        return
    theirs, mine = read_training(folder), _as_stored(architecture, settings)
    for name in free:
        theirs["settings"][name] = mine["settings"][name]
    if theirs != mine:
        raise RunError(f"{shown(folder)}: holds a training run with other settings; give another --out")


def note_settings(folder: Path, architecture: Architecture, settings: Any) -> None:
    """Write run.json where it is not there yet."""
    if not (folder / RUN).exists():
        write_json(folder / RUN, _as_stored(architecture, settings))


def read_training(folder: Path) -> dict[str, dict[str, Any]]:
    """Architecture and settings of a training run.

    Raises
    ------
    RunError
        run.json is missing or damaged.
    """
    try:
        stored = read_json(folder / RUN)
    except FileError as error:
        raise RunError(f"{error}; {_REMEDY}") from error
    if not isinstance(stored, dict) or not all(
        isinstance(stored.get(k), dict) for k in ("architecture", "settings")
    ):
        raise RunError(
            f"{shown(str(folder / RUN))}: expected architecture and settings of a training run; {_REMEDY}"
        )
    return stored


_REMEDY = "put a copy of this file back, or give another --out and train again"


def restored(
    folder: Path, restore: Callable[[dict[str, Tensor], dict[str, Any]], Restored]
) -> Restored | None:
    """What `restore` makes of the state's tensors and notes; None where there is no state.

    Raises
    ------
    RunError
        A damaged state, or one of another training.
    """
    path = folder / STATE
    if not path.exists():
        return None
    tensors, notes = load_tensors(path)
    try:
        return restore(tensors, notes)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise RunError(
            f"{shown(path)}: expected the state of this training, got {type(error).__name__} ({error}); remove it to start anew"
        ) from error


def rows_of(notes: Mapping[str, Any]) -> list[Row]:
    """Rows of the curve in a state's notes, checked."""
    rows = notes["rows"]
    if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
        raise ValueError("rows that are not those of epochs 1, 2, 3, ...")
    if any(not isinstance(value, int | float) for row in rows for value in row.values()):
        raise ValueError("a row with something else than numbers")
    return list(rows)


def write_curve(folder: Path, rows: Sequence[Row]) -> None:
    """Write curves.csv, a line per epoch."""
    if rows:
        write_bytes(folder / CURVES, csv_bytes([list(rows[0]), *(list(row.values()) for row in rows)]))


def _as_stored(architecture: Architecture, settings: Any) -> dict[str, dict[str, Any]]:
    return {"architecture": asdict(architecture), "settings": asdict(settings)}
