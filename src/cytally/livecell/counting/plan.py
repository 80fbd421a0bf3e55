"""What a run will do, known before any work: positions and their frames, hours, and what stands in the way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from cytally.errors import ImageError
from cytally.files.hashes import hash_of
from cytally.images.inputs import copies, name_images
from cytally.images.sequences.headers import hours_between, size_of
from cytally.livecell.names.frame import FrameName, Naming
from cytally.livecell.names.listing import HOW_TO_TIME
from cytally.livecell.names.understand import understand
from cytally.livecell.sequences import Series, in_hours, series_of, without
from cytally.types import Skipped


@dataclass(frozen=True)
class Reading:
    """How names are read, and what is known of times and sizes.

    Attributes
    ----------
    naming : Naming
    hours : float, optional
        Between one frame number and the next, where neither names nor images say.
    skip_sizes : bool
        Leave out frames of another size than the rest of their position.
    repeats : bool
        Frames of a position that are the same bytes are kept and told, for nuclei are followed through them.
    """

    naming: Naming = field(default_factory=Naming)
    hours: float | None = None
    skip_sizes: bool = False
    repeats: bool = True


@dataclass(frozen=True)
class Plan:
    """Images of a run by position and time.

    Attributes
    ----------
    inputs : tuple of str or Path
        As given.
    paths : dict of str to Path
        Name in tables -> image; those left out are not among them.
    series : tuple of Series
        With their hours, where anybody knows.
    skipped : tuple of Skipped
        Left out already.
    remarks : tuple of str
        How names were read, and what cannot be known.
    hashes : dict of str to str
        Name in tables -> hash of the image; "" where it cannot be read.
    """

    inputs: tuple[str | Path, ...]
    paths: dict[str, Path]
    series: tuple[Series, ...]
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> dict[Path, FrameName]:
        """What the name of each image says."""
        return {frame.path: frame for one in self.series for frame in one.frames}

    @property
    def followable(self) -> bool:
        """Some position has two times."""
        return any(len(one.frames) > 1 for one in self.series)

    def left(self, gone: set[Path]) -> tuple[Series, ...]:
        """Series without some images; what is gone leaves holes."""
        return tuple(one for one in (without(each, gone) for each in self.series) if one.frames)


def plan(inputs: Sequence[str | Path], reading: Reading | None = None) -> Plan:
    """Understand names, find copies, look at the sizes of images, and find out the hours.

    Raises
    ------
    ImageError
        No images, two of one position and time, several channels, a frame of another size.
    SettingsError
        Hours that are not above 0, or contradict the names.
    """
    reading = reading or Reading()
    how = reading.naming
    paths = name_images(inputs)
    folders = {path: "_".join(Path(name).parent.parts) for name, path in paths.items()}
    told = understand(list(paths.values()), how.pattern, folders, numbered=how.numbered)
    hashes = {name: hash_of(path) for name, path in paths.items()}
    twins, said = _twins({name: told_of for name, told_of in zip(paths, told.frames, strict=True)}, hashes, reading)
    skipped = [Skipped(name, f"identical to {original}") for name, original in twins.items()]
    paths = {name: path for name, path in paths.items() if name not in twins}
    series = series_of(list(paths.values()), how.pattern, folders, numbered=how.numbered)
    names = {path: name for name, path in paths.items()}
    odd = _other_sizes(series)
    if odd and not reading.skip_sizes:
        raise ImageError(f"{names[next(iter(odd))]}: {next(iter(odd.values()))}; {_IN_ONE_SIZE}")
    skipped += [Skipped(names[path], why) for path, why in odd.items()]
    kept = [one for one in (without(each, set(odd)) for each in series) if one.frames]
    timed = in_hours(kept, reading.hours, _intervals(kept, reading))
    usable = {name: path for name, path in paths.items() if path not in odd}
    remarks = *told.notes, *said, *_remarks(timed)
    return Plan(tuple(inputs), usable, tuple(timed), tuple(skipped), remarks, {name: hashes[name] for name in usable})


def _twins(
    frames: Mapping[str, FrameName], hashes: Mapping[str, str], reading: Reading
) -> tuple[dict[str, str], list[str]]:
    """Images that are the same bytes as another and count once -> that other one; and what else there is to say."""
    twins = copies(hashes)
    if not reading.repeats:
        return twins, []
    repeated: dict[str, list[str]] = defaultdict(list)
    for name, original in twins.items():
        here, there = frames[name], frames[original]
        if here.position == there.position and here.time != there.time:
            repeated[original].append(name)
    said = [
        f"{frames[original].position}: {len(names) + 1} frames are the same picture, byte for byte "
        f"({', '.join([original, *names][:3])}{' ...' if len(names) > 2 else ''}); nothing moves between them"
        for original, names in repeated.items()
    ]
    kept = {name for names in repeated.values() for name in names}
    return {name: original for name, original in twins.items() if name not in kept}, said


_IN_ONE_SIZE = "give frames of one size, or leave such frames out with --skip-sizes"


def require_times(found: Plan) -> None:
    """Refuse to follow where no position has two times.

    Raises
    ------
    ImageError
    """
    if not found.followable:
        raise ImageError("; ".join([no_tracks(found), *found.remarks]))


def no_tracks(found: Plan) -> str:
    """Why nothing can be followed, and what to do."""
    example = next(iter(found.paths))
    return (
        f"expected a time-lapse, but each of {len(found.paths)} image{'s' if len(found.paths) != 1 else ''} (such as {example}) "
        f"is a position of its own by its name, so nothing can be followed; {HOW_TO_TIME}"
    )


def _other_sizes(series: Sequence[Series]) -> dict[Path, str]:
    """Frames of another size than most of their position, and why they cannot be used."""
    odd = {}
    for one in series:
        if len(one.frames) < 2:
            continue
        sizes = {path: size for path in one.paths if (size := size_of(path)) is not None}
        usual = Counter(sizes.values()).most_common(1)[0][0] if sizes else (0, 0)
        for path, size in sizes.items():
            if size != usual:
                odd[path] = (
                    f"expected every frame of position {one.position!r} in {usual[0]} x {usual[1]} pixels, got {size[0]} x {size[1]}"
                )
    return odd


def _intervals(series: Sequence[Series], reading: Reading) -> dict[Path, float]:
    """Hours between frames as images themselves say, where nobody else does."""
    if reading.hours is not None:
        return {}
    firsts = [one.frames[0] for one in series if len(one.frames) > 1 and one.frames[0].hours is None]
    told = {frame.path: hours_between(frame.path) for frame in firsts}
    return {path: hours for path, hours in told.items() if hours is not None}


def _remarks(series: Sequence[Series]) -> list[str]:
    said = []
    several = [one for one in series if len(one.frames) > 1]
    if any(not one.hours for one in several):
        said.append("the time between frames is in no name and no image: growth is told per frame; give --hours")
    for one in several:
        if not one.regular:
            said.append(f"{one.position}: times follow no common step; frames are numbered as they come")
    strides = {_stride(one) for one in several if one.regular and one.frames[0].hours is None} - {0, 1}
    if strides:
        said.append(
            f"numbers of frames go by {', '.join(map(str, sorted(strides)))}; hours are counted from one number to the next"
        )
    return said


def _stride(one: Series) -> int:
    steps = {b.time - a.time for a, b in pairwise(one.frames)}
    return min(steps) if len(steps) == 1 else 0
