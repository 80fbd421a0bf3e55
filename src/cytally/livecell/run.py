"""A run over phase-contrast images: masks on disk, a journal, and what counting remembers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cytally import __version__
from cytally.errors import ImageError, RunError
from cytally.images.masks import grey, write_mask
from cytally.images.read import find_images, read
from cytally.livecell.counts import TABLE, FieldCount, Seen, counted, write_counts
from cytally.livecell.measure.review import ToReview
from cytally.livecell.nuclei import Finder
from cytally.livecell.sequences import FrameName, Series, folder_of, parse_name, series_of
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
    inputs: Sequence[str | Path], folder: Path, finder: Finder, *, pattern: str | None = None,
    report: Report = lambda stage, done, total: None,
) -> Segmented:  # fmt: skip
    """Find the nuclei of every image; an earlier call with the same finder is continued.

    One unreadable image is reported and skipped.

    Raises
    ------
    ImageError, RunError
        No images; a folder that holds something else.
    """
    paths = name_images(inputs)
    folders = {path: "_".join(Path(name).parent.parts) for name, path in paths.items()}
    series = series_of(list(paths.values()), pattern, folders)
    frames = {path: number for one in series for number, path in enumerate(one.paths)}
    seen: dict[Path, Seen] = {}
    masks: dict[Path, Path] = {}
    loose: dict[Path, Path] = {}
    skipped = []
    settings = {"task": "livecell", "detector": finder.identity, "pattern": pattern or "",
                "inputs": [Path(given).as_posix() for given in inputs]}  # fmt: skip
    with locked(folder):
        begin(folder, settings, __version__, datetime.now(UTC).isoformat(timespec="seconds"), (LEARNING,))
        done = {line["image"]: line for line in read_journal(folder)}
        with open_journal(folder) as journal:
            for number, (name, path) in enumerate(paths.items(), start=1):
                line = done.get(name)
                if line is None or line["sha256"] != hash_of(path):
                    line = _segment(path, name, folder, finder)
                    journal.write(json.dumps(line) + "\n")
                    journal.flush()
                if line["status"] == "counted":
                    masks[path] = folder / line["mask"]
                    loose[path] = folder / line.get("loose", line["mask"])
                    seen[path] = _seen(line, parse_name(path, pattern, folders[path]), frames[path])
                else:
                    skipped.append(Skipped(name, line["status"].removeprefix("skipped: ")))
                report("finding nuclei", number, len(paths))
    there = [path for path in paths.values() if path in seen]
    kept = tuple(series_of(there, pattern, folders)) if there else ()
    return Segmented(folder, kept, masks, loose, seen, {p: n for n, p in paths.items()}, tuple(skipped))


def _segment(path: Path, name: str, folder: Path, finder: Finder) -> dict[str, Any]:
    line: dict[str, Any] = {"image": name, "sha256": hash_of(path)}
    try:
        nuclei = finder.find(grey(read(path)))
    except ImageError as error:
        return line | {"status": f"skipped: {error}"}
    stored = {}
    for kind, place, labels in (("mask", MASKS, nuclei.labels), ("loose", LOOSE, nuclei.loose)):
        if kind == "loose" and np.array_equal(nuclei.loose, nuclei.labels):
            continue
        target = folder / place / Path(name).with_suffix(".tif")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_mask(target, labels)
        stored[kind] = target.relative_to(folder).as_posix()
    kept = asdict(Seen.of(FrameName("", 0, "", Path()), 0, nuclei))
    del kept["name"], kept["frame"]
    return line | stored | {"status": "counted", "seen": kept}


def _seen(line: dict[str, Any], name: FrameName, frame: int) -> Seen:
    stored: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in line["seen"].items()}
    return Seen(name=name, frame=frame, **stored)


def count_run(run: Segmented, finder: Finder) -> list[FieldCount]:
    """Counts with limits, and counts.csv in the run folder."""
    order = [path for one in run.series for path in one.paths]
    counts = counted([run.seen[path] for path in order], finder.count_error)
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
    stained: dict[str, Path | None] = {}
    if fluorescence is not None:
        partners = (parse_name(p, pattern, folder_of(p, fluorescence)) for p in find_images(fluorescence))
        of_field = {(n.position, n.time): n.path for n in partners}
        for name, image in paths.items():
            here = parse_name(image, pattern, "_".join(Path(name).parent.parts))
            stained[name] = of_field.get((here.position, here.time))
    return [
        ToReview(line["image"], paths[line["image"]], folder / line["mask"], stained.get(line["image"]))
        for line in read_journal(folder) if line["status"] == "counted" and line["image"] in paths
    ]  # fmt: skip
