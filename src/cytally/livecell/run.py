"""A run over phase-contrast images: masks on disk, a journal, and what counting remembers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cytally import __version__
from cytally.errors import ImageError, RunError
from cytally.images.masks import grey, write_mask
from cytally.images.read import find_images, read
from cytally.labels.fluorescence import FluorescenceSettings
from cytally.livecell.counts import TABLE, FieldCount, Seen, counted, write_counts
from cytally.livecell.measure.review import ToReview
from cytally.livecell.names.understand import understand
from cytally.livecell.nuclei import Finder, size_hint
from cytally.livecell.plan import Plan
from cytally.livecell.sequences import FrameName, Series, folder_of, way_out
from cytally.runs.folder import RUN, begin, locked, open_journal, read_journal
from cytally.runs.inputs import hash_of, name_images
from cytally.types import Skipped

Report = Callable[[str, int, int], None]
MASKS, LOOSE, LEARNING = "masks", "loose", "learning"


@dataclass(frozen=True)
class Segmented:
    """Nuclei of a folder of images.

    Attributes
    ----------
    folder : Path
    series : tuple of Series
        Positions with their frames; images that were skipped are left out.
    masks : dict of Path to Path
        Image -> mask of single nuclei.
    loose : dict of Path to Path
        Image -> the same nuclei, those with too tight outlines grown: what is followed.
    seen : dict of Path to Seen
    names : dict of Path to str
        Image -> its name in tables.
    skipped : tuple of Skipped
    """

    folder: Path
    series: tuple[Series, ...]
    masks: dict[Path, Path]
    loose: dict[Path, Path]
    seen: dict[Path, Seen]
    names: dict[Path, str]
    skipped: tuple[Skipped, ...]


def segment_folder(
    planned: Plan, folder: Path, finder: Finder, *, pattern: str | None = None,
    report: Report = lambda stage, done, total: None,
) -> Segmented:  # fmt: skip
    """Find the nuclei of every image; an earlier call with the same finder is continued.

    One unreadable image is reported and skipped.

    Raises
    ------
    RunError
        A folder that holds something else.
    """
    inputs, paths, names = planned.inputs, planned.paths, planned.names
    stems = _stems(paths)
    seen: dict[Path, Seen] = {}
    masks: dict[Path, Path] = {}
    loose: dict[Path, Path] = {}
    skipped = list(planned.skipped)
    settings = {"task": "livecell", "detector": finder.identity, "pattern": pattern or "",
                "inputs": [Path(given).as_posix() for given in inputs]}  # fmt: skip
    with locked(folder):
        begin(folder, settings, __version__, datetime.now(UTC).isoformat(timespec="seconds"), (LEARNING,))
        done = {line["image"]: line for line in read_journal(folder)}
        with open_journal(folder) as journal:
            for number, (name, path) in enumerate(paths.items(), start=1):
                line = done.get(name)
                if line is None or line["sha256"] != hash_of(path):
                    line = _segment(path, name, folder, finder, stems[name])
                    journal.write(json.dumps(line) + "\n")
                    journal.flush()
                if line["status"] == "counted":
                    masks[path] = folder / line["mask"]
                    loose[path] = folder / line.get("loose", line["mask"])
                    seen[path] = _seen(line, names[path], 0)
                else:
                    skipped.append(Skipped(name, line["status"].removeprefix("skipped: ")))
                report("finding nuclei", number, len(paths))
    kept = planned.left(set(paths.values()) - set(seen))
    for one in kept:
        seen |= {
            path: replace(seen[path], frame=place) for path, place in zip(one.paths, one.places, strict=True)
        }
    return Segmented(folder, kept, masks, loose, seen, {p: n for n, p in paths.items()}, tuple(skipped))


def _stems(names: Iterable[str]) -> dict[str, str]:
    """Names of masks: as the images', without the ending where that is enough to tell them apart."""
    often = Counter(Path(name).with_suffix("").as_posix() for name in names)
    return {
        name: stem if often[stem := Path(name).with_suffix("").as_posix()] == 1 else Path(name).as_posix()
        for name in names
    }


