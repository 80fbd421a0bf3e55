"""Stacks -> single images, under names that the other commands understand and that no two stacks share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cytally.errors import ImageError
from cytally.files.hashes import hash_of
from cytally.files.json import read_json, write_json
from cytally.files.names import shown
from cytally.images.sequences.stacks import StackPart, StackPlane, stack_parts, stack_planes
from cytally.images.write import write
from cytally.progress import Progress, silent
from cytally.types import Image

NOTE = "unstacked.json"


def unstack(stacks: Sequence[Path], out: Path, progress: Progress = silent) -> dict[Path, list[StackPart]]:
    """Write every plane of every series of some stacks as an image of its own.

    OUT/NAME_t000.tif ...; where a stack has channels OUT/ch1, OUT/ch2 ... hold them; where it has focal
    planes or several series names say z and s. Stacks of one name in several folders get those
    folders before their names. OUT/unstacked.json says which stack an image is of.

    Parameters
    ----------
    stacks : sequence of Path
    out : Path
    progress : callable

    Returns
    -------
    dict of Path to list of StackPart
        What each stack held.

    Raises
    ------
    ImageError
        A stack that cannot be read or ends too early; an image that is there already, of another stack.
    """
    parts = {path: stack_parts(path) for path in dict.fromkeys(stacks)}
    names = own_names(list(parts))
    _refuse_others(parts, names, out)
    for path, some in parts.items():
        total, done = sum(one.times * one.channels * one.planes for one in some), 0
        for plane in stack_planes(path):
            target = out / place_of(names[path], plane, len(some))
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target, Image(plane.pixels, plane.part.pixel_size_um), hours=plane.part.hours)
            done += 1
            progress(f"unstacking {shown(path.name)}", done, total)
    return parts


def own_names(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each stack: its own, with as many of its folders before it as tell it from the others.

    Raises
    ------
    ImageError
        Two stacks that differ in their ending only.

    Examples
    --------
    >>> list(own_names([Path("w1/lapse.tif"), Path("w2/lapse.tif")]).values())
    ['w1_lapse', 'w2_lapse']
    """
    full = {path: (*path.resolve().parent.parts[1:], stem_of(path)) for path in paths}
    depth = dict.fromkeys(full, 1)
    for _ in range(max(map(len, full.values()))):
        names = {path: "_".join(parts[-depth[path] :]) for path, parts in full.items()}
        often = Counter(name.lower() for name in names.values())
        shared = [path for path, name in names.items() if often[name.lower()] > 1]
        if not shared:
            return names
        depth |= {path: depth[path] + 1 for path in shared}
    raise ImageError(
        f"{shown(shared[0])} and {shown(shared[1])}: two stacks of one name; unstack them into two folders"
    )


def stem_of(path: Path) -> str:
    """Name without .tif, .ome.tif.

    Examples
    --------
    >>> stem_of(Path("plate.ome.tif"))
    'plate'
    """
    stem = path.stem
    return stem[:-4] if stem.lower().endswith(".ome") else stem


def place_of(name: str, plane: StackPlane, series: int) -> Path:
    """Where a plane goes, relative to OUT."""
    part = plane.part
    own = f"{name}_s{part.number + 1:02d}" if series > 1 else name
    z = f"_z{plane.z:03d}" if part.planes > 1 else ""
    return Path(f"ch{plane.channel + 1}" if part.channels > 1 else "") / f"{own}_t{plane.time:03d}{z}.tif"


def _refuse_others(parts: dict[Path, list[StackPart]], names: dict[Path, str], out: Path) -> None:
    """Nothing is written over what came of another stack, or of nobody knows what."""
    note = out / NOTE
    known = read_json(note) if note.is_file() else {}
    if not isinstance(known, dict):
        raise ImageError(f"{shown(note)}: expected stacks and their hashes, got something else; take it away first")
    hashes = {path: hash_of(path) for path in parts}
    for path in parts:
        if known.get(shown(names[path])) == hashes[path]:
            continue
        there = sorted(
            found
            for pattern in (
                "{}_t[0-9]*.tif",
                "{}_s[0-9]*_t[0-9]*.tif",
                "ch*/{}_t[0-9]*.tif",
                "ch*/{}_s[0-9]*_t[0-9]*.tif",
            )
            for found in out.glob(pattern.format(_literal(names[path])))
        )
        if there:
            raise ImageError(
                f"{shown(there[0])}: is there already, and not of {shown(path)}; give another --out, or take it away first"
            )
    out.mkdir(parents=True, exist_ok=True)
    told = known | {shown(names[path]): hashes[path] for path in parts}
    write_json(note, told)


def _literal(name: str) -> str:
    return "".join(f"[{each}]" if each in "[]*?" else each for each in name)
