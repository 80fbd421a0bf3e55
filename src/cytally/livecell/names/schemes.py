"""Names of microscopes that follow a form of their own, whole.

Each entry is a regular expression over the name without its ending. Groups say what they hold:
text, well (or row and col), field, channel, z, time, ms (milliseconds since the start).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a part of a name is."""

    TIME = "time"
    CLOCK = "clock"
    FIELD = "field"
    WELL = "well"
    CHANNEL = "channel"
    Z = "z"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True)
class Part:
    """One part of a name.

    Attributes
    ----------
    role : Role
    text : str
        As it stands in the name, or as a position shows it.
    value : str
        Digits, or the name of a well or channel.
    before : str
        What parts it from the part before.
    seconds : float or None
        Of a clock; since year 1 where it is a date.
    maybe : Role or None
        What it is if the other names of the folder do not say otherwise.
    """

    role: Role
    text: str
    value: str
    before: str = "_"
    seconds: float | None = None
    maybe: Role | None = None


def well_name(row: int, col: int) -> str:
    """Letters and number of a well.

    Examples
    --------
    >>> well_name(1, 1), well_name(27, 3)
    ('A01', 'AA03')
    """
    letters = chr(ord("A") + (row - 1) % 26)
    return f"{'A' if row > 26 else ''}{letters}{col:02d}"


_FLAGS = re.IGNORECASE
_FORMS = (
    # Operetta and Opera Phenix (Harmony): row, column, field, plane, channel, time ("slow kinetics").
    re.compile(
        r"(?P<text>.*?)r(?P<row>\d{2,3})c(?P<col>\d{2,3})f(?P<field>\d{2,3})p(?P<z>\d{2,3})"
        r"(?:-?ch(?P<channel>\d+))?(?:sk(?P<time>\d+))?(?:fk\d+)?(?:fl\d+)?",
        _FLAGS,
    ),
    # IN Cell Analyzer.
    re.compile(
        r"(?P<text>.*?)(?P<row_letter>[A-P]) ?- ?(?P<col>\d{1,2}) ?\(fld (?P<field>\d+)"
        r"(?: wv (?P<channel>.+?))?(?: z (?P<z>\d+))?(?: time (?P<time>\d+)(?: - (?P<ms>\d+) ms)?)?\)",
        _FLAGS,
    ),
    # Micro-Manager 1.4: time, channel, slice.
    re.compile(r"img_(?P<time>\d{9})_(?P<channel>.+)_(?P<z>\d{3})", _FLAGS),
    # Yokogawa CellVoyager.
    re.compile(
        r"(?P<text>.*?)(?P<well>[A-P]\d{2})_T(?P<time>\d{3,})F(?P<field>\d{3,})L\d+A\d+Z(?P<z>\d+)C(?P<channel>\d+)"
    ),
    # Cellomics, EVOS.
    re.compile(r"(?P<text>.*?)(?P<well>[A-P]\d{2})f(?P<field>\d+)d(?P<channel>\d+)", _FLAGS),
    # BioTek Gen5: well, read step, wave length index, field, channel, time.
    re.compile(r"(?P<well>[A-P]\d{1,2})_-?\d+_\d+_(?P<field>\d+)_(?P<channel>[^_\d][^_]*)_(?P<time>\d{3})"),
)


def by_scheme(stem: str) -> list[Part] | None:
    """Parts of a name that is wholly of one of the forms; None where it is of none."""
    for form in _FORMS:
        found = form.fullmatch(stem)
        if found:
            return list(_parts({k: v for k, v in found.groupdict().items() if v is not None}))
    return None


def _parts(said: dict[str, str]) -> list[Part]:
    text = said.get("text", "").strip("_- .")
    parts = [Part(Role.TEXT, text, text)] if text else []
    if "col" in said:
        row = ord(said["row_letter"].upper()) - ord("A") + 1 if "row_letter" in said else int(said["row"])
        well = well_name(row, int(said["col"]))
        parts.append(Part(Role.WELL, well, well))
    elif "well" in said:
        parts.append(Part(Role.WELL, said["well"], said["well"].upper()))
    make: dict[str, Callable[[str], Part]] = {
        "field": lambda v: Part(Role.FIELD, f"f{v}", v),
        "channel": lambda v: Part(Role.CHANNEL, v, f"ch{v}" if v.isdigit() else v),
        "z": lambda v: Part(Role.Z, f"z{v}", v),
        "time": lambda v: Part(Role.TIME, f"t{v}", v),
        "ms": lambda v: Part(Role.CLOCK, f"{v}ms", v, seconds=int(v) / 1000),
    }
    return parts + [make[key](said[key]) for key in make if key in said]
