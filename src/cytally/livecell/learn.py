"""A labelled folder -> an ensemble of the best epochs, with thresholds chosen on validation fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from cytally.errors import LabelError
from cytally.evaluation.matching import Hits
from cytally.evaluation.segmentation import Matched, matched, scores
from cytally.files.hashes import hash_of
from cytally.images.flatten import flatten
from cytally.images.masks import read_mask
from cytally.images.read import read
from cytally.inference.card import Card, Thresholds
from cytally.inference.ensemble import Ensemble, write_card, write_ensemble
from cytally.livecell.ensemble import COUNT_ERROR, LIVE_CELLS, load_ensemble
from cytally.livecell.labelled import LabelledField, read_labelled
from cytally.livecell.labelling.split import (
    ENOUGH,
    Field,
    Split,
    split_fields,
    thumbnail,
    windows,
    without_leaks,
)
from cytally.livecell.labelling.subfields import in_tiles, split_tiles
from cytally.livecell.labelling.unchanged import same_data
from cytally.livecell.nuclei import find_nuclei, predict, vote
from cytally.nets.unet import Architecture
from cytally.progress import Progress, silent
from cytally.training.folder import read_curve
from cytally.training.tasks.masks import CLASSES, MaskedCrop, MaskSettings, MaskTask, best_epochs, fit_masks

PARTS = ("train", "validation", "test")
#: Levels tried for each channel; the members' majority decides at each.
_LEVELS = (0.3, 0.4, 0.5, 0.6)
#: Validation fields on which they are tried; all maps of these are in memory at once.
_TRIED = 24


@dataclass(frozen=True)
class Preset:
    """A network and how it is trained."""

    architecture: Architecture
    settings: MaskSettings


PRESETS = {
    # Two cores, minutes: half the resolution inside, every pixel answered.
    "fast": Preset(
        Architecture(classes=2, filters=16, depth=4, stride=2, sharp=True, widest=128),
        MaskSettings(epochs=24, patience=8, steps=40, batch=4, side=256, rate=2e-3, late_rate=4e-4),
    ),
    # Salomon-Sorensen 2023, section 5.3.1; nearest-neighbour steps instead of transposed convolutions.
    "paper": Preset(
        Architecture(classes=2, filters=64, depth=4, stem="plain", stride=1, widest=1024, dropout=0.05),
        MaskSettings(),
    ),
}


@dataclass(frozen=True)
class Learnt:
    """What a training left.

    Attributes
    ----------
    ensemble : Ensemble
    split : Split
        Which fields were learnt from, validated on and kept for testing.
    curve : list of dict
        Loss and validation loss of each epoch.
    aside : tuple of LabelledField
        Those kept for testing.
    """

    ensemble: Ensemble
    split: Split
    curve: list[dict[str, float]]
    aside: tuple[LabelledField, ...]


def learn(
    folders: Sequence[Path],
    out: Path,
    preset: Preset,
    *,
    start: Path | None = None,
    progress: Progress = silent,
    command: str = "",
) -> Learnt:
    """Train on the kept labels of one or several folders (one cell line, or several mixed).

    Parameters
    ----------
    folders : sequence of Path
        Labelled folders.
    out : Path
        Of the ensemble; calling again goes on where an interrupted run was.
    preset : Preset
        The seed of its settings also draws which fields are kept apart.
    start : Path, optional
        An ensemble to begin from: transfer with few pairs. Its architecture is taken.
    progress : callable
    command : str
        That makes this ensemble, for the card.

    Raises
    ------
    LabelError
        No field that was kept, or so few and small that not even parts of them could be kept apart.
    RunError
        `out` holds a network that learnt from other images or labels.
    """
    fields = [field for folder in folders for field in read_labelled(folder).kept]
    same_data(out, fields)
    kept, split = _parted(fields, preset.settings.seed, out)
    base = load_ensemble(start) if start is not None else None
    if base is not None:
        preset = replace(preset, architecture=Architecture(**base.card.arguments))
    weights = start / base.card.members[0].file if start is not None and base is not None else None
    by_path = {field.name.path: field for field in kept}
    training, validation = (_crops(split.of(part), by_path, part, progress) for part in ("train", "validation"))
    task = MaskTask(training, validation, preset.architecture, preset.settings, weights)
    best = fit_masks(task, out / "training", progress)
    curve = read_curve(out / "training")
    notes = _notes(folders, split, preset.settings) | {
        "best_epochs": best_epochs(curve, preset.settings.members),
        "started_from": base.card.identity if base else "",
        "command": command,
    }
    ensemble = _assemble(out, preset.architecture, best, notes)
    tuned = choose_thresholds(ensemble, [by_path[f.name.path] for f in split.of("validation")], progress)
    write_card(out, tuned.card)
    return Learnt(tuned, split, curve, tuple(by_path[f.name.path] for f in split.of("test")))


def _notes(folders: Sequence[Path], split: Split, settings: MaskSettings) -> dict[str, object]:
    """What the card says of the images: which were learnt from, which were kept apart."""
    return {
        "settings": asdict(settings),
        "folders": [folder.name for folder in folders],
        "split_by": split.by,
        "fields": {part: [f.name.path.name for f in split.of(part)] for part in PARTS},
        "images": {part: [hash_of(f.name.path) for f in split.of(part)] for part in PARTS},
        "leaks": list(split.leaks),
    }


def fields_of(card: Card, part: str, fields: Sequence[LabelledField]) -> list[LabelledField]:
    """Those of some labelled fields that a training kept for a part: known by their content, not their names.

    Parameters
    ----------
    card : Card
    part : {"train", "validation", "test"}
    fields : sequence of LabelledField

    Raises
    ------
    LabelError
        A card that notes names only, where names repeat.
    """
    hashes = card.training.get("images")
    if isinstance(hashes, dict):
        wanted = set(hashes.get(part, ()))
        return [one for one in fields if hash_of(one.name.path) in wanted]
    noted = card.training.get("fields")
    names = set(noted.get(part, ())) if isinstance(noted, dict) else set()
    often = Counter(one.name.path.name for one in fields)
    repeated = sorted(name for name in names if often[name] > 1)
    if repeated:
        raise LabelError(
            f"{repeated[0]}: {often[repeated[0]]} fields have this name, and the card of this ensemble notes names only; "
            "train again to tell them apart, or evaluate on fields of other names"
        )
    return [one for one in fields if one.name.path.name in names]


def learnt_from(card: Card, fields: Sequence[LabelledField]) -> list[LabelledField]:
    """Those of some fields that a training learnt from or validated on; [] where its card does not say by content."""
    hashes = card.training.get("images")
    seen = set(hashes.get("train", ())) | set(hashes.get("validation", ())) if isinstance(hashes, dict) else set()
    return [one for one in fields if seen and hash_of(one.name.path) in seen]


def _parted(kept: list[LabelledField], seed: int, out: Path) -> tuple[list[LabelledField], Split]:
    """Fields and the part each belongs to; one or two fields are cut in tiles, written to `out`/tiles."""
    if not kept:
        raise LabelError(
            "expected labels to learn from, got none that was kept; contact.jpg and label.json beside the labels say why"
        )
    if len(kept) < ENOUGH:
        tiles = in_tiles(kept, out / "tiles")
        return tiles, split_tiles(tiles)
    split = split_fields([field.name for field in kept], seed)
    with_thumbs = [replace(f, thumb=thumbnail(read(f.name.path).pixels)) for f in split.fields]
    return kept, without_leaks(replace(split, fields=tuple(with_thumbs)))


def _crops(
    fields: Sequence[Field], by_path: dict[Path, LabelledField], part: str, progress: Progress
) -> list[MaskedCrop]:
    made = []
    for number, each in enumerate(fields):
        flat, labels = flatten(read(each.name.path).pixels), read_mask(by_path[each.name.path].label)
        if flat.shape != labels.shape:
            raise LabelError(
                f"{each.name.path.name}: expected image and mask in one size, got {flat.shape} and {labels.shape}"
            )
        made += [MaskedCrop.of(flat[window], labels[window]) for window in windows((flat.shape[0], flat.shape[1]))]
        progress(f"cutting crops ({part})", number + 1, len(fields))
    return made


def _assemble(out: Path, architecture: Architecture, best: Sequence[Path], notes: dict[str, object]) -> Ensemble:
    members = len(best)
    card = Card(
        name=out.name,
        task="livecell",
        classes=list(CLASSES),
        stride=architecture.step,
        normalisation=dict(LIVE_CELLS.normalisation),
        arguments=asdict(architecture),
        members=[],
        training=notes,
        thresholds=Thresholds(confidence=[[0.5, 0.5]] * members, agreement=[(members - 1) // 2] * 2),
    )
    write_ensemble(out, card, best)
    return load_ensemble(out)


def choose_thresholds(ensemble: Ensemble, fields: Sequence[LabelledField], progress: Progress) -> Ensemble:
    """The pair of levels (nucleus, core) with the best panoptic quality on validation fields.

    That is object F1 times the mean IoU of what was found: F1 alone hardly tells levels apart, and
    counts cannot, since automatic labels miss nuclei that the network finds. Also notes the spread of the relative error of the count there, part of each count's limits.
    """
    some = [fields[k] for k in np.unique(np.linspace(0, len(fields) - 1, min(_TRIED, len(fields))).astype(int))]
    maps = [predict(read(field.name.path).pixels, ensemble).astype(np.float16) for field in some]
    truths = [read_mask(field.label) for field in some]
    best, f1, chosen = -np.inf, float("nan"), ensemble
    pairs = [(a, b) for a in _LEVELS for b in _LEVELS]
    for number, pair in enumerate(pairs):
        tried = _at(ensemble, pair)
        total = Matched(Hits(), 0.0)
        for map_, truth in zip(maps, truths, strict=True):
            total += matched(vote(map_.astype(np.float32), tried).labels, truth)
        if total.panoptic_quality > best:
            best, f1, chosen = total.panoptic_quality, scores(total.hits).dice, tried
        progress("choosing thresholds", number + 1, len(pairs))
    counts = []
    for number, field in enumerate(fields):
        found = find_nuclei(read(field.name.path).pixels, chosen).count
        counts.append((found, int(read_mask(field.label).max(initial=0))))
        progress("counting validation fields", number + 1, len(fields))
    errors = [found / real - 1 for found, real in counts if real]
    spread = float(np.sqrt(np.mean(np.square(errors)))) if errors else float("nan")
    notes = chosen.card.training | {"validation_f1": f1, COUNT_ERROR: spread}
    return replace(chosen, card=chosen.card.model_copy(update={"training": notes}))


def _at(ensemble: Ensemble, pair: tuple[float, float]) -> Ensemble:
    levels = [list(pair) for _ in ensemble.members]
    thresholds = ensemble.card.thresholds.model_copy(update={"confidence": levels})
    return replace(ensemble, card=ensemble.card.model_copy(update={"thresholds": thresholds}))
