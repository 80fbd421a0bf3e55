"""A labelled folder: phase, labels, what was rejected and why, and a sheet to look at.

OUT/phase/...        copies are not made: labels.csv names the images where they lie
OUT/labels/NAME.tif  16-bit masks of single nuclei
OUT/labels.csv       image,label,position,time,well,nuclei,status,reason,debris,waves,specks
OUT/label.json       settings, offset, counts
OUT/contact.jpg      kept (green) and rejected (red) labels over their stain
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from cytally.errors import ImageError, LabelError
from cytally.figures.masks import contact_sheet, outlined
from cytally.files.atomic import write_bytes
from cytally.files.json import write_json
from cytally.files.names import shown, stored
from cytally.files.runs import locked
from cytally.files.tables.csv import csv_bytes
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import Row, read_table
from cytally.images.masks import grey, read_mask, write_mask
from cytally.images.read import find_images, read
from cytally.images.register import Offset, moved
from cytally.images.sequences.tracks import TRUTH
from cytally.images.write import encode
from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings, identify
from cytally.livecell.labelling.pairs import Pair, beyond_doubt, channel_offset, offset_error, pair_files
from cytally.livecell.labelling.quality import Assessed, RejectSettings, clean, reasons
from cytally.livecell.names.understand import understand
from cytally.livecell.nuclei import size_hint
from cytally.livecell.sequences import FrameName, folder_of
from cytally.progress import Progress, silent
from cytally.segmentation.declump import areas, typical_area
from cytally.types import FloatArray, Skipped

TABLE, NOTES, SHEET = "labels.csv", "label.json", "contact.jpg"
IMAGES, LABELS = "phase", "labels"
COLUMNS = (
    "image",
    "label",
    "position",
    "time",
    "well",
    "nuclei",
    "status",
    "reason",
    "debris",
    "waves",
    "specks",
)
LABELLED = Wanted(
    "labels.csv of 'livecell label'", tuple(map(Column, COLUMNS)),
    (("image", "label", "position", "time", "well", "nuclei", "reason"),),
    "image, label, position, time, well, nuclei and reason", LabelError,
)  # fmt: skip
_SHOWN = 20
#: A label from which a larger share of the stained area than this was dropped as too large is of something else.
_MOSTLY = 0.5


@dataclass(frozen=True)
class LabelSettings:
    """How pairs become labels."""

    stain: FluorescenceSettings = field(default_factory=lambda: FluorescenceSettings.for_nuclei(5.0, 30.0))
    rejects: RejectSettings = field(default_factory=RejectSettings)
    align: bool = True


@dataclass(frozen=True)
class LabelledField:
    """One line of labels.csv.

    Attributes
    ----------
    name : FrameName
        Of the phase-contrast image.
    label : Path
        Its mask.
    nuclei : int
    reason : str
        Why it is rejected; "" where it is kept.
    """

    name: FrameName
    label: Path
    nuclei: int
    reason: str

    @property
    def kept(self) -> bool:
        """Fit to learn from."""
        return not self.reason


@dataclass(frozen=True)
class Labelled:
    """A labelled folder; hints say what may be wrong with the settings."""

    folder: Path
    fields: tuple[LabelledField, ...]
    skipped: tuple[Skipped, ...]
    offset: Offset
    sheet: Path | None = None
    hints: tuple[str, ...] = ()

    @property
    def kept(self) -> list[LabelledField]:
        """Fields to learn from."""
        return [each for each in self.fields if each.kept]


@dataclass(frozen=True)
class _Found:
    pair: Pair
    label: Path
    sizes: FloatArray
    usual: float
    oversized: float


@dataclass(frozen=True)
class _Made:
    pair: Pair
    label: Path
    found: Assessed


def label_folder(
    phase: Path, fluorescence: Path, out: Path, settings: LabelSettings,
    *, pattern: str | None = None, numbered: bool = False, progress: Progress = silent,
) -> Labelled:  # fmt: skip
    """Make labels for every pair of images, and say which are fit to learn from.

    Unreadable and unequal images are reported and skipped.

    Raises
    ------
    ImageError
        No pairs, or none of them could be used.
    RunLockedError
        Another process labels into the same folder.
    """
    with locked(out):
        (out / TABLE).unlink(missing_ok=True)  # an interrupted call leaves no labelled folder
        return _labelled(phase, fluorescence, out, settings, pattern, numbered, progress)


def _labelled(
    phase: Path, fluorescence: Path, out: Path, settings: LabelSettings, pattern: str | None, numbered: bool,
    progress: Progress,
) -> Labelled:  # fmt: skip
    files = pair_files(find_images(phase), find_images(fluorescence), pattern, (phase, fluorescence),
                       numbered=numbered)  # fmt: skip
    (out / LABELS).mkdir(parents=True, exist_ok=True)
    found, skipped, stems = [], list(files.skipped), _stems(files.pairs)
    for number, pair in enumerate(files.pairs):
        try:
            found.append(_identified(pair, stems[pair.phase], out, settings))
        except ImageError as error:
            skipped.append(Skipped(shown(pair.phase.name), shown(error)))
        progress("labelling from fluorescence", number + 1, len(files.pairs))
    if not found:
        raise ImageError(
            f"{fluorescence}: none of {len(files.pairs)} pairs could be labelled; first: {skipped[0].reason}"
        )
    usual = typical_area(np.concatenate([one.sizes for one in found]))
    made = []
    for number, one in enumerate(found):
        made.append(_cleaned(one, settings, usual))
        progress("taking out debris", number + 1, len(found))
    offset = _align(made) if settings.align else Offset(0.0, 0.0, 0.0)
    judged = reasons([each.found for each in made], settings.rejects)
    why = [_too_large(one, settings) or reason for one, reason in zip(found, judged, strict=True)]
    fields = tuple(
        LabelledField(each.pair.name, each.label, each.found.count, reason)
        for each, reason in zip(made, why, strict=True)
    )
    sheet = _sheet(made, why, out)
    result = Labelled(out, fields, tuple(skipped), offset, sheet, _hints(found, settings))
    _write_table(result, [each.found for each in made])
    notes = {"settings": asdict(settings), "offset": asdict(offset), "kept": len(result.kept),
             "rejected": len(fields) - len(result.kept), "hints": result.hints, "skipped": [asdict(s) for s in skipped]}  # fmt: skip
    write_json(out / NOTES, notes)
    return result


def _hints(found: Sequence[_Found], settings: LabelSettings) -> tuple[str, ...]:
    """Says when a good part of what is stained was dropped as too large."""
    dropped, stayed = sum(one.oversized for one in found), sum(float(one.sizes.sum()) for one in found)
    hint = size_hint(dropped, stayed, settings.stain.diameters[1])
    usual = [one.usual for one in found if one.oversized]
    return (f"{hint} (a usual one has {np.median(usual):.0f})",) if hint else ()


def _too_large(one: _Found, settings: LabelSettings) -> str:
    """Why a label is rejected of which most of the stain is missing; "" where it is not."""
    whole = one.oversized + float(one.sizes.sum())
    if one.oversized <= _MOSTLY * whole or not whole:
        return ""
    return (
        f"{one.oversized / whole:.0%} of the stained area is in objects larger than {settings.stain.diameters[1]:g} pixels: "
        "--diameter does not fit"
    )


def _stems(pairs: Sequence[Pair]) -> dict[Path, str]:
    """Names of labels: as the images', with the position before them where folders repeat names.

    Whatever still is the same gets the name of the image with its ending, or a number.
    """
    often = Counter(pair.phase.stem for pair in pairs)
    taken: set[str] = set()
    stems = {}
    for pair in pairs:
        stem = pair.phase.stem if often[pair.phase.stem] == 1 else f"{pair.name.position}_{pair.phase.stem}"
        tries = [
            stem,
            f"{stem}{pair.phase.suffix.replace('.', '_')}",
            *(f"{stem}_{k}" for k in range(2, len(pairs) + 2)),
        ]
        stems[pair.phase] = next(each for each in tries if each.lower() not in taken)
        taken.add(stems[pair.phase].lower())
    return stems


def _identified(pair: Pair, stem: str, out: Path, settings: LabelSettings) -> _Found:
    """Write the label as the stain gives it; remember the sizes only."""
    stain, phase = grey(read(pair.fluorescence)), read(pair.phase)
    if stain.shape != phase.shape:
        raise ImageError(
            f"expected both channels in one size, got {phase.shape[0]} x {phase.shape[1]} in phase contrast and "
            f"{stain.shape[0]} x {stain.shape[1]} in fluorescence"
        )
    made = identify(stain, settings.stain)
    path = out / LABELS / f"{stem}.tif"
    write_mask(path, made.labels)
    return _Found(pair, path, areas(made.labels).astype(float), made.usual, made.oversized)


def _cleaned(one: _Found, settings: LabelSettings, usual: float) -> _Made:
    cleaned = clean(grey(read(one.pair.fluorescence)), read_mask(one.label), settings.rejects, usual)
    write_mask(one.label, cleaned.labels)
    return _Made(one.pair, one.label, cleaned.assessed)


def _align(made: Sequence[_Made]) -> Offset:
    """Measure the cameras' offset on up to twenty fields; move all masks where it is beyond doubt."""
    some = [each for each in made if each.found.count][:_SHOWN]
    if not some:
        return Offset(0.0, 0.0, 0.0)
    phases, masks = [grey(read(e.pair.phase)) for e in some], [read_mask(e.label) for e in some]
    offset = channel_offset(phases, masks)
    if not beyond_doubt(offset, offset_error(phases, masks)):
        return Offset(0.0, 0.0, offset.certainty)
    for each in made:
        write_mask(each.label, np.asarray(moved(read_mask(each.label), -offset.row, -offset.col), np.int32))
    return offset


