"""File names -> wells, positions and times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from cytally.errors import ImageError, SettingsError
from cytally.files.names import shown

#: IncuCyte: ..._00d04h30m; others: _t012, -T00012, time3, frame_7.
_CLOCK = re.compile(r"[_\-\s](\d+)d(\d+)h(\d+)m", re.IGNORECASE)
_COUNT = re.compile(r"(?:^|[_\-\s.]+)(?:t|time|frame|f)[_\-]?(\d+)", re.IGNORECASE)
#: Words for a channel, left out where names of two channels are compared.
_CHANNEL = re.compile(
    r"(?:^|[_\-\s])(phase|phasecontrast|ph\d?|pc|bf|brightfield|trans|fluo|fluorescence|fl|green|red|dapi|gfp|hoechst|ch\d+|raw)(?=$|[_\-\s.])",
    re.IGNORECASE,
)
_WELL = re.compile(r"(?:^|[_\-\s])([A-P]\d{1,2})(?=$|[_\-\s])")


#: Position of an image whose name tells no more than the time.
_NAMELESS = "field"


@dataclass(frozen=True, order=True)
class FrameName:
    """What the name of an image says.

    Attributes
    ----------
    position : str
        Everything but channel and time: one tile of one well.
    time : int
        Frame number, or minutes where the name holds days, hours and minutes; 0 where neither.
    well : str
        "" where the name holds none.
    path : Path
    """

    position: str
    time: int
    well: str
    path: Path

    def __post_init__(self) -> None:
        """Positions become names of folders and captions, which must be text."""
        object.__setattr__(self, "position", shown(self.position))


@dataclass(frozen=True)
class Series:
    """The frames of one position, in time."""

    position: str
    well: str
    frames: tuple[FrameName, ...]
    missing: tuple[int, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """Images in the order of their times."""
        return [frame.path for frame in self.frames]


def folder_of(path: Path, root: Path) -> str:
    """The folders between a root and an image, as part of a position's name; "" where there is none.

    Examples
    --------
    >>> folder_of(Path("plate/A01/p1/t000.tif"), Path("plate"))
    'A01_p1'
    """
    return "_".join(path.relative_to(root).parent.parts) if path.is_relative_to(root) else ""


def parse_name(path: Path, pattern: str | None = None, folder: str = "") -> FrameName:
    """Well, position and time from a file name, and from the folders it lies in.

    Parameters
    ----------
    path : Path
    pattern : str, optional
        Regular expression with groups named position, frame and, if wanted, well.
    folder : str
        Put before the position: the same names may lie in several folders, one per well.

    Raises
    ------
    ImageError
        The pattern does not fit the name.

    Examples
    --------
    >>> parse_name(Path("VID7_B3_2_01d02h30m.tif")).time
    1590

    """
    found = _by_pattern(path, pattern) if pattern is not None else _by_habit(path)
    if not folder:
        return found
    position = folder if found.position == _NAMELESS else f"{folder}_{found.position}"
    well = found.well or _well_in(position)
    return replace(found, position=position, well=well)


def _by_habit(path: Path) -> FrameName:
    name, time = path.stem, 0
    clock, count = _CLOCK.search(name), None
    if clock:
        days, hours, minutes = (int(part) for part in clock.groups())
        time = (24 * days + hours) * 60 + minutes
        name = name[: clock.start()] + name[clock.end() :]
    else:
        count = _COUNT.search(name)
        if count:
            time = int(count[1])
            name = name[: count.start()] + name[count.end() :]
    name = _CHANNEL.sub("", name).strip("_- ")
    return FrameName(name or _NAMELESS, time, _well_in(name), path)


def _well_in(name: str) -> str:
    well = _WELL.search(name)
    return well[1] if well else ""


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
    if not time.isdigit():
        raise ImageError(f"{path.name}: expected digits in the group 'frame', got {time!r}; change --pattern")
    return FrameName(groups["position"] or _NAMELESS, int(time), groups.get("well") or "", path)


def series_of(
    paths: Sequence[Path], pattern: str | None = None, folders: Mapping[Path, str] | None = None
) -> list[Series]:
    """Images sorted into positions and times; `folders` as `parse_name` takes them, by path.

    Order follows the times in the names, not the order given. A time that is missing between
    regular others is told in `missing`.

    Raises
    ------
    ImageError
        Two images of one position and time.
    """
    by_position: dict[str, list[FrameName]] = {}
    for path in paths:
        frame = parse_name(path, pattern, (folders or {}).get(path, ""))
        by_position.setdefault(frame.position, []).append(frame)
    return [_series(position, sorted(frames)) for position, frames in sorted(by_position.items())]


def _series(position: str, frames: list[FrameName]) -> Series:
    times = [frame.time for frame in frames]
    for before, after in pairwise(frames):
        if before.time == after.time:
            raise ImageError(
                f"{before.path.name} and {after.path.name}: two images of position {position!r} at time {after.time}; "
                "give --pattern with groups position and frame"
            )
    steps = [b - a for a, b in pairwise(times)]
    usual = max(set(steps), key=lambda step: (steps.count(step), -step)) if steps else 1
    expected = set(range(times[0], times[-1] + 1, usual)) if steps else set(times)
    irregular = any(step % usual for step in steps)
    missing = () if irregular else tuple(sorted(expected - set(times)))
    return Series(position, frames[0].well, tuple(frames), missing)
