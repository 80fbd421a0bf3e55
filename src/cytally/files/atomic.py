"""Bytes -> file: whole and on the disk, or not there at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cytally.errors import OutputError
from cytally.files.names import shown

#: Begins with a dot, so that no reader of a folder takes it for a result.
_PART = ".part"


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write a file beside its place, then move it there.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : bytes
    durable : bool
        Wait until the disk has it, so that a power cut cannot leave it empty. False for files
        that are cheap to make again.

    Raises
    ------
    OutputError
        A full or read-only disk, no such folder, a name that the disk refuses.
    """
    with replacing(path, durable=durable) as beside:
        beside.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    r"""Write text as UTF-8, whole or not at all; bytes of names that are not UTF-8 as `\xNN`."""
    write_bytes(path, shown(text).encode())


@contextmanager
def replacing(path: Path, ending: str = "", *, durable: bool = True) -> Iterator[Path]:
    """A new empty file beside `path`, to be filled inside the block; then it takes its place.

    Its name cannot be foretold, so that nobody can lay a link there, and is short, so that
    `path` may have the longest name that the disk allows.

    Parameters
    ----------
    path : Path
    ending : str
        For writers that choose the format by the name's ending.
    durable : bool

    Raises
    ------
    OutputError
        It cannot be written; what was there before is untouched.
    """
    beside = path.parent / f".{secrets.token_hex(8)}{_PART}{ending}"
    try:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        yield beside
        if durable:
            _to_disk(beside)
        os.replace(beside, path)
        if durable:
            _folder_to_disk(path.parent)
    except OSError as error:
        raise OutputError(
            f"{shown(path)}: cannot be written ({error.strerror or error}); nothing was left half"
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Whether a file is what a killed process left of `replacing`."""
    return path.name.startswith(".") and _PART in path.suffixes and len(path.name.split(".")[1]) == 16


def remove_parts(folder: Path) -> None:
    """Remove what killed processes left in a folder that is locked, and in those within it.

    Folders with a lock of their own are left alone.
    """
    for place, inside, names in os.walk(folder):
        here = Path(place)
        inside[:] = [name for name in inside if not (here / name / ".lock").exists()]
        for name in names:
            if is_part(here / name):
                (here / name).unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _folder_to_disk(folder: Path) -> None:
    """Some file systems, and Windows, cannot sync a folder: the file itself is on the disk."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
