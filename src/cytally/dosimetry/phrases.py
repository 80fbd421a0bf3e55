"""The one catalogue of sentences on a dose, in English and in French: screen, JSON, pages and paper say the same.

The sentences stand in languages/en.toml and languages/fr.toml; those of a figure's English are its own `LABELS`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cytally.errors import SettingsError

LANGUAGES = ("en", "fr")
_FIELD = re.compile(r"\{(?::([^}]*))?\}")
#: French parts such a sign from its word, but never ends a line before it.
_APART = re.compile(" (?=[:;?%])")


def catalogue(language: str) -> Mapping[str, Mapping[str, str]]:
    """Sentences of a language by table: report, note, figure, noun.

    Raises
    ------
    SettingsError
        Another language than those of `LANGUAGES`.
    """
    from cytally.figures.curves import LABELS  # figures take long to import, and a note needs none

    return {"figure": LABELS} | _tables(language)


@cache
def _tables(language: str) -> dict[str, dict[str, str]]:
    """What the file of a language holds."""
    if language not in LANGUAGES:
        raise SettingsError(f"no report in {language!r}; expected one of {', '.join(LANGUAGES)}")
    place = files("cytally.dosimetry") / "languages" / f"{language}.toml"
    tables: dict[str, dict[str, str]] = tomllib.loads(place.read_text(encoding="utf-8"))
    if language == "fr":
        tables = {
            name: {key: _APART.sub("\N{NO-BREAK SPACE}", s) for key, s in t.items()} for name, t in tables.items()
        }
    return tables


#: What may have to be said about a dose; the value of a note goes into the braces.
NOTES = dict(_tables("en")["note"])


@dataclass(frozen=True)
class Note:
    """Something that must be said: one of `NOTES`, and the number that belongs to it."""

    key: str
    value: float = float("nan")

    def __str__(self) -> str:
        return NOTES[self.key].format(self.value)


class Words:
    """Sentences and numbers of one language.

    Parameters
    ----------
    language : {"en", "fr"}
    """

    def __init__(self, language: str) -> None:
        tables = catalogue(language)
        self.language = language
        self._notes = tables["note"]
        self._words = {**tables["report"], **tables["figure"], **tables["noun"]}

    def __call__(self, key: str, *values: object) -> str:
        """The sentence of a key, numbers already as text filled in."""
        return self._words[key].format(*values)

    def number(self, value: float, digits: int = 2) -> str:
        """A number as people of the language write it.

        Examples
        --------
        >>> Words("en").number(1.845), Words("fr").number(1.845, 1), Words("fr").number(float("nan"))
        ('1.84', '1,8', '-')
        """
        if value != value:
            return "-"
        return self.local(f"{value:.{digits}f}")

    def local(self, text: str) -> str:
        """A number already written in English, with the decimal mark of the language."""
        return text.replace(".", self._words["decimal"])

    def counted(self, number: int, noun: str) -> str:
        """Such as "1 dicentric" or "2 cells"; `noun` is dicentric or cell.

        French takes the singular for 0 and 1, English for 1 alone.
        """
        one = number <= 1 if self.language == "fr" else number == 1
        return self(f"{noun}_{'one' if one else 'many'}", number)

    def template(self, key: str) -> str:
        """The sentence of a key with its braces, for those who fill them in later."""
        return self._words[key]

    def listed(self, parts: Sequence[str], last: str = "and") -> str:
        """Several things in a sentence: "a, b and c", or with "or"."""
        return self(last).join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))

    def note(self, note: Note) -> str:
        """What a note on a dose says; in English where nobody has translated it."""
        sentence = self._notes.get(note.key)
        if sentence is None:
            return str(note)
        kinds = _FIELD.findall(NOTES[note.key])
        return _FIELD.sub("{}", sentence).format(*(self.local(format(note.value, kind)) for kind in kinds))
