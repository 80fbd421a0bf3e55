"""The headings under which laboratories keep their counts, in one place; the words stand in columns.toml."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from cytally.dosimetry.curves.checks import counts_kind
from cytally.errors import CountsError
from cytally.files.tables.headings import Column, Wanted, plain
from cytally.files.tables.table import Table

_TABLE = tomllib.loads((files("cytally.dosimetry.laboratory") / "columns.toml").read_text(encoding="utf-8"))


def _words(*keys: str) -> tuple[str, ...]:
    """The words under a key of the table."""
    found = _TABLE
    for key in keys:
        found = found[key]
    return tuple(" ".join(word.split()) for word in str(found).split(",") if word.strip())


def _set(*keys: str) -> frozenset[str]:
    return frozenset(_words(*keys))


#: Units in headings, plain: Gy, and what is not Gy.
GRAY = ("", "gy", "gray", "grays")
_UNITS = (*GRAY, *_words("units"))
#: The kind of a heading that names none.
_OPEN = "aberrations"
#: Nouns of what was counted, by kind.
KINDS = {kind: _set("found", kind) for kind in _TABLE["found"]}

DOSE = Column("dose_gy", _set("dose", "spellings"), _UNITS)
CELLS = Column("cells", _set("cells", "spellings"), _words("counts"), _set("cells", "nouns"), _set("beside"))
DICENTRICS = Column(
    "dicentrics", frozenset({"x"}), _words("counts"), frozenset().union(*KINDS.values()), _set("beside")
)
SAMPLE = Column("sample", frozenset(), None, _set("sample", "nouns"), _set("sample", "beside"), _set("sample", "weak"))
WEIGHT = Column("weight", _set("weight", "spellings"))
_LABORATORY = Column(
    "laboratory", _set("laboratory", "spellings"), None, _set("laboratory", "nouns"), _set("sample", "beside")
)
_VALUE = Column("value", _set("value", "spellings"), _UNITS)
_REFERENCE = Column("reference", _set("reference", "spellings"), _UNITS)

COUNTS = Wanted(
    "a table of counts",
    (DOSE, CELLS, DICENTRICS, WEIGHT),
    (("dose_gy", "cells", "dicentrics"), ("dose_gy", "C")),
    "dose_gy and cells, dicentrics (or N, X) or C0, C1, ...",
    CountsError,
    "C",
)
SAMPLES = Wanted(
    "a table of samples",
    (SAMPLE, CELLS, DICENTRICS),
    (("sample", "cells", "dicentrics"), ("sample", "C")),
    "sample and cells, dicentrics (or N, X) or C0, C1, ...",
    CountsError,
    "C",
)
EXERCISE = Wanted(
    "a table of values by laboratory",
    (_LABORATORY, _VALUE, _REFERENCE, SAMPLE),
    (("value", "laboratory"), ("value",)),
    "laboratory and value (sample and reference where there are several)",
    CountsError,
)
VALIDATION = Wanted(
    "evaluation.csv of `evaluate`",
    tuple(Column(name) for name in ("dose_gy", "cells", "class", "true", "false", "missed")),
    (("dose_gy", "cells", "class", "true", "false", "missed"),),
    "dose_gy, cells, class, true, false and missed",
    CountsError,
)

#: What stands in a line that sums up the others, plain; also in a column of remarks.
SUMS = _set("sums", "anywhere")
#: The same as the whole name of a line.
SUMMARY = SUMS | _set("sums", "whole")
_FIRST, _LAST, _BEGINNINGS = _set("sums", "first"), _set("sums", "last"), _words("sums", "beginnings")


def kind_of(heading: str) -> str:
    """What the heading of a column of counts says was counted; "" where it leaves that open.

    Examples
    --------
    >>> kind_of("Nr. of dicentrics"), kind_of("MN"), kind_of("Translokationen"), kind_of("X"), kind_of("aberrations")
    ('dicentrics', 'micronuclei', 'translocations', '', '')
    """
    for kind, nouns in KINDS.items():
        named = Column(kind if kind != _OPEN else "x", frozenset(), DICENTRICS.units, nouns, DICENTRICS.beside)
        if named.fits(heading):
            return kind if kind != _OPEN else ""
    return ""


def kind_in(table: Table) -> str:
    """What the headings of a table say was counted, such as micronuclei; "" where they leave that open."""
    place = table.head.columns.get("dicentrics")
    return "" if place is None else kind_of(table.head.headings[place])


def check_kind(table: Table, aberration: str, whose: str) -> None:
    """Refuse counts of something else than a curve counts.

    Parameters
    ----------
    table : Table
    aberration : str
        What they must be of.
    whose : str
        Where that is said, for the message: the curve, or an option.

    Raises
    ------
    CountsError
        The heading of the counts says otherwise.
    """
    kind = kind_in(table)
    if kind and not counts_kind(aberration, kind):
        heading = table.head.headings[table.head.columns["dicentrics"]]
        raise CountsError(
            f"{table.head.place}: expected counts of {aberration}, as {whose} says, but a heading is {heading!r}; "
            f"rename the column if it holds {aberration}"
        )


def sums_up(name: str) -> bool:
    """Whether the name of a line says that it sums up others, or is their mean.

    Examples
    --------
    >>> [sums_up(name) for name in ("Mittel", "Ges.", "Summe A+B", "TOTAL DICENTRICS", "Sum (n=3)", "Ø")]
    [True, True, True, True, True, True]
    >>> [sums_up(name) for name in ("Summer, B.", "Gessner", "Totti", "Meany", "A-12", "")]
    [False, False, False, False, False, False]
    """
    words = plain(name).split()
    first = {" ".join(words[:k]) for k in (1, 2)} | {word.rstrip("0123456789") for word in words[:1]}
    last = words[-1] if len(words) > 1 else ""
    return (
        " ".join(words) in SUMMARY
        or not _FIRST.isdisjoint(first)
        or last in _LAST
        or " ".join(words).startswith(_BEGINNINGS)
    )