def _sheet(made: Sequence[_Made], why: Sequence[str], out: Path) -> Path:
    """Up to twelve rejected and eight kept labels over their stain."""
    bad = [k for k, reason in enumerate(why) if reason][:12]
    good = [k for k, reason in enumerate(why) if not reason]
    chosen = bad + [good[i] for i in np.unique(np.linspace(0, len(good) - 1, min(8, len(good))).astype(int))]
    tiles = []
    for k in chosen:
        colour = (0, 0, 220) if why[k] else (60, 190, 60)
        picture = outlined(grey(read(made[k].pair.fluorescence)), read_mask(made[k].label), colour)
        tiles.append((picture, f"{made[k].pair.phase.name}: {why[k] or 'kept'}", colour))
    path = out / SHEET
    write_bytes(path, encode(contact_sheet(tiles), ".jpg"))
    return path


def _write_table(labelled: Labelled, found: Sequence[Assessed]) -> None:
    rows = [list(COLUMNS)]
    for one, measured in zip(labelled.fields, found, strict=True):
        image = os.path.relpath(one.name.path, labelled.folder)
        rows.append([image, one.label.relative_to(labelled.folder).as_posix(), one.name.position, str(one.name.time),
                     one.name.well, str(one.nuclei), "kept" if one.kept else "rejected", one.reason,
                     str(measured.debris), str(measured.waves), str(measured.specks)])  # fmt: skip
    write_bytes(labelled.folder / TABLE, csv_bytes(rows))


