"""A run over phase-contrast images: masks on disk, a journal, and what counting remembers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cytally import __version__
from cytally.errors import ImageError, RunError
from cytally.files.hashes import hash_of
from cytally.files.journal import open_journal, read_journal
from cytally.files.names import fitting, shown
from cytally.files.runs import (
    JOURNAL,
    RUN,
    Call,
    RunRecord,
    begin,
    check_finished,
    finish,
    locked,
    read_record,
)
from cytally.images.inputs import name_images, resolved, roots
from cytally.images.masks import grey, write_mask
from cytally.images.read import find_images, read
from cytally.livecell.counting.counts import TABLE, FieldCount, Seen, counted, write_counts
from cytally.livecell.counting.journal import Line, Remembered, line_of
from cytally.livecell.counting.plan import Plan
from cytally.livecell.measure.experts import ToReview
from cytally.livecell.names.understand import understand
from cytally.livecell.nuclei import Finder, size_hint
from cytally.livecell.sequences import FrameName, Series, folder_of, way_out
from cytally.progress import Progress, silent
from cytally.types import IntArray, Skipped

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
    planned: Plan,
    folder: Path,
    finder: Finder,
    *,
    pattern: str | None = None,
    progress: Progress = silent,
) -> Segmented:
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
    with locked(folder):
        hashes = planned.hashes
        done = _begin(folder, inputs, finder, pattern, hashes)
        with open_journal(folder / JOURNAL, line_of) as journal:
            for number, (name, path) in enumerate(paths.items(), start=1):
                line = done.get(name)
                if line is None or not hashes[name] or line.sha256 != hashes[name] or not line.whole(folder):
                    line = _segment(path, name, folder, finder, stems[name])
                    journal.append(line.model_dump(exclude_none=True))
                if line.seen is not None:
                    masks[path], loose[path] = folder / line.mask, folder / (line.loose or line.mask)
                    seen[path] = _seen(line.seen, names[path], 0)
                else:
                    skipped.append(Skipped(name, line.skipped))
                progress("finding nuclei", number, len(paths))
        _forget_masks(folder, done, {path for path in (*masks.values(), *loose.values())})
    kept = planned.left(set(paths.values()) - set(seen))
    for one in kept:
        seen |= {path: replace(seen[path], frame=place) for path, place in zip(one.paths, one.places, strict=True)}
    return Segmented(folder, kept, masks, loose, seen, {p: n for n, p in paths.items()}, tuple(skipped))


def _begin(
    folder: Path, inputs: Sequence[str | Path], finder: Finder, pattern: str | None, hashes: Mapping[str, str]
) -> dict[str, Line]:
    """Begin or resume a run; the last line of each image that earlier calls have finished."""
    settings = {"task": "livecell", "detector": finder.identity, "pattern": pattern or "", "inputs": resolved(inputs)}
    done = {line.image: line for line in read_journal(folder / JOURNAL, line_of).whole}
    if (folder / RUN).exists():
        theirs = roots(resolved(_inputs(folder, read_record(folder))))
        shared = any(line.sha256 == hashes.get(name) for name, line in done.items())
        if done and not shared and theirs != roots(settings["inputs"]):
            raise RunError(
                f"{shown(folder)}: holds a run with other inputs ({shown(', '.join(sorted(theirs)))}) and has seen "
                f"none of these {len(hashes)} images; give another --out"
            )
    now = datetime.now(UTC).isoformat(timespec="seconds")
    begin(folder, Call(settings, __version__, now, list(hashes.items()), free=("inputs",), beside=(LEARNING,)))
    return done


def _forget_masks(folder: Path, done: Mapping[str, Line], used: set[Path]) -> None:
    """Take away masks of an earlier call whose images left the run, as they were written."""
    for line in done.values():
        for mask, digest in ((line.mask, line.mask_sha256), (line.loose, line.loose_sha256)):
            path = folder / mask
            if mask and path not in used and digest and hash_of(path) == digest:
                path.unlink()


def _stems(names: Iterable[str]) -> dict[str, str]:
    """Names of masks: as the images', without the ending where that is enough to tell them apart."""
    often = Counter(Path(name).with_suffix("").as_posix() for name in names)
    return {
        name: stem if often[stem := Path(name).with_suffix("").as_posix()] == 1 else Path(name).as_posix()
        for name in names
    }


