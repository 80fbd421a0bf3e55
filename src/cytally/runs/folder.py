"""The run folder: settings that must not change, a journal while it grows, whole files.

Every finished image is one line of `journal.jsonl`, flushed before the next is begun. A
killed run loses at most the image it was looking at; a line cut short is dropped when the
run is resumed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock

from cytally.errors import RunError, RunLockedError
from cytally.images.write import write_bytes

JOURNAL, RUN = "journal.jsonl", "run.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run folder; the lock dies with its process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / ".lock", timeout=0)
        lock.acquire()
    except filelock.Timeout:
        raise RunLockedError(
            f"{folder}: another run is writing here; wait for it or give another --out"
        ) from None
    except OSError as error:
        raise RunError(f"{folder}: cannot be written ({error.strerror}); give another --out") from error
    try:
        yield
    finally:
        lock.release()


def begin(
    folder: Path, settings: Mapping[str, Any], version: str, started: str, beside: Sequence[str] = ()
) -> None:
    """Write run.json, or check that the run begun here has the same settings.

    Parameters
    ----------
    folder : Path
    settings : mapping
        What decides the result.
    version, started : str
        For the record; they may change.
    beside : sequence of str
        Names that may lie in the folder before the run begins.

    Raises
    ------
    RunError
        The folder holds a run under other settings, or something else.
    """
    path = folder / RUN
    mine = json.loads(json.dumps(settings))
    if path.exists():
        theirs = json.loads(path.read_text()).get("settings", {})
        changed = sorted(k for k in mine if theirs.get(k) != mine[k])
        if changed:
            raise RunError(f"{folder}: holds a run with other {', '.join(changed)}; give another --out")
    elif any(p.name not in (".lock", *beside) for p in folder.iterdir()):
        raise RunError(f"{folder}: is not empty and not a run; give another --out")
    else:
        write_json(path, {"settings": mine, "version": version, "started": started, "machine": machine()})


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON whole or not at all."""
    write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())


def machine() -> dict[str, Any]:
    """Processor, cores and Python, for the record."""
    return {"system": platform.system(), "processor": platform.machine(),
            "cores": os.cpu_count(), "python": platform.python_version()}  # fmt: skip


@contextmanager
def open_journal(folder: Path) -> Iterator[io.TextIOBase]:
    """The journal, cut after its last whole line, ready to append."""
    path = folder / JOURNAL
    if path.exists():
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            write_bytes(path, whole)
    with path.open("a") as journal:
        yield journal


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """Whole lines of the journal; [] where there is none."""
    path = folder / JOURNAL
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]  # what follows the last newline was cut short
    return [json.loads(line) for line in lines]


def csv_bytes(rows: Sequence[Sequence[object]]) -> bytes:
    """Rows as a CSV file."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()
