"""The run folder: settings that must not change, one process at a time, finished or interrupted.

`run.json` says under which settings a run was made, which images the last call was given while it
is at work, and, once its tables are written, their hashes. A run is what its tables say: nothing
that reads one looks at the journal, which is only a cache of work.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from cytally.errors import FileError, RunError, RunLockedError
from cytally.files.atomic import is_part, remove_parts
from cytally.files.hashes import hash_of
from cytally.files.json import read_json, write_json
from cytally.files.names import shown

JOURNAL, RUN, LOCK = "journal.jsonl", "run.json", ".lock"


class RunRecord(BaseModel):
    """The contents of run.json.

    Attributes
    ----------
    settings : dict
        What decides the result.
    version, started, machine
        For the record.
    planned : list of (str, str), or None
        Name and hash of each image of a call that has not written its tables yet.
    tables : dict of str to str, or None
        Hash of each table of the last finished call.

    What else is noted there is kept.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    settings: dict[str, Any]
    version: str = ""
    started: str = ""
    machine: dict[str, object] = {}
    planned: list[tuple[str, str]] | None = None
    tables: dict[str, str] | None = None


@dataclass(frozen=True)
class Call:
    """One call of a command into a run folder.

    Attributes
    ----------
    settings : mapping
        What decides the result; a run goes on only under the same.
    version, started : str
        For the record; they may change.
    planned : sequence of (str, str)
        Name and hash of each image.
    free : sequence of str
        Settings that are noted but may change.
    beside : sequence of str
        Names that may lie in the folder before the run begins.
    """

    settings: Mapping[str, object]
    version: str
    started: str
    planned: Sequence[tuple[str, str]] = ()
    free: Sequence[str] = ()
    beside: Sequence[str] = ()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run folder; the lock dies with its process.

    Within one process the same thread may hold it several times over.

    Raises
    ------
    RunLockedError
        Another process holds it.
    RunError
        The folder cannot be written.
    """
    where = shown(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / LOCK, timeout=0, is_singleton=True)
        lock.acquire()
    except filelock.Timeout:
        raise RunLockedError(f"{where}: another run is writing here; wait for it or give another --out") from None
    except OSError as error:
        raise RunError(f"{where}: cannot be written ({error.strerror}); give another --out") from error
    try:
        if lock.lock_counter == 1:
            remove_parts(folder)
        yield
    finally:
        lock.release()


def begin(folder: Path, call: Call) -> RunRecord | None:
    """Note in run.json that a call is at work, if the run begun here has the same settings.

    Returns
    -------
    RunRecord or None
        What run.json said before; None where the run is new.

    Raises
    ------
    RunError
        The folder holds a run under other settings, a damaged one, or something else.
    """
    before = read_record(folder) if (folder / RUN).exists() else None
    if before is None and any(not _ours(p, call.beside) for p in folder.iterdir()):
        raise RunError(f"{shown(folder)}: is not empty and not a run; give another --out")
    mine = as_stored(call.settings)
    if before is not None:
        changed = sorted(k for k in mine if k not in call.free and before.settings.get(k) != mine[k])
        if changed:
            raise RunError(f"{shown(folder)}: holds a run with other {', '.join(changed)}; give another --out")
    known = before or RunRecord(settings=mine, version=call.version, started=call.started, machine=machine())
    _write(folder, known.model_copy(update={"settings": mine, "planned": list(call.planned), "tables": None}))
    return before


def note_more(folder: Path, **notes: str) -> None:
    """Add to lists in run.json that are for the record: all runtimes that a run was made on, in their order."""
    record = read_record(folder)
    before = record.model_extra or {}
    lists = {}
    for name, value in notes.items():
        there = before.get(name, [])
        there = there if isinstance(there, list) else [there]  # older versions kept the last one
        lists[name] = there if value in there else [*there, value]
    if any(before.get(name) != each for name, each in lists.items()):
        _write(folder, RunRecord.model_validate(record.model_dump() | lists))


def finish(folder: Path, tables: Sequence[str]) -> None:
    """Note in run.json that the tables are written: from now on the run is what they say."""
    hashes = {name: hash_of(folder / name) for name in tables}
    _write(folder, read_record(folder).model_copy(update={"planned": None, "tables": hashes}))


def read_record(folder: Path) -> RunRecord:
    """What run.json says.

    Raises
    ------
    RunError
        No run there, or run.json is damaged.
    """
    path = folder / RUN
    if not path.is_file():
        raise RunError(f"{shown(folder)}: expected a run folder with {RUN}, found none")
    try:
        return RunRecord.model_validate(read_json(path))
    except FileError as error:
        raise RunError(f"{error}; {_REMEDY}") from error
    except ValidationError as error:
        raise RunError(f"{shown(path)}: expected the record of a run, got {first_problem(error)}; {_REMEDY}") from error


_REMEDY = "the run cannot be continued: put a copy of this file back, or give another --out and run again"


def check_finished(folder: Path, record: RunRecord, done: set[tuple[str, str]], command: str) -> None:
    """Refuse a run whose tables are not those of its last call.

    Parameters
    ----------
    folder : Path
    record : RunRecord
    done : set of (str, str)
        Name and hash of each image that the journal knows.
    command : str
        That finishes the run, for the message.

    Raises
    ------
    RunError
        The last call was interrupted; a table is gone or was changed afterwards.
    """
    where = shown(folder)
    if record.planned is not None:
        there = sum(each in done for each in record.planned)
        raise RunError(
            f"{where}: this run was interrupted: {there} of {len(record.planned)} images; run {command} again to finish"
        )
    for name, digest in (record.tables or {}).items():
        found = hash_of(folder / name)
        if not found:
            raise RunError(f"{where}: {name} is gone; run {command} again to write it")
        if found != digest:
            raise RunError(
                f"{where}: {name} was changed after the run was finished (by hand, or saved by a spreadsheet program); "
                f"run {command} again to write it as it was counted. To leave an image out take it from the folder "
                "first; what is known of the cells belongs into a cells.csv beside the images"
            )


def machine() -> dict[str, object]:
    """Processor, cores and Python, for the record."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _ours(path: Path, beside: Sequence[str]) -> bool:
    return path.name in (LOCK, *beside) or is_part(path)


def as_stored(settings: Mapping[str, object]) -> dict[str, object]:
    """Settings as JSON gives them back: tuples are lists."""
    return {str(name): _stored(value) for name, value in settings.items()}


def _stored(value: object) -> object:
    if isinstance(value, Mapping):
        return as_stored(value)
    return [_stored(each) for each in value] if isinstance(value, list | tuple) else value


def _write(folder: Path, record: RunRecord) -> None:
    content = {name: getattr(record, name) for name in type(record).model_fields} | (record.model_extra or {})
    write_json(folder / RUN, {name: value for name, value in content.items() if value is not None})


def first_problem(error: ValidationError) -> str:
    """The first thing wrong with a file of ours, in a few words on one line."""
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])
