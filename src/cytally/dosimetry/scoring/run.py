"""A scored run: settings, a journal line per cell while it grows, and the tables that it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import PlainValidator, TypeAdapter, ValidationError

from cytally.dosimetry.scoring.cells import SCORED, ScoredCell, cell_of
from cytally.errors import FileError, ImageError, RunError
from cytally.files.atomic import write_bytes
from cytally.files.hashes import hash_of
from cytally.files.journal import Reading, read_journal
from cytally.files.names import shown
from cytally.files.runs import JOURNAL, RUN, Call, RunRecord, begin, check_finished, finish, read_record
from cytally.files.tables.csv import csv_bytes, read_rows
from cytally.images.inputs import name_images, resolved, roots
from cytally.types import Counts, Detections, FloatArray, Skipped

CELLS, DETECTIONS = "cells.csv", "detections.csv"
#: Stands between the notes of a cell.
_BETWEEN = " | "
#: What finishes an interrupted run.
COMMAND = "score"


def _texts(value: object) -> tuple[str, ...]:
    """Paths, which need not be text that pydantic takes."""
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError("expected a list of paths")
    return tuple(value)


@dataclass(frozen=True)
class RunSettings:
    """What decides the result; a run is resumed only under the same, from the same folders.

    Attributes
    ----------
    inputs : tuple of str
        As `images.inputs.resolved` gives them.
    """

    ensemble: str
    detector: str
    classes: tuple[str, ...]
    inputs: Annotated[tuple[str, ...], PlainValidator(_texts)]
    confidence: tuple[tuple[float, ...], ...] = ()
    agreement: tuple[int, ...] = ()
    co_occurrence: bool = False
    probability: tuple[float, ...] = ()
    cooccurrence_weight: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Every threshold belongs to a class."""
        number = len(self.classes)
        some = (self.agreement, self.probability, self.cooccurrence_weight)
        whole = [*self.confidence, *filter(None, some)]
        if not number or any(len(row) != number for row in whole):
            raise ValueError(f"expected thresholds for {number} classes each")


@dataclass(frozen=True)
class Known:
    """What earlier calls have finished.

    Attributes
    ----------
    cells : dict of (str, str) to ScoredCell
        By name and hash: a changed image is another one.
    damaged : tuple of int
        Lines of the journal that cannot be read; their cells are scored again.
    images : tuple of str
        Names in the tables of the last finished call.
    """

    cells: dict[tuple[str, str], ScoredCell]
    damaged: tuple[int, ...] = ()
    images: tuple[str, ...] = ()


def open_run(folder: Path, settings: RunSettings, version: str, started: str, planned: Mapping[str, str]) -> Known:
    """Begin or resume a run.

    Parameters
    ----------
    folder : Path
    settings : RunSettings
    version, started : str
        For the record.
    planned : mapping of str to str
        Hash of each image to be scored, by its name.

    Raises
    ------
    RunError
        The folder holds a run under other settings or of other images, or something else.
    """
    known = _journal(folder, settings.classes)
    if (folder / RUN).exists():
        _same_images(folder, settings, planned, known)
    begin(folder, Call(asdict(settings), version, started, list(planned.items()), free=("inputs",)))
    return replace(known, images=_listed(folder))


def _listed(folder: Path) -> tuple[str, ...]:
    """Names in a cells.csv that may be damaged or of an interrupted run: it is going to be written again."""
    try:
        return tuple(row["image"] for row in _rows(folder / CELLS))
    except (RunError, KeyError, ValueError):
        return ()


def _same_images(folder: Path, settings: RunSettings, planned: Mapping[str, str], known: Known) -> None:
    """Refuse another sample: images from other folders, none of which this run has seen."""
    theirs = resolved(_settings(folder, read_record(folder)).inputs)
    if roots(theirs) == roots(settings.inputs) or not known.cells or known.cells.keys() & planned.items():
        return
    raise RunError(
        f"{shown(folder)}: holds a run with other inputs ({shown(', '.join(sorted(roots(theirs))))}) and has seen "
        f"none of these {len(planned)} images; give another --out"
    )


def reading(classes: Sequence[str]) -> Reading[ScoredCell]:
    """How lines of the journal are read."""
    return partial(cell_of, classes=classes)


def _journal(folder: Path, classes: Sequence[str]) -> Known:
    lines = read_journal(folder / JOURNAL, reading(classes))
    return Known({(cell.image, cell.sha256): cell for cell in lines.whole}, lines.damaged)


def write_tables(
    folder: Path, cells: Sequence[ScoredCell], classes: Sequence[str], known: Mapping[str, Mapping[str, str]]
) -> None:
    """Write detections.csv and cells.csv; from now on the run is what they say.

    Parameters
    ----------
    folder : Path
    cells : sequence of ScoredCell
    classes : sequence of str
    known : mapping
        For some images what the input's own cells.csv says: sample, dose_gy.
    """
    detections = [["image", "class", "row", "col", "votes", "members", "confidence", "spread", "probability"]]
    columns = [f"{name}s" for name in classes]
    table = [["image", "status", *columns, "objects", "scale", "sample", "dose_gy", "sha256", "notes", "picture"]]
    for cell in cells:
        found = cell.detections
        detections += _found(cell)
        more = known.get(cell.image, {})
        counts = [str(found.count(name)) if cell.scored else "" for name in classes]
        table.append(
            [
                cell.image,
                cell.status,
                *counts,
                str(cell.objects),
                f"{cell.scale:.4f}",
                more.get("sample", ""),
                more.get("dose_gy", ""),
                cell.sha256,
                _BETWEEN.join(cell.notes),
                cell.picture,
            ]
        )
    write_bytes(folder / DETECTIONS, csv_bytes(detections))
    write_bytes(folder / CELLS, csv_bytes(table))
    finish(folder, (CELLS, DETECTIONS))


