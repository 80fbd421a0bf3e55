"""JSON from outside: read strictly, within limits, with one kind of error."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from cytally.errors import FileError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown

#: Bytes; far above any file of ours.
LARGEST = 64 * 2**20
#: Lists and objects within each other.
DEEPEST = 50
_LARGEST_WHOLE = 2**63


def read_json(path: Path, *, infinite: bool = False) -> Any:
    """The contents of a JSON file.

    Parameters
    ----------
    path : Path
    infinite : bool
        Also take NaN and Infinity, which JSON does not know and Python writes.

    Raises
    ------
    FileError
        Missing, unreadable, too large or too deep, not UTF-8, not JSON, a key twice, a number
        that is none or that no computer holds.
    """
    where = shown(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise FileError(f"{where}: cannot be read ({error.strerror or error})") from error
    return parse_json(content, where, infinite=infinite)


def parse_json(content: bytes, where: str, *, infinite: bool = False) -> Any:
    """JSON out of bytes, as `read_json` takes it; `where` begins the message."""
    if len(content) > LARGEST:
        raise FileError(f"{where}: expected at most {LARGEST // 2**20} MB of JSON, got more")
    try:
        found = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_int=_whole,
            parse_float=float if infinite else _finite,
            parse_constant=float if infinite else _refuse,
        )
    except RecursionError:
        raise FileError(f"{where}: expected at most {DEEPEST} levels of JSON, got more") from None
    except ValueError as error:  # not UTF-8, not JSON, or refused below
        raise FileError(f"{where}: expected JSON, got something else ({shown(error)})") from error
    if _deeper_than(found, DEEPEST):
        raise FileError(f"{where}: expected at most {DEEPEST} levels of JSON, got more")
    return found


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON whole or not at all."""
    write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice")
    return found


def _whole(text: str) -> int:
    number = int(text) if len(text) < 30 else _LARGEST_WHOLE
    if abs(number) >= _LARGEST_WHOLE:
        raise ValueError(f"the number {text[:30]} is too large")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:30]} is too large")
    return number


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _deeper_than(found: object, levels: int) -> bool:
    level = [found]
    for _ in range(levels + 1):
        within: list[object] = []
        for each in level:
            if isinstance(each, dict):
                within += each.values()
            elif isinstance(each, list):
                within += each
        if not within:
            return False
        level = within
    return True
