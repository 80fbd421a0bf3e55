"""What was understood of the names of a folder, as a table and as data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cytally.livecell.names.frame import FrameName

_SHOWN = 12


@dataclass(frozen=True)
class Listing:
    """Names as they were understood.

    Attributes
    ----------
    rows : tuple of (str, FrameName)
        Name of the image relative to its folder, and what it says.
    notes : tuple of str
        How it was read.
    problems : tuple of str
        What a count or a track of all of these images would be refused for, or lack.
    doubled : bool
        Two images are of one position, channel, time and plane.
    """

    rows: tuple[tuple[str, FrameName], ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    doubled: bool = False

    @property
    def understood(self) -> bool:
        """Any name says more than itself."""
        return any(f.timed or f.channel or f.well or f.z for _, f in self.rows)

    @property
    def summary(self) -> str:
        """One line: how many positions, times, channels and planes."""
        frames = [frame for _, frame in self.rows]
        counts = {len(times) for times in _times(frames).values()}
        usual = f"{min(counts)} to {max(counts)} times each" if len(counts) > 1 else f"{counts.pop()} times each"
        positions = len({frame.position for frame in frames})
        said = [
            f"{len(frames)} images",
            f"{positions} position{'s' if positions != 1 else ''}",
            usual.replace("1 times", "1 time") if usual == "1 times each" else usual,
        ]
        channels = sorted({frame.channel for frame in frames if frame.channel})
        planes = {frame.z for frame in frames if frame.z}
        said += [f"channels {', '.join(channels)}"] if channels else []
        said += [f"{len(planes)} planes"] if len(planes) > 1 else []
        return "; ".join(said)


def listing(rows: Sequence[tuple[str, FrameName]], notes: Sequence[str]) -> Listing:
    """Names with what is wrong between them: doubles, channels and times that some positions lack."""
    frames = [frame for _, frame in rows]
    doubles = _doubles(rows)
    return Listing(tuple(rows), tuple(notes), (*doubles, *_uneven(frames), *_no_times(frames)), bool(doubles))


def _times(frames: Sequence[FrameName]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for frame in frames:
        found[frame.position].add(frame.time)
    return found


def _doubles(rows: Sequence[tuple[str, FrameName]]) -> list[str]:
    seen: dict[tuple[str, str, int, str], str] = {}
    said = []
    for name, frame in rows:
        key = frame.position, frame.channel, frame.time, frame.z
        if key in seen:
            said.append(
                f"{seen[key]} and {name}: two images of position {frame.position!r} at time {frame.time}; give --pattern"
            )
        seen.setdefault(key, name)
    return said[:_SHOWN]


def _uneven(frames: Sequence[FrameName]) -> list[str]:
    """Positions without a channel that others have."""
    channels: dict[str, set[str]] = defaultdict(set)
    for frame in frames:
        channels[frame.position].add(frame.channel)
    everything = set().union(*channels.values())
    return [
        f"{position}: no image of channel {', '.join(sorted(everything - some)) or 'without a name'}"
        for position, some in channels.items()
        if some != everything
    ][:_SHOWN]


def _no_times(frames: Sequence[FrameName]) -> list[str]:
    if len(frames) > 1 and max(map(len, _times(frames).values())) == 1:
        return ["no position has two times: nothing can be followed; " + HOW_TO_TIME]
    return []


HOW_TO_TIME = (
    "for a time-lapse, names need t and a number (A01_t003.tif), or --numbered, or --pattern with groups position and frame, "
    r"such as '(?P<position>.*?)_?(?P<frame>\d+)\.tif'; 'cytally livecell names FOLDER' shows what is understood"
)


def as_table(found: Listing, every: bool = False) -> str:
    """For people: the summary, a line per image (the first and last of many), remarks and problems."""
    rows = list(found.rows)
    many = not every and len(rows) > 2 * _SHOWN
    shown = rows[:_SHOWN] + rows[-_SHOWN:] if many else rows
    cells = [("image", "position", "well", "channel", "time", "z", "hours")]
    cells += [
        (
            name,
            f.position,
            f.well or "-",
            f.channel or "-",
            str(f.time) if f.timed else "-",
            f.z or "-",
            f"{f.hours:g}" if f.hours is not None else "-",
        )
        for name, f in shown
    ]
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    if many:
        lines.insert(_SHOWN + 1, f"... {len(rows) - 2 * _SHOWN} more")
    return "\n".join([*lines, found.summary, *found.notes])


def as_data(found: Listing) -> dict[str, object]:
    """For programs."""
    return {
        "images": [
            {
                "image": name,
                "position": f.position,
                "well": f.well,
                "channel": f.channel,
                "time": f.time if f.timed else None,
                "z": f.z,
                "hours": f.hours,
            }
            for name, f in found.rows
        ],
        "positions": sorted({frame.position for _, frame in found.rows}),
        "summary": found.summary,
        "notes": list(found.notes),
        "problems": list(found.problems),
        "understood": found.understood,
    }
