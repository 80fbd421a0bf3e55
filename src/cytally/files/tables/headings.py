"""Headings as people write them -> the columns that a reader asks for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from cytally.errors import FileError, InputError

#: Units that stand behind a heading without brackets too, such as dose_gy or "dose in mGy".
_UNITS = frozenset(
    {"gy", "gray", "grays", "cgy", "mgy", "ugy", "µgy", "rad", "rads", "sv", "msv", "px", "pixel", "pixels", "um", "µm"}
)
_SILENT = frozenset(" \t\r\n\v\f\xa0_.,:;-–'\"’")
_BRACKETS = re.compile(r"^([^(\[{]*)[(\[{]([^)\]}]*)[)\]}]\s*$", re.DOTALL)
_NUMBER = re.compile(r"№|\bn[\s.]?[°º]", re.IGNORECASE)
#: The longest numbered family: columns C0 to C200.
HIGHEST = 200


def plain(heading: str) -> str:
    """Small letters without accents; blanks, underscores, hyphens and full stops part words.

    Every other sign stays, so that `dicentrics / cell` is not `dicentrics`.

    Examples
    --------
    >>> plain(" Nr. of_Dicentrics"), plain("N.º de células"), plain("dic/cell")
    ('nr of dicentrics', 'no de celulas', 'dic / cell')
    """
    letters = unicodedata.normalize("NFD", _NUMBER.sub("no ", heading).casefold())
    kept = "".join(" " if c in _SILENT else c for c in letters if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+|[^\w\s]", kept))


def unit_of(heading: str) -> tuple[str, str]:
    """Name and unit of a heading, both plain; "" where there is no unit.

    Examples
    --------
    >>> unit_of("Dose (mGy)"), unit_of("dose_gy"), unit_of("Dose in Gy"), unit_of("Cells")
    (('dose', 'mgy'), ('dose', 'gy'), ('dose', 'gy'), ('cells', ''))
    """
    bracketed = _BRACKETS.match(heading)
    if bracketed:
        return plain(bracketed[1]), plain(bracketed[2])
    words = plain(heading).split()
    if len(words) > 1 and words[-1] in _UNITS:
        name = words[:-1]
        return " ".join(name[:-1] if len(name) > 1 and name[-1] in ("in", "/", "en") else name), words[-1]
    return " ".join(words), ""


@dataclass(frozen=True)
class Column:
    """A column that a reader knows.

    Attributes
    ----------
    name : str
        In messages and in code.
    spellings : frozenset of str
        Other headings for it, plain.
    units : tuple of str or None
        What may stand in brackets behind it, plain; None: anything.
    nouns : frozenset of str
        Spellings that may have some of the `beside` around them.
    beside : frozenset of str
        Words around a noun that do not change what it means, such as "number", "of" and "scored"; they may stand in
        brackets too.
    weak : frozenset of str
        Spellings that count only where no other heading names this column.
    """

    name: str
    spellings: frozenset[str] = frozenset()
    units: tuple[str, ...] | None = ()
    nouns: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()

    def fits(self, heading: str) -> bool:
        """Whether a heading names this column, weakly or not."""
        name, unit = unit_of(heading)
        if self._named(plain(heading)):
            return True
        silent = self.units is None or unit in ("", *self.units) or self.beside.issuperset(unit.split())
        return silent and self._named(name)

    def fits_weakly(self, heading: str) -> bool:
        """Whether it does so only where no other heading does."""
        return plain(heading) in self.weak or unit_of(heading)[0] in self.weak

    def _named(self, name: str) -> bool:
        if name in {plain(self.name), *self.spellings, *self.weak}:
            return True
        words = name.split()
        first = next((k for k, word in enumerate(words) if word not in self.beside), len(words))
        last = next((k for k in range(len(words), 0, -1) if words[k - 1] not in self.beside), 0)
        return " ".join(words[first:last]) in self.nouns


@dataclass(frozen=True)
class Wanted:
    """What a reader asks of a table.

    Attributes
    ----------
    what : str
        The table in words, such as "a table of counts".
    columns : tuple of Column
        Those that it knows; others are left alone.
    needed : tuple of tuples of str
        Sets of columns, one of which must be there whole.
    needs : str
        The same in words.
    error : type
        Of what does not make sense.
    family : str
        Letter of numbered columns such as C0, C1, ...; it stands in `needed` for any of them.
    """

    what: str
    columns: tuple[Column, ...]
    needed: tuple[tuple[str, ...], ...]
    needs: str
    error: type[InputError]
    family: str = ""


@dataclass(frozen=True)
class Match:
    """Which heading is which.

    Attributes
    ----------
    places : dict
        Column or member of the family (such as "C2") -> place.
    twice : dict
        Column -> its headings, where there are several.
    odd : tuple of str
        Headings that look like members of the family and are none.
    missing : tuple of str
        What lacks to the nearest of the needed sets.
    """

    places: dict[str, int]
    twice: dict[str, tuple[str, ...]] = field(default_factory=dict)
    odd: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def match(headings: Sequence[str], wanted: Wanted) -> Match:
    """Compare a line of cells with the columns asked for."""
    found: dict[str, list[int]] = {}
    odd = []
    for place, heading in enumerate(headings):
        member = _member(heading, wanted.family)
        if member is not None:
            found.setdefault(member, []).append(place) if member else odd.append(heading)
            continue
        for column in wanted.columns:
            if heading and column.fits(heading):
                found.setdefault(column.name, []).append(place)
    has = {wanted.family} if odd or any(_is_member(n, wanted.family) for n in found) else set()
    for column in wanted.columns:
        places = found.get(column.name, [])
        strong = [place for place in places if not column.fits_weakly(headings[place])]
        if strong and len(places) > len(strong):
            found[column.name] = strong
    lacking = [tuple(n for n in names if n not in found and n not in has) for names in wanted.needed]
    return Match(
        {name: places[0] for name, places in found.items()},
        {name: tuple(headings[k] for k in places) for name, places in found.items() if len(places) > 1},
        tuple(odd),
        min(lacking, key=lambda names: (bool(wanted.family) and wanted.family in names, len(names)), default=()),
    )


def check(headings: Sequence[str], matched: Match, where: str, wanted: Wanted) -> None:
    """Refuse headings that are there twice, or that cannot be told apart.

    Raises
    ------
    FileError
        One heading twice.
    InputError
        Of `wanted.error`: two headings for one column, or a member of the family that is
        written in another way.
    """
    seen: dict[str, str] = {}
    for heading in headings:
        same = " ".join(heading.casefold().split())
        if same and same in seen:
            raise FileError(f"{where}: expected every heading once, got {heading!r} twice; rename one")
        seen[same] = heading
    for name, several in matched.twice.items():
        raise wanted.error(
            f"{where}: {' and '.join(map(repr, several))} could both be the column {name}; rename or delete one"
        )
    if matched.odd:
        raise wanted.error(
            f"{where}: expected columns {wanted.family}0, {wanted.family}1, ... up to {wanted.family}{HIGHEST}, "
            f"got {', '.join(map(repr, matched.odd))}; rename or delete"
        )


def _member(heading: str, family: str) -> str | None:
    """`C2` for a member of the family, "" for one that cannot be read, None for another heading."""
    if not family:
        return None
    tight = re.sub(r"[\s_]+", "", heading).upper()
    rest = tight[len(family) :]
    if not tight.startswith(family) or not rest or not rest[0].isnumeric():
        return None
    canonical = re.fullmatch(r"0|[1-9][0-9]{0,2}", rest) and int(rest) <= HIGHEST
    return f"{family}{rest}" if canonical else ""


def _is_member(name: str, family: str) -> bool:
    return bool(family) and name.startswith(family) and name[len(family) :].isdigit()
