"""A scored run: settings, one journal line per cell, tables, counts."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.cells import ScoredCell
from cytally.errors import RunError
from cytally.images.write import write_bytes
from cytally.runs.folder import RUN, begin, csv_bytes, read_journal, write_json
from cytally.types import Counts, Detections, Skipped

CELLS, DETECTIONS = "cells.csv", "detections.csv"


@dataclass(frozen=True)
class RunSettings:
    """What decides the result; a run is resumed only under the same."""

    ensemble: str
    detector: str
    classes: tuple[str, ...]
    confidence: tuple[tuple[float, ...], ...]
    agreement: tuple[int, ...]
    co_occurrence: bool
    inputs: tuple[str, ...]
    reading: tuple[float, ...] = ()
    accompanied: tuple[float, ...] = ()


def open_run(folder: Path, settings: RunSettings, version: str, started: str) -> dict[str, ScoredCell]:
    """Begin or resume a run.

    Returns
    -------
    dict of str to ScoredCell
        What an earlier call has finished.

    Raises
    ------
    RunError
        The folder holds a run under other settings, or something else.
    """
    begin(folder, asdict(settings), version, started)
    return {cell.image: cell for cell in _read_cells(folder)}


def record_runtime(folder: Path, runtime: str) -> None:
    """Note in run.json what the networks ran on; it may change between two calls and decides nothing."""
    content = json.loads((folder / RUN).read_text())
    if content.get("runtime") != runtime:
        write_json(folder / RUN, content | {"runtime": runtime})


def record(journal: io.TextIOBase, cell: ScoredCell) -> None:
    """Append one cell and flush it to the disk."""
    found = cell.detections
    line = {
        "image": cell.image, "status": cell.status, "objects": cell.objects,
        "scale": cell.scale, "sha256": cell.sha256, "members": found.members,
        "detections": [
            [n, float(r), float(c), int(v), float(p), float(s), None if np.isnan(read) else float(read)]
            for n, r, c, v, p, s, read in zip(  # all digits: a resumed run is the same run
                found.names, found.row, found.col, found.votes, found.confidence, found.spread,
                found.reading, strict=True)
        ],
    }  # fmt: skip
    journal.write(json.dumps(line) + "\n")
    journal.flush()


def _read_cells(folder: Path) -> list[ScoredCell]:
    return [_cell(line) for line in read_journal(folder)]


def _cell(line: dict[str, Any]) -> ScoredCell:
    rows = [[*row, None][:7] for row in line["detections"]]  # before version 0.3 nothing was read again

    def column(k: int, kind: type) -> NDArray[Any]:
        return np.array([row[k] for row in rows], dtype=kind)

    found = Detections(
        column(1, float), column(2, float), tuple(row[0] for row in rows), column(3, int),
        column(4, float), column(5, float), line["members"], column(6, float),
    )  # fmt: skip
    return ScoredCell(line["image"], line["status"], found, line["objects"], line["scale"], line["sha256"])


def write_tables(
    folder: Path, cells: list[ScoredCell], classes: tuple[str, ...], known: dict[str, dict[str, str]]
) -> None:
    """Write detections.csv and cells.csv.

    Parameters
    ----------
    folder : Path
    cells : list of ScoredCell
    classes : tuple of str
    known : dict
        For some images what the input's own cells.csv says: sample, dose_gy.
    """
    detections = [["image", "class", "row", "col", "votes", "members", "confidence", "spread", "reading"]]
    table = [
        [
            "image",
            "status",
            *(f"{name}s" for name in classes),
            "objects",
            "scale",
            "sample",
            "dose_gy",
            "sha256",
        ]
    ]
    for cell in cells:
        found = cell.detections
        for k, name in enumerate(found.names):
            detections.append([
                cell.image, name, f"{found.row[k]:.1f}", f"{found.col[k]:.1f}", str(found.votes[k]),
                str(found.members), f"{found.confidence[k]:.4f}", f"{found.spread[k]:.4f}",
                "" if np.isnan(found.reading[k]) else f"{found.reading[k]:.4f}",
            ])  # fmt: skip
        more = known.get(cell.image, {})
        counts = [str(found.count(name)) if cell.scored else "" for name in classes]
        table.append([cell.image, cell.status, *counts, str(cell.objects), f"{cell.scale:.4f}",
                      more.get("sample", ""), more.get("dose_gy", ""), cell.sha256])  # fmt: skip
    write_bytes(folder / DETECTIONS, csv_bytes(detections))
    write_bytes(folder / CELLS, csv_bytes(table))


def read_settings(folder: Path) -> RunSettings:
    """Settings of a run.

    Raises
    ------
    RunError
        No run there.
    """
    path = folder / RUN
    if not path.is_file():
        raise RunError(f"{folder}: expected a run folder with {RUN}, found none")
    stored = json.loads(path.read_text())["settings"]
    return RunSettings(**{k: _tupled(v) for k, v in stored.items()})


def read_run(folder: Path) -> list[ScoredCell]:
    """Cells of a run, in the order in which they were scored."""
    read_settings(folder)
    return _read_cells(folder)


def counts_of(cells: list[ScoredCell], classes: tuple[str, ...], detector: str) -> Counts:
    """Aberrations per scored cell."""
    scored = [cell for cell in cells if cell.scored]
    per_cell = {name: np.array([c.detections.count(name) for c in scored], dtype=int) for name in classes}
    skipped = tuple(Skipped(c.image, c.status.removeprefix("skipped: ")) for c in cells if not c.scored)
    return Counts(per_cell, skipped, detector, tuple(c.image for c in scored))


def _tupled(value: Any) -> Any:
    return tuple(_tupled(v) for v in value) if isinstance(value, list) else value
