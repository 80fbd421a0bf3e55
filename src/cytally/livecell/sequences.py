"""Images -> positions, and their frames in time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from cytally.errors import ImageError, SettingsError
from cytally.livecell.names.frame import FrameName
from cytally.livecell.names.understand import understand

__all__ = ["FrameName", "Series", "folder_of", "in_hours", "parse_name", "series_of", "way_out", "without"]
#: A sequence in which more than so many frames are missing for each that is there has no common step.
_SPARSE = 4
#: Times this share of a step off the grid are still on it.
_JITTER = 0.25


@dataclass(frozen=True)
class Series:
    """The frames of one position, in time.

    Attributes
    ----------
    position, well : str
    frames : tuple of FrameName
    missing : tuple of int
        Times that are missing between regular others.
    places : tuple of int
        Number of each frame from the first, from 0; what is missing leaves a hole. Where times follow no
        step, the place in the list.
    hours : tuple of float
        Of each frame, since the first image of all positions; empty where nobody knows.
    regular : bool
        `places` follow the times.
    """

    position: str
    well: str
    frames: tuple[FrameName, ...]
    missing: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    hours: tuple[float, ...] = ()
    regular: bool = True

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
    """What one name says by itself; `understand` asks all names of a folder together.

    Parameters
    ----------
    path : Path
    pattern : str, optional
        Regular expression with groups named position, frame and, if wanted, well, channel and z.
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
    return understand([path], pattern, {path: folder}).frames[0]


def series_of(
    paths: Sequence[Path],
    pattern: str | None = None,
    folders: Mapping[Path, str] | None = None,
    *,
    numbered: bool = False,
) -> list[Series]:
    """Images sorted into positions and times; `folders` and `numbered` as `understand` takes them.

    Order follows the times in the names, not the order given. A time that is missing between
    regular others is told in `missing`.

    Raises
    ------
    ImageError
        Two images of one position and time, or images of several channels.
    """
    frames = understand(paths, pattern, folders, numbered=numbered).frames
    by_position: dict[str, list[FrameName]] = {}
    for frame in frames:
        by_position.setdefault(frame.position, []).append(frame)
    for position, some in by_position.items():
        _refuse_doubles(position, sorted(some))
    _one_channel(frames)
    return [_series(position, sorted(some)) for position, some in sorted(by_position.items())]


def _refuse_doubles(position: str, frames: Sequence[FrameName]) -> None:
    for before, after in pairwise(frames):
        if before.time == after.time:
            raise ImageError(
                f"{before.path.name} and {after.path.name}: two images of position {position!r} at time {after.time}"
                f"{way_out(before, after)}"
            )


def way_out(one: FrameName, two: FrameName) -> str:
    """What tells two images of one position and time apart, and what to do; the end of a message."""
    if one.channel.lower() != two.channel.lower():
        names = [each.channel or "without a name" for each in (one, two)]
        return f", of the channels {names[0]} and {names[1]}; give the images of one channel, such as '*{two.channel or one.channel}*'"
    if one.z != two.z:
        return f", of the planes z {one.z or '?'} and z {two.z or '?'}; give one plane of each"
    return "; give --pattern with groups position and frame"


def _one_channel(frames: Sequence[FrameName]) -> None:
    named = {frame.channel.lower(): frame for frame in reversed(frames) if frame.channel}
    if len(named) > 1:
        one, two = list(named.values())[:2]
        raise ImageError(
            f"expected images of one channel, got {', '.join(sorted(named))} (such as {one.path.name} and {two.path.name}); "
            f"give those of one, such as '*{one.channel}*'"
        )


def _series(position: str, frames: list[FrameName]) -> Series:
    times = [frame.time for frame in frames]
    steps = [b - a for a, b in pairwise(times)]
    usual = max(set(steps), key=lambda step: (steps.count(step), -step)) if steps else 1
    expected = (
        set(range(times[0], times[-1] + 1, usual)) if steps and (times[-1] - times[0]) / usual < 1e6 else set(times)
    )
    irregular = any(step % usual for step in steps)
    missing = () if irregular else tuple(sorted(expected - set(times)))
    places = _places(times, steps, usual)
    return Series(
        position, frames[0].well, tuple(frames), missing, places or tuple(range(len(times))), regular=places is not None
    )


def without(one: Series, gone: set[Path]) -> Series:
    """A series without some of its images: what is gone leaves holes, and is missing."""
    stay = [k for k, frame in enumerate(one.frames) if frame.path not in gone]
    if len(stay) == len(one.frames):
        return one
    times = [one.frames[k].time for k in stay]
    lost = {frame.time for frame in one.frames if frame.path in gone}
    missing = {time for time in {*one.missing, *lost} if times and times[0] < time < times[-1]}
    first = one.places[stay[0]] if stay else 0
    return replace(
        one,
        frames=tuple(one.frames[k] for k in stay),
        missing=tuple(sorted(missing)),
        places=tuple(one.places[k] - first for k in stay),
        hours=tuple(one.hours[k] for k in stay if one.hours),
    )


def _places(times: Sequence[int], steps: Sequence[int], usual: int) -> tuple[int, ...] | None:
    """Number of each frame by its time; None where times follow no step."""
    if not steps:
        return (0,)
    unit = math.gcd(*steps)
    if (times[-1] - times[0]) // unit + 1 <= _SPARSE * len(times):
        return tuple((time - times[0]) // unit for time in times)
    places = [(time - times[0]) / usual for time in times]
    near = all(abs(place - round(place)) <= _JITTER for place in places)
    whole = tuple(round(place) for place in places)
    return whole if near and len(set(whole)) == len(whole) and whole[-1] < _SPARSE * len(whole) else None


def in_hours(
    series: Sequence[Series], hours: float | None, interval: Mapping[Path, float] | None = None
) -> list[Series]:
    """Series with the hours of their frames: from the names, else `hours`, else the images' own interval.

    Parameters
    ----------
    series : sequence of Series
    hours : float, optional
        Between one frame number and the next.
    interval : dict of Path to float, optional
        Hours between frames, as the first image of each position tells them.

    Raises
    ------
    SettingsError
        Hours that are not above 0, or that contradict the clock in the names.
    """
    if hours is not None and not (hours > 0 and math.isfinite(hours)):
        raise SettingsError(f"expected a time between frames above 0 hours, got {hours}")
    start = min((frame.time for one in series for frame in one.frames), default=0)
    return [_in_hours(one, hours, (interval or {}).get(one.frames[0].path), start) for one in series]


def _in_hours(one: Series, hours: float | None, interval: float | None, start: int) -> Series:
    told = [frame.hours for frame in one.frames if frame.hours is not None]
    if len(told) == len(one.frames):
        _agree(one, told, hours)
        return replace(one, hours=tuple(told))
    step = hours or interval
    return replace(one, hours=tuple((frame.time - start) * step for frame in one.frames)) if step else one


def _agree(one: Series, told: Sequence[float], hours: float | None) -> None:
    steps = [b - a for a, b in pairwise(told)]
    if hours is None or not steps:
        return
    usual = sorted(steps)[len(steps) // 2]
    if abs(usual / hours - round(usual / hours)) > 0.1 or usual / hours < 0.9:
        raise SettingsError(
            f"{one.position}: its names say {usual:g} hours between frames, --hours says {hours:g}; leave --hours out"
        )