def read_labelled(folder: Path) -> Labelled:
    """A labelled folder: `labels.csv` of ours, or simply folders `phase` and `labels` with equal names.

    Raises
    ------
    FileError
        labels.csv is no table.
    LabelError
        Neither is there, the table makes no sense, or a file that it names is gone.
    """
    table = folder / TABLE
    if not table.is_file():
        return _plain_folder(folder)
    fields = []
    for row in read_table(table, LABELLED, empty=True).rows:
        image, label = (_named(folder, row, name) for name in ("image", "label"))
        if not os.path.isfile(image) or not os.path.isfile(
            label
        ):  # False for names that no disk can hold, too
            raise row.wrong(
                f"names {row.text('image')[:80]} and {row.text('label')[:80]}, but one of them is gone"
            )
        name = FrameName(row.text("position"), row.whole("time"), row.text("well"), image)
        fields.append(LabelledField(name, label, row.whole("nuclei"), row.text("reason")))
    return Labelled(folder, tuple(fields), (), Offset(0.0, 0.0, 0.0))


def _named(folder: Path, row: Row, name: str) -> Path:
    """A file as the table names it, or as another system would have written it."""
    given = row.exact(name)
    if "\0" in given or not given.strip():
        raise row.wrong(f"expected a file in the column {name}, found {given!r}")
    given = stored(given)
    return folder / (given if os.path.isfile(folder / given) else given.strip().replace("\\", "/"))


def _plain_folder(folder: Path) -> Labelled:
    """Folders phase/ and labels/ with equal names; or phase/ and truth/ as `livecell simulate` writes them."""
    if not (folder / IMAGES).is_dir() or not any((folder / part).is_dir() for part in (LABELS, "truth")):
        raise LabelError(
            f"{folder}: expected labels.csv, or folders 'phase' and 'labels'; make them with 'livecell label'"
        )
    masks = _by_stem(folder / LABELS) if (folder / LABELS).is_dir() else {}
    paths = find_images(folder / IMAGES)
    within = {path: folder_of(path, folder / IMAGES) for path in paths}
    fields = []
    for name in understand(paths, None, within).frames:
        own = name.path.relative_to(folder / IMAGES).with_suffix("").as_posix()
        mask = masks.get(own) or _truth_of(name, folder / "truth")
        if mask.is_file():
            fields.append(LabelledField(name, mask, int(read_mask(mask).max()), ""))
    if not fields:
        raise LabelError(f"{folder}: no image in 'phase' has a mask of the same name in 'labels' or 'truth'")
    return Labelled(folder, tuple(fields), (), Offset(0.0, 0.0, 0.0))


def _by_stem(folder: Path) -> dict[str, Path]:
    """Masks by their name below a folder, without the ending; refused where two share one."""
    found: dict[str, Path] = {}
    for path in find_images(folder):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if found.setdefault(stem, path) != path:
            raise LabelError(f"{found[stem]} and {path}: two masks of one name; take one of them out")
    return found


def _truth_of(name: FrameName, truth: Path) -> Path:
    """Mask of a Cell Tracking Challenge folder, one for all or one per position."""
    own = truth / name.position
    return (own if own.is_dir() else truth) / f"{TRUTH[1]}{name.time:03d}.tif"