def _segment(path: Path, name: str, folder: Path, finder: Finder, own: str) -> Line:
    digest = hash_of(path)
    try:
        nuclei = finder.find(grey(read(path)))
    except ImageError as error:
        return Line(image=name, sha256=digest, skipped=shown(str(error.beside(shown(path)))))
    mask, mask_hash = _stored(nuclei.labels, folder, MASKS, own)
    same = np.array_equal(nuclei.loose, nuclei.labels)
    loose, loose_hash = ("", "") if same else _stored(nuclei.loose, folder, LOOSE, own)
    kept = asdict(Seen.of(FrameName("", 0, "", Path()), 0, nuclei))
    del kept["name"], kept["frame"]
    return Line(
        image=name,
        sha256=digest,
        mask=mask,
        mask_sha256=mask_hash,
        loose=loose,
        loose_sha256=loose_hash,
        seen=Remembered(**kept),
    )


def _stored(labels: IntArray, folder: Path, place: str, own: str) -> tuple[str, str]:
    """Write a mask into the run; its name there, and its hash."""
    target = folder / place / fitting(own, ".tif")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_mask(target, labels)
    return target.relative_to(folder).as_posix(), hash_of(target)


def _seen(kept: Remembered, name: FrameName, frame: int) -> Seen:
    return Seen(name=name, frame=frame, **kept.model_dump())


def stain_hint(run: Segmented, largest: float) -> str:
    """Says when the range of diameters does not fit the stain, so that nobody knows how far counts lie off."""
    dropped, stayed = (
        sum(one.oversized for one in run.seen.values()),
        sum(one.area for one in run.seen.values()),
    )
    return size_hint(dropped, stayed, largest)


def count_run(run: Segmented, error: float | None) -> list[FieldCount]:
    """Counts with limits from their relative `error` (None: no limits), and counts.csv in the run folder."""
    order = [path for one in run.series for path in one.paths]
    hours = {path: at for one in run.series if one.hours for path, at in zip(one.paths, one.hours, strict=True)}
    counts = counted([run.seen[path] for path in order], error, hours)
    write_counts(run.folder / TABLE, counts, [run.names[path] for path in order])
    finish(run.folder, [TABLE])
    return counts


def to_review(folder: Path, fluorescence: Path | None = None) -> list[ToReview]:
    """Images of a run with their masks, for experts.

    Raises
    ------
    RunError
        No run there, an interrupted one, or its images are gone or were changed.
    """
    record = read_record(folder)
    known = {line.image: line for line in read_journal(folder / JOURNAL, line_of).whole}
    check_finished(folder, record, {(line.image, line.sha256) for line in known.values()}, "the same command")
    pattern = record.settings.get("pattern") or None
    try:
        paths = name_images(_inputs(folder, record))
    except ImageError as error:
        raise RunError(
            f"{shown(folder)}: the images of this run are gone ({error}); call from where it was made"
        ) from error
    nuclei = [line for line in known.values() if line.seen is not None and line.image in paths]
    for line in nuclei:
        if line.sha256 != hash_of(paths[line.image]) or not line.whole(folder):
            raise RunError(
                f"{shown(folder)}: {line.image} or its mask was changed since it was counted; run the same command again"
            )
    stained = _partners(paths, fluorescence, pattern) if fluorescence is not None else {}
    return [ToReview(line.image, paths[line.image], folder / line.mask, stained.get(line.image)) for line in nuclei]


def _inputs(folder: Path, record: RunRecord) -> list[str]:
    given = record.settings.get("inputs")
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise RunError(
            f"{shown(folder / RUN)}: expected a list of inputs, got {given!r}; put a copy of this file back, or "
            "give another --out and run again"
        )
    return given


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
