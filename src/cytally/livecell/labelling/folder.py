"""A labelled folder: phase, labels, what was rejected and why, and a sheet to look at.

OUT/phase/...        copies are not made: labels.csv names the images where they lie
OUT/labels/NAME.tif  16-bit masks of single nuclei
OUT/labels.csv       image,label,position,time,well,nuclei,status,reason,debris,waves,specks
OUT/label.json       settings, offset, counts
OUT/contact.jpg      kept (green) and rejected (red) labels over their stain
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from cytally.errors import ImageError
from cytally.figures.masks import contact_sheet, outlined
from cytally.files.atomic import write_bytes
from cytally.files.hashes import hash_of
from cytally.files.json import write_json
from cytally.files.names import shown
from cytally.files.runs import locked
from cytally.images.inputs import copies
from cytally.images.masks import grey, read_mask, write_mask
from cytally.images.read import find_images, read
from cytally.images.register import Offset, moved
from cytally.images.write import encode
from cytally.livecell.labelled import LABELS, TABLE, Labelled, LabelledField, write_table
from cytally.livecell.labelling.pairs import (
    FEWEST,
    FITTING,
    SURELY,
    Pair,
    Pairs,
    beyond_doubt,
    channel_offset,
    likeness,
    offset_error,
    pair_files,
)
from cytally.livecell.labelling.quality import Assessed, RejectSettings, clean, reasons
from cytally.livecell.labelling.sizes import OwnSize, Sizing, Stain, sized, stained_nuclei
from cytally.livecell.names.frame import Naming
from cytally.livecell.nuclei import size_hint
from cytally.progress import Progress, silent
from cytally.segmentation.declump import areas, typical_area
from cytally.types import FloatArray, Skipped

NOTES, SHEET = "label.json", "contact.jpg"
_SHOWN = 20
#: A label from which a larger share of the stained area than this was dropped as too large is of something else.
_MOSTLY = 0.5


@dataclass(frozen=True)
class LabelSettings:
    """How pairs become labels."""

    stain: Stain = field(default_factory=OwnSize)
    rejects: RejectSettings = field(default_factory=RejectSettings)
    align: bool = True


@dataclass(frozen=True)
class _Found:
    pair: Pair
    label: Path
    sizes: FloatArray
    usual: float
    oversized: float
    largest: float


@dataclass(frozen=True)
class _Made:
    pair: Pair
    label: Path
    found: Assessed


def label_folder(
    phase: Path,
    fluorescence: Path,
    out: Path,
    settings: LabelSettings,
    *,
    naming: Naming | None = None,
    progress: Progress = silent,
) -> Labelled:
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
        return _labelled(_paired(phase, fluorescence, naming or Naming()), out, settings, progress)


def _paired(phase: Path, fluorescence: Path, naming: Naming) -> Pairs:
    """Pairs of two folders, each counted once."""
    sides = find_images(phase), find_images(fluorescence)
    files = pair_files(*sides, naming.pattern, (phase, fluorescence), numbered=naming.numbered)
    pairs, twins = _counted_once(files.pairs)
    return Pairs(tuple(pairs), (*files.skipped, *twins))


def _labelled(files: Pairs, out: Path, settings: LabelSettings, progress: Progress) -> Labelled:
    stain, measured = sized(settings.stain, [pair.fluorescence for pair in files.pairs], progress)
    found, failed = _identify_all(files.pairs, out, replace(settings, stain=stain), progress)
    usual = typical_area(np.concatenate([one.sizes for one in found]))
    made = []
    for number, one in enumerate(found):
        made.append(_cleaned(one, settings, usual))
        progress("taking out debris", number + 1, len(found))
    offset, beside = _align(made) if settings.align else (Offset(0.0, 0.0, 0.0), "")
    why, alike = _judged(found, made, settings)
    fields = tuple(
        LabelledField(each.pair.name, each.label, each.found.count, reason)
        for each, reason in zip(made, why, strict=True)
    )
    hints = (*_hints(found), beside, _misfits(made, alike))
    result = Labelled(
        out,
        fields,
        (*files.skipped, *failed),
        offset,
        _sheet(made, why, out),
        tuple(hint for hint in hints if hint),
        measured.said,
    )
    write_table(result, [each.found for each in made])
    _write_notes(result, settings, measured)
    return result


def _identify_all(
    pairs: Sequence[Pair], out: Path, settings: LabelSettings, progress: Progress
) -> tuple[list[_Found], list[Skipped]]:
    """The label of every pair as the stain gives it, and the pairs that have none.

    Raises
    ------
    ImageError
        None has one.
    """
    (out / LABELS).mkdir(parents=True, exist_ok=True)
    found, skipped, stems = [], [], _stems(pairs)
    for number, pair in enumerate(pairs):
        try:
            found.append(_identified(pair, stems[pair.phase], out, settings))
        except ImageError as error:
            skipped.append(Skipped(shown(pair.phase.name), _why(pair, error)))
        progress("labelling from fluorescence", number + 1, len(pairs))
    if not found:
        where = pairs[0].fluorescence.parent
        raise ImageError(f"{where}: none of {len(pairs)} pairs could be labelled; first: {skipped[0].reason}")
    return found, skipped


def _write_notes(made: Labelled, settings: LabelSettings, measured: Sizing) -> None:
    """Write label.json."""
    notes = {
        "settings": asdict(settings),
        "measured": asdict(measured),
        "offset": asdict(made.offset),
        "kept": len(made.kept),
        "rejected": len(made.fields) - len(made.kept),
        "hints": made.hints,
        "skipped": [asdict(each) for each in made.skipped],
    }
    write_json(made.folder / NOTES, notes)


def _judged(found: Sequence[_Found], made: Sequence[_Made], settings: LabelSettings) -> tuple[list[str], list[float]]:
    """Why each label is rejected, and how alike both pictures are of those that are not for another reason."""
    judged = zip(found, reasons([each.found for each in made], settings.rejects), strict=True)
    why = [_too_large(one) or reason for one, reason in judged]
    alike = [
        float("inf") if reason else likeness(grey(read(one.pair.phase)), read_mask(one.label))
        for one, reason in zip(made, why, strict=True)
    ]
    if len(made) >= FEWEST:
        why = [reason or _unlike(value) for reason, value in zip(why, alike, strict=True)]
    return why, alike


def _hints(found: Sequence[_Found]) -> tuple[str, ...]:
    """Says when a good part of what is stained was dropped as too large."""
    dropped, stayed = sum(one.oversized for one in found), sum(float(one.sizes.sum()) for one in found)
    hint = size_hint(dropped, stayed, max(one.largest for one in found))
    usual = [one.usual for one in found if one.oversized]
    return (f"{hint} (a usual one has {np.median(usual):.0f})",) if hint else ()


def _unlike(value: float) -> str:
    """Why a label is rejected whose image shows something else; "" where it does not."""
    if value >= FITTING:
        return ""
    return (
        f"no more like its phase contrast than another field is ({value:.1f} standard deviations, {FITTING:g} expected)"
    )


def _misfits(made: Sequence[_Made], alike: Sequence[float]) -> str:
    """Says that pairs are none."""
    names = [one.pair.phase.name for one, value in zip(made, alike, strict=True) if value < FITTING]
    if not names:
        return ""
    left = "; their labels are rejected" if len(made) >= FEWEST else ""
    return shown(
        f"in {len(names)} of {len(made)} pairs stain and phase contrast have nothing in common (first: {names[0]}): "
        f"are they of the same fields?{left}"
    )


def _too_large(one: _Found) -> str:
    """Why a label is rejected of which most of the stain is missing; "" where it is not."""
    whole = one.oversized + float(one.sizes.sum())
    if one.oversized <= _MOSTLY * whole or not whole:
        return ""
    return (
        f"{one.oversized / whole:.0%} of the stained area is in objects larger than {one.largest:.0f} pixels: "
        "--diameter does not fit"
    )


def _counted_once(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Skipped]]:
    """Pairs without those of which one image is the same bytes as another pair's: nothing new, or no pair."""
    left, gone = list(pairs), []
    for side, what in (("phase", "identical to"), ("fluorescence", "its stain is identical to that of")):
        of = {str(getattr(pair, side)): pair for pair in left}
        twins = copies({image: hash_of(Path(image)) for image in of})
        gone += [
            Skipped(shown(of[image].phase.name), shown(f"{what} {of[original].phase.name}"))
            for image, original in twins.items()
        ]
        left = [pair for image, pair in of.items() if image not in twins]
    return left, gone