def _segment(path: Path, name: str, folder: Path, finder: Finder, own: str) -> dict[str, Any]:
    line: dict[str, Any] = {"image": name, "sha256": hash_of(path)}
    try:
        nuclei = finder.find(grey(read(path)))
    except ImageError as error:
        return line | {"status": f"skipped: {error}"}
    stored = {}
    for kind, place, labels in (("mask", MASKS, nuclei.labels), ("loose", LOOSE, nuclei.loose)):
        if kind == "loose" and np.array_equal(nuclei.loose, nuclei.labels):
            continue
        target = folder / place / f"{own}.tif"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_mask(target, labels)
        stored[kind] = target.relative_to(folder).as_posix()
    kept = asdict(Seen.of(FrameName("", 0, "", Path()), 0, nuclei))
    del kept["name"], kept["frame"]
    return line | stored | {"status": "counted", "seen": kept}


def _seen(line: dict[str, Any], name: FrameName, frame: int) -> Seen:
    stored: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in line["seen"].items()}
    return Seen(name=name, frame=frame, **stored)


def stain_hint(run: Segmented, settings: FluorescenceSettings) -> str:
    """Says when the range of diameters does not fit the stain, so that nobody knows how far counts lie off."""
    dropped, stayed = (
        sum(one.oversized for one in run.seen.values()),
        sum(one.area for one in run.seen.values()),
    )
    return size_hint(dropped, stayed, settings.diameters[1])


def count_run(run: Segmented, error: float | None) -> list[FieldCount]:
    """Counts with limits from their relative `error` (None: no limits), and counts.csv in the run folder."""
    order = [path for one in run.series for path in one.paths]
    hours = {
        path: at for one in run.series if one.hours for path, at in zip(one.paths, one.hours, strict=True)
    }
    counts = counted([run.seen[path] for path in order], error, hours)
    write_counts(run.folder / TABLE, counts, [run.names[path] for path in order])
    return counts


def to_review(folder: Path, fluorescence: Path | None = None) -> list[ToReview]:
    """Images of a run with their masks, for experts.

    Raises
    ------
    RunError
        No run there, or its images are gone.
    """
    path = folder / RUN
    if not path.is_file():
        raise RunError(
            f"{folder}: expected a run folder with {RUN}, found none; make one with 'livecell count'"
        )
    settings = json.loads(path.read_text())["settings"]
    pattern = settings["pattern"] or None
    try:
        paths = name_images(settings["inputs"])
    except ImageError as error:
        raise RunError(
            f"{folder}: the images of this run are gone ({error}); call from where it was made"
        ) from error
    stained = _partners(paths, fluorescence, pattern) if fluorescence is not None else {}
    return [
        ToReview(line["image"], paths[line["image"]], folder / line["mask"], stained.get(line["image"]))
        for line in read_journal(folder) if line["status"] == "counted" and line["image"] in paths
    ]  # fmt: skip


def _partners(paths: Mapping[str, Path], fluorescence: Path, pattern: str | None) -> dict[str, Path]:
    """Name of each image that has a stained partner -> that partner."""
    stains = find_images(fluorescence)
    within = {path: folder_of(path, fluorescence) for path in stains}
    within |= {path: "_".join(Path(name).parent.parts) for name, path in paths.items()}
    told = {frame.path: frame for frame in understand([*paths.values(), *stains], pattern, within).frames}
    of_field: dict[tuple[str, int], FrameName] = {}
    for path in stains:
        here = told[path]
        other = of_field.setdefault((here.position, here.time), here)
        if other.path != path:
            raise ImageError(
                f"{other.path.name} and {path.name}: both are the stain of position {here.position!r} "
                f"at time {here.time}{way_out(other, here)}"
            )
    keys = {name: (told[path].position, told[path].time) for name, path in paths.items()}
    return {name: of_field[key].path for name, key in keys.items() if key in of_field}
