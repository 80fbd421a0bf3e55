"""All names of a folder together: what varies from name to name decides what a number means."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from cytally.errors import ImageError, SettingsError
from cytally.files.names import shown, told_apart
from cytally.livecell.names.frame import NAMELESS, FrameName
from cytally.livecell.names.numbers import consecutive_slot, too_far_apart
from cytally.livecell.names.schemes import Part, Role
from cytally.livecell.names.words import TIME_WORDS, parts_of, well_in

#: ImageXpress and others keep each time in a folder of its own.
_TIME_FOLDER = re.compile(r"(?:^|(?<=_))(?:time[ _-]?point|time|tp|t)[ _-]?(\d+)(?=_|$)", re.IGNORECASE)
#: `t0.5`; `t-1`, behind whose hyphen may be another separator or a sign; `t1`.
_DECIMAL = re.compile(rf"(?<![A-Za-z])(?:{TIME_WORDS})[ _-]?(\d+[.,]\d+)(?!\d)", re.IGNORECASE)
_SIGNED = re.compile(rf"(?<![A-Za-z\-])(?:{TIME_WORDS})[-\u2013\u2212](\d+)(?!\d)", re.IGNORECASE)
_WHOLE = re.compile(rf"(?<![A-Za-z])(?:{TIME_WORDS})\+?\d", re.IGNORECASE)
_OME = re.compile(r"\.ome$", re.IGNORECASE)
#: Seconds above this count from year 1: a date.
_DATE = 1e10
#: Stands for a time until all clocks of the folder are known.
_BY_CLOCK = -1


@dataclass(frozen=True)
class Understood:
    """What names say, in the order given, and remarks on how they were read."""

    frames: tuple[FrameName, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Name:
    path: Path
    folder: str
    parts: list[Part]
    time: int | None = None
    folder_time: int | None = None


def understand(
    paths: Sequence[Path],
    pattern: str | None = None,
    folders: Mapping[Path, str] | None = None,
    *,
    numbered: bool = False,
) -> Understood:
    """Position, well, channel, plane and time of images, from their names.

    Parameters
    ----------
    paths : sequence of Path
    pattern : str, optional
        Regular expression with groups named position, frame and, if wanted, well, channel and z; rules alone.
    folders : dict of Path to str
        Put before the position: the same names may lie in several folders, one per well.
    numbered : bool
        Numbers without a word (0001.tif, img_0001.tif) are times, where no word says which number is.

    Raises
    ------
    ImageError
        A pattern that does not fit a name, thumbnails, times with decimals or signs, or two numbers of
        which either could be the time.

    Notes
    -----
    Words decide first: t, time, frame are times; f, s, xy, p, field, site never are. Of two times, that
    which varies while all else is fixed is the time. A number without a word is one only on demand.
    """
    within = folders or {}
    if pattern is not None:
        return Understood(tuple(_as_text([_placed(_by_pattern(p, pattern), within.get(p, "")) for p in paths])))
    _refuse_unclear(paths)
    names = [_Name(path, within.get(path, ""), parts_of(_OME.sub("", path.stem))) for path in paths]
    _refuse_thumbnails(names)
    layouts: dict[tuple[Role, ...], list[_Name]] = defaultdict(list)
    for name in names:
        layouts[tuple(part.role for part in name.parts)].append(name)
    notes: list[str] = []
    found: dict[Path, FrameName] = {}
    for layout in layouts.values():
        _settle_wells(layout)
        time, note = _time_slot(layout, numbered)
        notes += [note] if note else []
        if time is None:
            _times_from_folders(layout)
        found |= {name.path: _frame(name, time, _clock_slot(layout, time)) for name in layout}
    frames, merged = _in_one_case(_from_first(_as_text([found[path] for path in paths])))
    return Understood(tuple(frames), tuple(dict.fromkeys([*notes, *merged])))


def _by_pattern(path: Path, pattern: str) -> FrameName:
    try:
        found = re.search(pattern, path.name)
    except re.error as error:
        raise SettingsError(f"pattern {pattern!r}: not a regular expression ({error})") from error
    groups = found.groupdict() if found else {}
    if not found or "position" not in groups:
        raise ImageError(
            f"{path.name}: expected a name that fits {pattern!r} with a group 'position'; change --pattern"
        )
    time = groups.get("frame") or "0"
    if not time.isdecimal():
        raise ImageError(f"{path.name}: expected digits in the group 'frame', got {time!r}; change --pattern")
    return FrameName(
        groups["position"] or NAMELESS,
        int(time),
        groups.get("well") or "",
        path,
        groups.get("channel") or "",
        groups.get("z") or "",
        timed=bool(groups.get("frame")),
    )


def _refuse_unclear(paths: Sequence[Path]) -> None:
    """Times that are no whole numbers, or that may be below 0."""
    stems = {path: _OME.sub("", path.stem) for path in paths}
    decimal = {path: found for path, stem in stems.items() if (found := _DECIMAL.search(stem))}
    if len({found[1] for found in decimal.values()}) > 1:
        path, found = next(iter(decimal.items()))
        raise ImageError(
            f"{path.name}: expected whole numbers as times, got {found[1]!r}; rename the images so that times are whole numbers "
            "(t000, t001) or clocks (00d00h30m), or give --pattern with groups position and frame"
        )
    signed = {path: found for path, stem in stems.items() if (found := _SIGNED.search(stem))}
    whole = any(_WHOLE.search(stem) for path, stem in stems.items() if path not in signed)
    digits = {found[1] for found in signed.values()}
    if whole or (len(digits) > 1 and not any(each.startswith("0") for each in digits)):
        for path, found in signed.items():
            raise ImageError(
                f"{path.name}: {found[0]!r} may be the time {int(found[1])} or {-int(found[1])}; rename the images so that "
                "times have no sign (t000, t001), or give --pattern with groups position and frame"
            )


def _refuse_thumbnails(names: Sequence[_Name]) -> None:
    small = [n.path.name for n in names if any(p.text.lower() in ("thumb", "thumbnail") for p in n.parts)]
    if small:
        raise ImageError(
            f"{small[0]}: {len(small)} of {len(names)} images are thumbnails by their names; give the images without them"
        )


def _settle_wells(layout: Sequence[_Name]) -> None:
    """`C01` is a well, a channel or, as `F01` and `P01`, a field: the others of its place, and its neighbours, tell."""
    for slot in range(len(layout[0].parts)):
        here = [name.parts[slot] for name in layout]
        if here[0].role is not Role.WELL or all(part.maybe is None for part in here):
            continue
        letters = {part.text.rstrip("0123456789") for part in here}
        if len(letters) > 1 or not (letters.pop().islower() or _no_well(layout[0].parts, slot, here)):
            for name in layout:
                name.parts[slot] = replace(name.parts[slot], maybe=None)
            continue
        for name in layout:
            part = name.parts[slot]
            role = part.maybe or Role.WELL
            name.parts[slot] = replace(part, role=role, maybe=None, value=_plain(part, role))


def _plain(part: Part, role: Role) -> str:
    return part.text if role in (Role.CHANNEL, Role.WELL) else part.text.lstrip("CcFfPpMm")


def _no_well(parts: Sequence[Part], slot: int, here: Sequence[Part]) -> bool:
    """A well stands elsewhere in the name, or capitals that mark other fields, or the number is 0."""
    others = [part for k, part in enumerate(parts) if k != slot]
    well = any(part.role is Role.WELL and part.maybe is None for part in others)
    capitals = any(p.role in (Role.FIELD, Role.Z) and p.text[:1].isupper() and len(p.text) < 7 for p in others)
    return well or capitals or any(int(part.text.lstrip("CFPM")) == 0 for part in here)


def _time_slot(layout: Sequence[_Name], numbered: bool) -> tuple[int | None, str]:
    """The part that is the time, and a remark on it."""
    roles = [part.role for part in layout[0].parts]
    slots = [k for k, role in enumerate(roles) if role in (Role.TIME, Role.CLOCK)]
    varying = _varying(layout, slots)
    words = [k for k in varying if roles[k] is Role.TIME]
    if words:
        return max(words, key=lambda k: varying[k]), ""
    if varying:
        return max(varying, key=lambda k: varying[k]), ""
    if numbered:
        parts, within, example = [n.parts for n in layout], [n.folder for n in layout], layout[0].path.name
        found, far = consecutive_slot(parts, within, example), too_far_apart(parts, within)
        if found is not None:
            return found, f"numbers such as {parts[0][found].text} in {example} are taken for times"
        if far is not None and not slots:
            return (
                None,
                f"numbers such as {parts[0][far].text} in {example} are too far apart to count frames",
            )
    return (slots[0] if slots else None), ""


def _varying(layout: Sequence[_Name], slots: Sequence[int]) -> dict[int, int]:
    """Those of some parts that take several values while all else is fixed, with the number of values."""
    groups: dict[tuple[str, ...], list[_Name]] = defaultdict(list)
    for name in layout:
        fixed = [part.text for k, part in enumerate(name.parts) if k not in slots]
        groups[name.folder, *fixed].append(name)
    most = {k: max(len({n.parts[k].text for n in group}) for group in groups.values()) for k in slots}
    return {k: count for k, count in most.items() if count > 1}


def _clock_slot(layout: Sequence[_Name], time: int | None) -> int | None:
    """A clock that goes on with the time."""
    if time is None or layout[0].parts[time].role is Role.CLOCK:
        return time
    slot = next((k for k, part in enumerate(layout[0].parts) if part.role is Role.CLOCK), None)
    if slot is None:
        return None
    groups: dict[tuple[str, ...], list[tuple[int, float]]] = defaultdict(list)
    for name in layout:
        fixed = [part.text for k, part in enumerate(name.parts) if k not in (time, slot)]
        groups[name.folder, *fixed].append((int(name.parts[time].value), name.parts[slot].seconds or 0.0))
    ordered = [[seconds for _, seconds in sorted(group)] for group in groups.values()]
    return slot if all(a < b for seconds in ordered for a, b in pairwise(seconds)) else None


def _times_from_folders(layout: Sequence[_Name]) -> None:
    for name in layout:
        found = _TIME_FOLDER.search(name.folder)
        if found:
            name.folder_time = int(found[1])
            name.folder = re.sub("_+", "_", name.folder[: found.start()] + name.folder[found.end() :]).strip("_")


def _frame(name: _Name, time: int | None, clock: int | None) -> FrameName:
    said = name.parts[time] if time is not None else None
    seconds = name.parts[clock].seconds if clock is not None else None
    left = {Role.CHANNEL, Role.Z, Role.CLOCK}
    kept = [k for k, part in enumerate(name.parts) if k != time and part.role not in left]
    channel = " ".join(p.value for p in name.parts if p.role is Role.CHANNEL and p.value)
    z = next((part.value for part in name.parts if part.role is Role.Z), "")
    well = next((part.value for part in name.parts if part.role is Role.WELL), "")
    number = name.folder_time or 0
    if said is not None:
        number = _BY_CLOCK if said.role is Role.CLOCK else int(said.value)
    timed = said is not None or name.folder_time is not None
    hours = seconds / 3600 if seconds is not None and timed else None
    found = FrameName(_joined(name.parts, kept), number, well, name.path, channel, z, hours, timed)
    return _placed(found, name.folder)


def _joined(parts: Sequence[Part], kept: Sequence[int]) -> str:
    """Kept parts with what stood before each; `_` where a part fell out of a word."""
    text = ""
    for before, k in pairwise([-1, *kept]):
        text += (parts[k].before or ("" if before == k - 1 else "_")) + parts[k].text
    return text.strip("_- .()[],") or NAMELESS


def _placed(found: FrameName, folder: str) -> FrameName:
    """The folder before the position."""
    if not folder:
        return found
    position = folder if found.position == NAMELESS else f"{folder}_{found.position}"
    return replace(found, position=position, well=found.well or well_in(position))


def _as_text(frames: Sequence[FrameName]) -> list[FrameName]:
    """Positions become names of folders and captions, which must be text; those shown alike stay apart."""
    names = told_apart(dict.fromkeys(frame.position for frame in frames))
    return [replace(f, position=names[f.position], channel=shown(f.channel), well=shown(f.well)) for f in frames]


def _from_first(frames: Sequence[FrameName]) -> list[FrameName]:
    """Dates count from the first; times by the clock in minutes, or seconds where a clock shows them."""
    dates = [f.hours for f in frames if f.hours is not None and f.hours > _DATE / 3600]
    first = min(dates, default=0.0)
    result = []
    for frame in frames:
        hours = frame.hours
        if hours is not None and hours > _DATE / 3600:
            hours -= first
        result.append(replace(frame, hours=None if hours is None else round(hours, 9)))
    seconds = [round((f.hours or 0) * 3600) for f in result if f.time == _BY_CLOCK]
    unit = 1 if any(each % 60 for each in seconds) else 60
    return [replace(f, time=round((f.hours or 0) * 3600) // unit) if f.time == _BY_CLOCK else f for f in result]


def _in_one_case(frames: Sequence[FrameName]) -> tuple[list[FrameName], list[str]]:
    """`a1` beside `A1` is one position, unless both have an image of the same time, channel and plane."""
    spelt: dict[str, dict[str, set[tuple[int, str, str]]]] = defaultdict(lambda: defaultdict(set))
    for frame in frames:
        spelt[frame.position.casefold()][frame.position].add((frame.time, frame.channel.lower(), frame.z))
    first: dict[str, str] = {}
    said: list[str] = []
    for spellings in spelt.values():
        seen = list(spellings.values())
        if len(seen) > 1 and len(set().union(*seen)) == sum(map(len, seen)):
            one, *others = sorted(spellings)
            first |= dict.fromkeys(others, one)
            said.append(f"positions {', '.join([one, *others])} are taken for one")
    return [replace(frame, position=first.get(frame.position, frame.position)) for frame in frames], said
