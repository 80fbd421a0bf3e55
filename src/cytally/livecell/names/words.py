"""Any name, word by word: `A01_s1_w1DAPI_t003`, `exp001t01xy01c1`, `VID7_B3_2_01d02h30m`, `Stack0007`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from cytally.livecell.names.schemes import Part, Role, by_scheme, well_name

_WORDS = {
    **dict.fromkeys(("t", "tp", "time", "timepoint", "tpoint", "frame"), Role.TIME),
    **dict.fromkeys(
        (
            "f",
            "fld",
            "field",
            "fov",
            "s",
            "site",
            "xy",
            "p",
            "pos",
            "position",
            "point",
            "series",
            "m",
            "tile",
            "scene",
            "region",
            "x",
            "y",
            "row",
            "col",
            "column",
        ),
        Role.FIELD,
    ),
    **dict.fromkeys(("c", "ch", "chan", "channel", "w", "wv", "wave", "wavelength"), Role.CHANNEL),
    **dict.fromkeys(("z", "zslice", "slice", "plane"), Role.Z),
}
#: ZEN: phase, block, view, rotation, illumination; only among others, as in `h0t0z0c0m0`.
_BESIDE = "hbvri"
#: Words that are told from the letters that they are joined to, as in `expxy01`; "batch" is no channel.
_LONG = ("xy", "fov", "fld", "field", "position", "scene", "region", "channel", "timepoint", "slice", "plane")
#: Words that a number may follow after a separator: `time_012`, `Pos 3`; "c 1" and "s 1" may be anything.
_APART = {
    "t",
    "tp",
    "time",
    "timepoint",
    "tpoint",
    "frame",
    "fld",
    "field",
    "fov",
    "site",
    "pos",
    "position",
    "series",
    "ch",
    "channel",
    "wv",
    "z",
    "slice",
    "plane",
    "xy",
}
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
    re.compile(
        r"(?<!\d)(?P<Y>\d{4})y(?P<M>\d{1,2})m(?P<D>\d{1,2})d[_\- ]?(?P<h>\d{1,2})h(?P<m>\d{1,2})m(?:(?P<s>\d{1,2})s)?",
        re.IGNORECASE,
    ),
    re.compile(r"(?<![A-Za-z0-9])(?P<h>\d+)h(?P<m>\d{1,2})m(?:(?P<s>\d+)s)?(?![A-Za-z0-9])", re.IGNORECASE),
    # 20240131_142500, 2024-01-31_14-25-00, 20240131T142500.
    re.compile(
        r"(?<!\d)(?P<Y>20\d{2})(?P<x>-?)(?P<M>\d{2})(?P=x)(?P<D>\d{2})[T_\- ](?P<h>\d{2})(?P<y>[-.]?)(?P<m>\d{2})(?P=y)(?P<s>\d{2})(?!\d)"
    ),
)
_SEPARATORS = re.compile(r"[_\-\s.,()\[\]]+")
_TOKEN = re.compile(r"([A-Za-z]+)(\d+)")
_ANY = "|".join(sorted(_WORDS, key=len, reverse=True))
#: Words with their numbers, joined to one another, behind a digit or where small and capital letters meet.
_RUN = re.compile(
    rf"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z])|(?<=[^a-z][A-Z])(?=[a-z])|(?=(?i:{'|'.join(_LONG)})\d))"
    rf"(?:(?:(?i:{_ANY})|[{_BESIDE}])[0-9]+)+"
)
TIME_WORDS = "|".join(sorted((word for word, role in _WORDS.items() if role is Role.TIME), key=len, reverse=True))
_Z_WORDS = "|".join(sorted((word for word, role in _WORDS.items() if role is Role.Z), key=len, reverse=True))
#: `0.5`, `t0.5`, `z0.5`, `1.5h`: the point parts nothing.
_DECIMAL = re.compile(
    rf"(?<![A-Za-z0-9.,])(?:(?:{TIME_WORDS}|{_Z_WORDS})\d+[.,]\d+|\d+[.,]\d{{1,2}})[^\W\d_]*(?![A-Za-z0-9.,])",
    re.IGNORECASE,
)
_PLUS = re.compile(rf"(?<![A-Za-z])({TIME_WORDS})\+(?=\d)", re.IGNORECASE)
#: ZEN: first and last column and row of a tile.
_TILE = re.compile(r"(?<=\d)x(\d+)-\d+y(\d+)-\d+")
_WELL = re.compile(r"([A-Pa-p]|A[A-F])(\d{1,2})")
_ROW_COL = re.compile(r"r(\d{1,3})c(\d{1,3})", re.IGNORECASE)


def parts_of(stem: str) -> list[Part]:
    """A name without its ending, in parts whose roles are known or likely.

    Numbers without a word have the role NUMBER, and what could be a well as well as a channel or field
    has `maybe`; other names of the folder decide, see `understand`.
    """
    stem = _TILE.sub(r"x\1y\2", _PLUS.sub(r"\1", _COLOURS.sub(r"\1", _UUID.sub("", stem))))
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
    words = _between(text)
    number = 0
    while number < len(words):
        before, word = words[number]
        after = words[number + 1][1] if number + 1 < len(words) else ""
        then = words[number + 2][1] if number + 2 < len(words) else ""
        if word.lower() in _APART and after.isdecimal():
            parts.append(Part(_WORDS[word.lower()], f"{word}{words[number + 1][0]}{after}", after, before))
            number += 2
        elif re.fullmatch("[A-P]", word) and re.fullmatch(r"\d{1,2}", after) and re.match(r"f(?:ld)?\d", then):
            parts.append(Part(Role.WELL, f"{word}{words[number + 1][0]}{after}", f"{word}{int(after):02d}", before))
            number += 2
        else:
            parts += _word(word, before)
            number += 1
    return parts


def _between(text: str) -> list[tuple[str, str]]:
    """What stands between separators, each with the separators before it."""
    decimals = [found.span() for found in _DECIMAL.finditer(text)]
    words: list[tuple[str, str]] = []
    before, at = "", 0
    for found in _SEPARATORS.finditer(text):
        if any(start < found.start() < end for start, end in decimals):
            continue
        if found.start() > at:
            words.append((before, text[at : found.start()]))
        before, at = found[0], found.end()
    return [*words, (before, text[at:])] if at < len(text) else words


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
    height = re.fullmatch(rf"(?:{_Z_WORDS})(\d+[.,]\d+)", word, re.IGNORECASE)
    if height:
        return [Part(Role.Z, word, height[1], before)]
    rows = _ROW_COL.match(word)
    if rows:
        well = Part(Role.WELL, rows[0], well_name(int(rows[1]), int(rows[2])), before)
        rest = word[rows.end() :]
        return [well, *(_word(rest, "") if rest else [])]
    if _WELL.fullmatch(word):
        return [Part(Role.WELL, word, word.upper(), before, maybe=_WORDS.get(word.rstrip("0123456789").lower()))]
    if _CHANNEL.fullmatch(word) and not _RUN.fullmatch(word):
        return [Part(Role.CHANNEL, word, word, before)]
    joined = _joined(word)
    if joined:
        return [replace(joined[0], before=before), *joined[1:]]
    numbered = re.fullmatch(r"(.*\D)([0-9]+)", word)
    if numbered:
        return [
            Part(Role.TEXT, numbered[1], numbered[1], before),
            Part(Role.NUMBER, numbered[2], numbered[2], ""),
        ]
    return [Part(Role.TEXT, word, word, before)]


def _joined(word: str) -> list[Part]:
    """`exp001t01xy01c1` -> `exp`, `001` and the three parts behind; [] where no words are known.

    One word alone must end the whole, for `p53KO` is no field.
    """
    for found in _RUN.finditer(word):
        tokens, start = _TOKEN.findall(found[0]), found.start()
        known = [letters.lower() in _WORDS for letters, _ in tokens]
        while tokens and sum(known) < 2 and not known[0]:  # `h2t01`: no phase, but a well
            start += len("".join(tokens.pop(0)))
            known.pop(0)
        if not tokens or (len(tokens) < 2 and found.end() < len(word)):
            continue
        ahead, behind = word[:start], word[found.end() :]
        alone = ahead and len(tokens) == 1
        own = _word("".join(tokens[0]), "") if alone else _roles(tokens, first=not ahead)
        return [*(_word(ahead, "") if ahead else []), *own, *(_word(behind, "") if behind else [])]
    return []


def _roles(tokens: list[tuple[str, str]], first: bool) -> list[Part]:
    """Parts of words with their numbers; a capital before small letters may be a well: `C1t01`."""
    parts = [
        Part(_role(letters.lower(), digits), letters + digits, _value(letters.lower(), digits), "")
        for letters, digits in tokens
    ]
    name = parts[0].text
    if first and len(parts) > 1 and name[0].isupper() and _WELL.fullmatch(name) and tokens[1][0].islower():
        parts[0] = replace(parts[0], role=Role.WELL, value=name, maybe=parts[0].role)
    return parts


def _role(word: str, digits: str) -> Role:
    """Wave lengths are few: `w1`; wells by number are many: `W0002`."""
    return Role.WELL if word == "w" and len(digits) > 2 else _WORDS.get(word, Role.FIELD)


def _value(word: str, digits: str) -> str:
    role = _role(word, digits)
    return f"{word}{digits}".upper() if role is Role.WELL else f"{word}{digits}" if role is Role.CHANNEL else digits
