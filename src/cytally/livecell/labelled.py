"""A labelled folder on disk: labels.csv written and read back, or plain folders of images and masks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytally.errors import LabelError
from cytally.files.atomic import write_bytes
from cytally.files.names import on_disk
from cytally.files.tables.csv import csv_bytes
from cytally.files.tables.headings import Column, Wanted
from cytally.files.tables.table import Row, read_table
from cytally.images.masks import read_mask
from cytally.images.read import find_images
from cytally.images.register import Offset
from cytally.images.sequences.tracks import TRUTH
from cytally.livecell.labelling.quality import Assessed
from cytally.livecell.names.understand import understand
from cytally.livecell.sequences import FrameName, folder_of
from cytally.types import Skipped

TABLE = "labels.csv"
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
    "labels.csv of 'livecell label'",
    tuple(map(Column, COLUMNS)),
    (("image", "label", "position", "time", "well", "nuclei", "reason"),),
    "image, label, position, time, well, nuclei and reason",
    LabelError,
)


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
    """A labelled folder; hints say what may be wrong with the settings, `measured` how large nuclei are."""

    folder: Path
    fields: tuple[LabelledField, ...]
    skipped: tuple[Skipped, ...]
    offset: Offset
    sheet: Path | None = None
    hints: tuple[str, ...] = ()
    measured: str = ""

    @property
    def kept(self) -> list[LabelledField]:
        """Fields to learn from."""
        return [each for each in self.fields if each.kept]


def write_table(labelled: Labelled, found: Sequence[Assessed]) -> None:
    """Write labels.csv: each field with what was taken out of its label."""
    rows = [list(COLUMNS)]
    for one, measured in zip(labelled.fields, found, strict=True):
        image = os.path.relpath(one.name.path, labelled.folder)
        rows.append(
            [
                image,
                one.label.relative_to(labelled.folder).as_posix(),
                one.name.position,
                str(one.name.time),
                one.name.well,
                str(one.nuclei),
                "kept" if one.kept else "rejected",
                one.reason,
                str(measured.debris),
                str(measured.waves),
                str(measured.specks),
            ]
        )
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
        if not os.path.isfile(image) or not os.path.isfile(label):  # False for names that no disk can hold, too
            raise row.wrong(f"names {row.text('image')[:80]} and {row.text('label')[:80]}, but one of them is gone")
        name = FrameName(row.text("position"), row.whole("time"), row.text("well"), image)
        fields.append(LabelledField(name, label, row.whole("nuclei"), row.text("reason")))
    return Labelled(folder, tuple(fields), (), Offset(0.0, 0.0, 0.0))


def _named(folder: Path, row: Row, name: str) -> Path:
    """A file as the table names it, or as another system would have written it."""
    given = row.exact(name)
    if "\0" in given or not given.strip():
        raise row.wrong(f"expected a file in the column {name}, found {given!r}")
    given = on_disk(given)
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
