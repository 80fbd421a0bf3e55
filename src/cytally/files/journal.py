"""A line of JSON per finished piece of work, so that an interrupted run loses at most one.

A journal is a cache of work: what it holds need not be done again. Each line carries the
checksum of what it says. A line that was cut short or damaged is dropped when the journal is
opened, and its piece is done again.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, TypeVar

from cytally.errors import FileError, OutputError
from cytally.files.atomic import write_bytes
from cytally.files.json import parse_json
from cytally.files.names import shown

_CHECK = "crc32"
#: Seconds after which lines are forced to the disk: what a power cut may cost.
_SYNC = 1.0


Kept = TypeVar("Kept")
#: What a line says, or None where it says nothing that can be used.
Reading = Callable[[Mapping[str, object]], Kept | None]


@dataclass(frozen=True)
class Lines(Generic[Kept]):
    """What a journal holds.

    Attributes
    ----------
    whole : tuple
        What its lines say, in order.
    damaged : tuple of int
        Numbers of the others, from 1; one cut short at the very end is not among them.
    """

    whole: tuple[Kept, ...] = ()
    damaged: tuple[int, ...] = ()


class Journal:
    """An open journal, at its end."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path, self._synced = file, path, time.monotonic()

    def append(self, line: Mapping[str, object]) -> None:
        """Write one line and hand it to the system, so that it outlives this process.

        Raises
        ------
        OutputError
            The disk is full or gone.
        """
        text = json.dumps(dict(line), allow_nan=False)
        check = zlib.crc32(text.encode())
        try:
            self._file.write(f'{text[:-1]}, "{_CHECK}": {check}}}\n'.encode())
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise OutputError(
                f"{shown(str(self._path))}: cannot be written ({error.strerror}); what was done before is kept"
            ) from error


def read_journal(path: Path, reading: Reading[Kept]) -> Lines[Kept]:
    """Lines of a journal; none where there is no file.

    Parameters
    ----------
    path : Path
    reading : callable
        Line (dict) -> what it says, None where it is not one of these lines.

    Raises
    ------
    FileError
        It is there and cannot be read at all.
    """
    said = [_parsed(line, reading) for line in _content(path).split(b"\n")[:-1]]  # the rest was cut short
    whole = tuple(each for each in said if each is not None)
    return Lines(whole, tuple(number for number, each in enumerate(said, start=1) if each is None))


@contextmanager
def open_journal(path: Path, reading: Reading[object]) -> Iterator[Journal]:
    """A journal ready to append: a line cut short and damaged ones are dropped first."""
    content = _content(path)
    lines = content.split(b"\n")[:-1]
    kept = b"".join(line + b"\n" for line in lines if _parsed(line, reading) is not None)
    if kept != content:
        write_bytes(path, kept)
    try:
        file = path.open("ab")
    except OSError as error:
        raise OutputError(f"{shown(path)}: cannot be written ({error.strerror})") from error
    with file:
        yield Journal(file, path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise FileError(f"{shown(path)}: cannot be read ({error.strerror or error})") from error


def _parsed(line: bytes, reading: Reading[Kept]) -> Kept | None:
    """What a line says; None where it is damaged. Lines of older versions have no checksum."""
    try:
        found = parse_json(line, "line")
    except FileError:
        return None
    if not isinstance(found, dict):
        return None
    check = found.pop(_CHECK, None)
    if check is not None and check != zlib.crc32(json.dumps(found).encode()):
        return None
    return reading(found)
