"""Any name, word by word: `A01_s1_w1DAPI_t003`, `xy1c1t1`, `VID7_B3_2_01d02h30m`, `Stack0007`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from cytally.livecell.names.schemes import Part, Role, by_scheme, well_name

_WORDS = {
    **dict.fromkeys(("t", "tp", "time", "timepoint", "tpoint", "frame"), Role.TIME),
    **dict.fromkeys(("f", "fld", "field", "fov", "s", "site", "xy", "p", "pos", "position", "point", "series", "m",
                     "tile", "scene", "region"), Role.FIELD),
    **dict.fromkeys(("c", "ch", "chan", "channel", "w", "wv", "wave", "wavelength"), Role.CHANNEL),
    **dict.fromkeys(("z", "zslice", "slice", "plane"), Role.Z),
}  # fmt: skip
#: Words that a number may follow after a separator: `time_012`, `Pos 3`; "c 1" and "s 1" may be anything.
_APART = {
    "t", "tp", "time", "timepoint", "tpoint", "frame", "fld", "field", "fov", "site", "pos", "position", "series",
    "ch", "channel", "wv", "z", "slice", "plane", "xy",
}  # fmt: skip
#: Names of channels; those in `_SILENT` tell nothing of which one.
_CHANNEL = re.compile(
    r"phase|phasecontrast|ph\d?|pc|bf|brightfield|trans|dic|fluo|fluorescence|fl|blue|green|red|farred|nir|dapi|hoechst|"
    r"gfp|egfp|yfp|cfp|rfp|mcherry|cherry|tdtomato|fitc|tritc|texasred|cy[357]|alexa\d{3}|w\d[a-z][\w ]*",
    re.IGNORECASE,
)
_SILENT = {"raw", "org", "orig", "contrast"}
_UUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
#: IN Cell exports: the colour of excitation and emission behind the number of the channel.
_COLOURS = re.compile(r"(?<=_)(c\d+)_x[A-Z][^_]*_m[A-Z][^_]*(?=_|$)")
_CLOCKS = (
    # IncuCyte since its start, and by date.
    re.compile(r"(?<![A-Za-z0-9])(?P<d>\d+)d(?P<h>\d+)h(?P<m>\d+)m(?:(?P<s>\d+)s)?(?![A-Za-z0-9])", re.IGNORECASE),
    re.compile(r"(?<!\d)(?P<Y>\d{4})y(?P<M>\d{1,2})m(?P<D>\d{1,2})d[_\- ]?(?P<h>\d{1,2})h(?P<m>\d{1,2})m(?:(?P<s>\d{1,2})s)?",
               re.IGNORECASE),
    re.compile(r"(?<![A-Za-z0-9])(?P<h>\d+)h(?P<m>\d{1,2})m(?:(?P<s>\d+)s)?(?![A-Za-z0-9])", re.IGNORECASE),
    # 20240131_142500, 2024-01-31_14-25-00, 20240131T142500.
    re.compile(r"(?<!\d)(?P<Y>20\d{2})(?P<x>-?)(?P<M>\d{2})(?P=x)(?P<D>\d{2})[T_\- ](?P<h>\d{2})(?P<y>[-.]?)(?P<m>\d{2})(?P=y)(?P<s>\d{2})(?!\d)"),
)  # fmt: skip
_SEPARATORS = re.compile(r"[_\-\s.,()\[\]]+")
_RUN = re.compile(r"(?:[A-Za-z]+\d+)+")
_TOKEN = re.compile(r"([A-Za-z]+)(\d+)")
_WELL = re.compile(r"([A-Pa-p]|A[A-F])(\d{1,2})")
_ROW_COL = re.compile(r"r(\d{1,3})c(\d{1,3})", re.IGNORECASE)


def parts_of(stem: str) -> list[Part]:
    """A name without its ending, in parts whose roles are known or likely.

    Numbers without a word have the role NUMBER, and what could be a well as well as a channel or field
    has `maybe`; other names of the folder decide, see `understand`.
    """
    stem = _COLOURS.sub(r"\1", _UUID.sub("", stem))
    whole = by_scheme(stem)
    if whole is not None:
        return whole
    for form in _CLOCKS:
        found = form.search(stem)
        seconds = _seconds(found.groupdict()) if found else None
        if found and seconds is not None:
            clock = Part(Role.CLOCK, found[0], found[0], seconds=seconds)
            return _first([*_chunks(stem[: found.start()]), clock, *_chunks(stem[found.end() :])])
    return _first(_chunks(stem))


def well_in(text: str) -> str:
    """The first well among the words of a folder's name; "" where there is none.

    Examples
    --------
    >>> well_in("plate_B07_site1"), well_in("r02c03"), well_in("controls")
    ('B07', 'B03', '')
    """
    for word in _SEPARATORS.split(text):
        rows = _ROW_COL.fullmatch(word)
        if rows:
            return well_name(int(rows[1]), int(rows[2]))
        if _WELL.fullmatch(word) and not word[0].islower():
            return word.upper()
    return ""


def _seconds(said: dict[str, str | None]) -> float | None:
    day, hour, minute, second = (int(said.get(key) or 0) for key in "dhms")
    if said.get("Y") is None:
        return float(((day * 24 + hour) * 60 + minute) * 60 + second)
    year, month, date = (int(said[key] or 0) for key in "YMD")
    try:
        return (datetime(year, month, date, hour, minute, second) - datetime(1, 1, 1)).total_seconds()
    except ValueError:
        return None


def _chunks(text: str) -> list[Part]:
    """Parts between separators."""
    parts: list[Part] = []
    before, at = "", 0
    words: list[tuple[str, str]] = []
    for found in _SEPARATORS.finditer(text):
        if found.start() > at:
            words.append((before, text[at : found.start()]))
        before, at = found[0], found.end()
    if at < len(text):
        words.append((before, text[at:]))
    number = 0
    while number < len(words):
        before, word = words[number]
        after = words[number + 1][1] if number + 1 < len(words) else ""
        then = words[number + 2][1] if number + 2 < len(words) else ""
        if word.lower() in _APART and after.isdecimal():
            parts.append(Part(_WORDS[word.lower()], f"{word}{words[number + 1][0]}{after}", after, before))
            number += 2
        elif (
            re.fullmatch("[A-P]", word) and re.fullmatch(r"\d{1,2}", after) and re.match(r"f(?:ld)?\d", then)
        ):
            parts.append(
                Part(Role.WELL, f"{word}{words[number + 1][0]}{after}", f"{word}{int(after):02d}", before)
            )
            number += 2
        else:
            parts += _word(word, before)
            number += 1
    return parts


def _first(parts: list[Part]) -> list[Part]:
    """`w1_lapse`: no microscope begins a name with the wave length; people begin it with the well."""
    if parts and parts[0].role is Role.CHANNEL and re.fullmatch(r"[wW]\d+", parts[0].text):
        return [replace(parts[0], role=Role.FIELD), *parts[1:]]
    return parts


def _word(word: str, before: str) -> list[Part]:
    """Parts of what stands between two separators."""
    if word.isdecimal():
        return [Part(Role.NUMBER, word, word, before)]
    if word.lower() in _SILENT:
        return [Part(Role.CHANNEL, word, "", before)]
    rows = _ROW_COL.match(word)
    if rows:
        well = Part(Role.WELL, rows[0], well_name(int(rows[1]), int(rows[2])), before)
        rest = word[rows.end() :]
        return [well, *(_word(rest, "") if rest else [])]
    if _WELL.fullmatch(word):
        return [
            Part(Role.WELL, word, word.upper(), before, maybe=_WORDS.get(word.rstrip("0123456789").lower()))
        ]
    known = _roles(word)
    if known:
        return [replace(known[0], before=before), *known[1:]]
    if _CHANNEL.fullmatch(word):
        return [Part(Role.CHANNEL, word, word, before)]
    led = re.match(r"([A-P]\d{2})(?=[a-z])", word)
    if led and _roles(word[led.end() :]):
        return [Part(Role.WELL, led[1], led[1], before), *_roles(word[led.end() :])]
    numbered = re.fullmatch(r"(.*\D)(\d+)", word)
    if numbered and numbered[2].isascii():
        return [
            Part(Role.TEXT, numbered[1], numbered[1], before),
            Part(Role.NUMBER, numbered[2], numbered[2], ""),
        ]
    return [Part(Role.TEXT, word, word, before)]


def _roles(word: str) -> list[Part]:
    """`xy1c1t1` -> its three parts; [] where not every word is known."""
    if not _RUN.fullmatch(word):
        return []
    tokens = _TOKEN.findall(word)
    if not all(letters.lower() in _WORDS for letters, _ in tokens):
        return []
    return [Part(_role(letters.lower(), digits), letters + digits, _value(letters.lower(), digits), "")
            for letters, digits in tokens]  # fmt: skip


def _role(word: str, digits: str) -> Role:
    """Wave lengths are few: `w1`; wells by number are many: `W0002`."""
    return Role.WELL if word == "w" and len(digits) > 2 else _WORDS[word]


def _value(word: str, digits: str) -> str:
    role = _role(word, digits)
    return (
        f"{word}{digits}".upper()
        if role is Role.WELL
        else f"{word}{digits}"
        if role is Role.CHANNEL
        else digits
    )