def _why(pair: Pair, error: ImageError) -> str:
    """An error without the name that is told before it."""
    stain = shown(pair.fluorescence)
    return shown(f"its stain: {error.reason}" if error.place == stain else error.beside(shown(pair.phase)))


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
    if np.array_equal(stain, grey(phase)):
        raise ImageError(
            f"expected phase contrast and its stain, but {pair.fluorescence.name} is the same picture; give each its own folder"
        )
    made = stained_nuclei(stain, settings.stain)
    path = out / LABELS / f"{stem}.tif"
    write_mask(path, made.labels)
    return _Found(pair, path, areas(made.labels).astype(float), made.usual, made.oversized, made.largest)


def _cleaned(one: _Found, settings: LabelSettings, usual: float) -> _Made:
    cleaned = clean(grey(read(one.pair.fluorescence)), read_mask(one.label), settings.rejects, usual)
    write_mask(one.label, cleaned.labels)
    return _Made(one.pair, one.label, cleaned.assessed)


def _align(made: Sequence[_Made]) -> tuple[Offset, str]:
    """Measure the cameras' offset on up to twenty fields; move all masks where it is beyond doubt.

    Most fields, and at least three, must surely be alike there. What is not moved for want of fields is told.
    """
    some = [each for each in made if each.found.count][:_SHOWN]
    if not some:
        return Offset(0.0, 0.0, 0.0), ""
    phases, masks = [grey(read(e.pair.phase)) for e in some], [read_mask(e.label) for e in some]
    offset = channel_offset(phases, masks)
    stays = Offset(0.0, 0.0, offset.certainty)
    if not beyond_doubt(offset, offset_error(phases, masks)):
        return stays, ""
    by = offset.row, offset.col
    sure = sum(likeness(phase, mask, by) >= SURELY for phase, mask in zip(phases, masks, strict=True))
    if 2 * sure <= len(some):
        return stays, ""
    if sure < FEWEST:
        return stays, (
            f"the fluorescence camera seems to look {offset.row:.1f} rows and {offset.col:.1f} columns beside, but "
            f"{len(some)} field{'s' if len(some) > 1 else ''} cannot tell; not corrected"
        )
    for each in made:
        write_mask(each.label, np.asarray(moved(read_mask(each.label), -offset.row, -offset.col), np.int32))
    return offset, ""


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