def _found(cell: ScoredCell) -> list[list[str]]:
    """Rows of detections.csv."""
    found = cell.detections
    return [
        [
            cell.image,
            name,
            f"{found.row[k]:.1f}",
            f"{found.col[k]:.1f}",
            str(found.votes[k]),
            str(found.members),
            f"{found.confidence[k]:.4f}",
            f"{found.spread[k]:.4f}",
            "" if np.isnan(found.probability[k]) else f"{found.probability[k]:.4f}",
        ]
        for k, name in enumerate(found.names)
    ]


def read_settings(folder: Path) -> RunSettings:
    """Settings of a run.

    Raises
    ------
    RunError
        No run there, or run.json is damaged.
    """
    return _settings(folder, read_record(folder))


def _settings(folder: Path, record: RunRecord) -> RunSettings:
    try:
        return TypeAdapter(RunSettings).validate_python(record.settings)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise RunError(
            f"{shown(str(folder / RUN))}: expected the settings of a scored run, got {where}: {problem['msg']}; "
            "put a copy of this file back, or give another --out and run again"
        ) from error


def read_run(folder: Path) -> list[ScoredCell]:
    """Cells of a run as its tables say, in their order.

    Raises
    ------
    RunError
        No run there; interrupted; tables that are gone, damaged or changed by hand.
    """
    settings = read_settings(folder)
    rows = read_cells_table(folder)
    try:
        return _cells(rows, _rows(folder / DETECTIONS), settings)
    except (KeyError, ValueError, TypeError) as error:
        raise RunError(_unreadable(folder, error)) from error


def read_cells_table(folder: Path) -> list[dict[str, str]]:
    """Rows of a finished run's cells.csv.

    Raises
    ------
    RunError
        As `read_run`.
    """
    record = read_record(folder)
    classes = _settings(folder, record).classes
    done = set(_journal(folder, classes).cells) if record.planned is not None else set()
    check_finished(folder, record, done, COMMAND)
    missing = [name for name in (CELLS, DETECTIONS) if not (folder / name).is_file()]
    if missing:
        raise RunError(
            f"{shown(folder)}: this run was interrupted: it has no {missing[0]}; run {COMMAND} again to finish"
        )
    return _rows(folder / CELLS)


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        headings, rows = read_rows(table)
    except FileError as error:
        raise RunError(_unreadable(table.parent, error)) from error
    return [dict(zip(headings, row, strict=True)) for row in rows]


def _unreadable(folder: Path, error: object) -> str:
    return (
        f"{shown(folder)}: expected {CELLS} and {DETECTIONS} as {COMMAND} writes them, got {error}; "
        f"run {COMMAND} again to write them"
    )


def _cells(
    rows: Sequence[Mapping[str, str]], found: Sequence[Mapping[str, str]], settings: RunSettings
) -> list[ScoredCell]:
    of_image: dict[str, list[Mapping[str, str]]] = {row["image"]: [] for row in rows}
    if len(of_image) < len(rows):
        raise ValueError("an image twice")
    for row in found:
        of_image[row["image"]].append(row)
    return [_cell(row, of_image[row["image"]], settings) for row in rows]


def _cell(row: Mapping[str, str], found: Sequence[Mapping[str, str]], settings: RunSettings) -> ScoredCell:
    def column(name: str) -> FloatArray:
        return np.array([float(each[name]) for each in found])

    again = np.array([float(each.get("probability") or "nan") for each in found], dtype=float)
    members = int(found[0]["members"]) if found else len(settings.confidence)
    detections = Detections(
        column("row"),
        column("col"),
        tuple(each["class"] for each in found),
        np.array([int(each["votes"]) for each in found], dtype=int),
        column("confidence"),
        column("spread"),
        members,
        again,
    )
    notes = tuple(filter(None, row.get("notes", "").split(_BETWEEN)))
    cell = ScoredCell(
        row["image"],
        detections,
        int(row["objects"]),
        float(row["scale"]),
        row["sha256"],
        notes,
        row.get("picture", ""),
        _skipped(row),
    )
    for name in settings.classes:
        if row[f"{name}s"] != (str(detections.count(name)) if cell.scored else ""):
            raise ValueError(f"{row[f'{name}s'] or 'no'} and {detections.count(name)} {name}s of {cell.image}")
    return cell


def _skipped(row: Mapping[str, str]) -> Skipped | None:
    """Why a cell of the table does not count; None where it does."""
    skipped = Skipped.of(row["image"], row["status"])
    if skipped is None and row["status"] != SCORED:
        raise ValueError(f"status {row['status']!r} of {row['image']}")
    return skipped


def images_of(folder: Path, cells: Sequence[ScoredCell]) -> dict[str, Path]:
    """Where the images of a run lie; those that are gone or were changed since are left out."""
    try:
        paths = name_images(read_settings(folder).inputs)
    except ImageError:  # they have moved
        return {}
    hashes = {cell.image: cell.sha256 for cell in cells}
    return {name: path for name, path in paths.items() if hashes.get(name) and hashes[name] == hash_of(path)}


def counts_of(cells: Sequence[ScoredCell], classes: Sequence[str], detector: str) -> Counts:
    """Aberrations per scored cell."""
    scored = [cell for cell in cells if cell.scored]
    per_cell = {name: np.array([c.detections.count(name) for c in scored], dtype=int) for name in classes}
    skipped = tuple(cell.skipped for cell in cells if cell.skipped)
    return Counts(per_cell, skipped, detector, tuple(c.image for c in scored))
