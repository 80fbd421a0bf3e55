"""A laboratory's unexposed cells + the shipped ensemble -> an ensemble for that laboratory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from cytally.dosimetry.compose.cell import Wanted, compose_cell
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.folder import check_fields, read_fields
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble, load_ensemble
from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.measure.evaluate import LabelledCell, evaluate
from cytally.dosimetry.measure.normal import Rate, evaluate_normal
from cytally.dosimetry.training.assemble import assemble, choose_members, seconds_per_epoch
from cytally.dosimetry.training.sources import CLASSES, ComposedSource, MixedSource, SimulatedSource
from cytally.dosimetry.training.thresholds.cells import look_at
from cytally.dosimetry.training.thresholds.votes import choose
from cytally.dosimetry.training.train import threshold_cells
from cytally.dosimetry.training.verifier import VerifierTraining, said, train_verifiers
from cytally.files.atomic import write_bytes
from cytally.files.runs import machine
from cytally.inference.card import CARD, read_card, sha256_of
from cytally.inference.ensemble import add_verifiers
from cytally.nets.architecture import VerifierArchitecture
from cytally.nets.unet import Architecture
from cytally.progress import Progress
from cytally.training.examples import TrainingCell
from cytally.training.loop import fit
from cytally.training.pool import PoolSettings
from cytally.training.tasks.crops import REFRESH
from cytally.training.tasks.heatmaps import FURTHER, HeatmapTask, TrainingSettings
from cytally.types import Skipped

FIGURES = "adapt.json"
#: Where a new ensemble lies that is no better than the former one.
NOT_BETTER = "not_better"
#: One field in this many is kept for checking, at least one where there are several.
_KEPT = 5
#: Composed cells on which recall is measured.
_CHECKED = 60
#: Cells of each kind, composed and simulated, for thresholds: with aberrations, and silent ones, of which
#: fewer would leave the rate of false alarms to chance.
_EXPOSED, _SILENT = 150, 300
_SEED = 660_000
#: Cells in which the new ensemble proposes places to the verifiers.
_REREAD = 1600

#: Eight epochs at a low rate: enough to learn a stain, too few to learn fields by heart.
ADAPT = replace(FURTHER, epochs=8, late_from=3, rate=4e-4, late_rate=3e-4, pool=PoolSettings(size=1000, fresh=250))


@dataclass(frozen=True)
class Check:
    """A detector on the fields kept for checking.

    Attributes
    ----------
    recall, precision : dict of str to float
        On cells composed from those fields, by class, one to one; NaN where nothing counts.
    composed : int
        Number of such cells.
    normal : tuple of Rate
        Detections in the same fields, untouched.
    """

    recall: dict[str, float]
    precision: dict[str, float]
    composed: int
    normal: tuple[Rate, ...]

    def worth(self, name: str = "dicentric") -> float:
        """F1 of a class on the composed cells, 0 where nothing was found."""
        recall, precision = self.recall[name], self.precision[name]
        return 2 * recall * precision / (recall + precision) if recall > 0 and precision > 0 else 0.0


@dataclass(frozen=True)
class Adapted:
    """The new ensemble, and how both did before and after.

    Attributes
    ----------
    ensemble : MetaphaseEnsemble
        That lies in the folder: the new one where it is better on the fields kept aside, else the former.
    before, after : Check
    learnt, kept : int
        Fields learnt from, and kept aside.
    skipped : tuple of Skipped
    """

    ensemble: MetaphaseEnsemble
    before: Check
    after: Check
    learnt: int
    kept: int
    skipped: tuple[Skipped, ...]

    @property
    def better(self) -> bool:
        """Whether dicentrics are found better than before on the fields kept aside (F1)."""
        return self.after.worth() > self.before.worth()


def adapt(
    folder: Path,
    out: Path,
    base: Path,
    progress: Progress,
    *,
    settings: TrainingSettings = ADAPT,
    share: float = 0.6,
    command: str = "",
) -> Adapted:
    """Fine-tune an ensemble to a microscope and a stain, from unlabelled unexposed cells.

    Parameters
    ----------
    folder : Path
        Images of unexposed metaphases.
    out : Path
        Becomes the ensemble folder; an interrupted call resumes.
    base : Path
        Ensemble folder; its last member is fine-tuned on composed and simulated cells.
    progress : callable
    settings : TrainingSettings
    share : float
        Share of composed cells among those learnt from.
    command : str
        That makes this ensemble, for the card.

    Returns
    -------
    Adapted
        Where dicentrics are not found better than before on fields kept aside, `out` holds the former
        ensemble unchanged, and the new one lies in `out/not_better`.

    Raises
    ------
    ImageError
        No field from which cells can be composed.
    """
    skipped: list[Skipped] = []
    fields = read_fields(folder, skipped, progress)
    check_fields(fields, folder)
    learnt, kept = split(fields)
    old = load_ensemble(base)
    before = check(old, kept, progress, "before")
    start = base / old.card.members[-1].file
    seed = settings.seed
    sources = (ComposedSource(learnt, seed, classes=CLASSES), SimulatedSource(seed, classes=CLASSES))
    mixed = MixedSource(sources, (share, 1 - share), seed)
    fit(HeatmapTask(mixed, Architecture(**old.card.arguments), settings, start), out / "training", progress)
    members = min(10, settings.epochs - settings.late_from + 1)
    weights = choose_members(out / "training", settings.late_from, members, seed)
    notes = {
        "command": command,
        "seed": seed,
        "machine": machine(),
        "start_sha256": sha256_of(start),
        "data": f"cells composed from {len(learnt)} unlabelled field(s), share {share:g}; simulated cells",
        "adapted_from": old.card.identity,
        "hours_in_epochs": round(sum(seconds_per_epoch(out / "training")) / 3600, 2),
    }
    made = assemble(out / "training", out, name=out.name, classes=CLASSES, weights=weights, training=notes)
    if old.verifiers:
        made = _reverified(mixed, base, out, progress)
    made = _thresholds(made, learnt, out, progress)
    after = check(made, kept, progress, "after")
    result = _better(Adapted(made, before, after, len(learnt), len(kept), tuple(skipped)), base, out)
    write_bytes(out / FIGURES, (json.dumps(figures(result), indent=1) + "\n").encode())
    return result


def _better(result: Adapted, base: Path, out: Path) -> Adapted:
    """The result, with the former ensemble in `out` where the new one is no better."""
    if result.better:
        return result
    _hand_over(out, out / NOT_BETTER)
    _hand_over(base, out)
    return replace(result, ensemble=load_ensemble(out))


def _hand_over(source: Path, target: Path) -> None:
    """Copy an ensemble into a folder, its card last; members of another one there go."""
    target.mkdir(parents=True, exist_ok=True)
    card = read_card(source)
    files = [file.file for file in (*card.members, *card.verifiers)]
    for name in files:
        shutil.copyfile(source / name, target / name)
    write_bytes(target / CARD, (source / CARD).read_bytes())
    for path in (*target.glob("member_*.safetensors"), *target.glob("verifier_*.safetensors")):
        if path.name not in files:
            path.unlink()


def split(fields: Sequence[Field]) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """Fields to learn from and fields kept for checking; a single one must serve both."""
    able = [f for f in fields if f.uprights]
    if len(able) == 1:
        return tuple(fields), tuple(able)
    kept = tuple(able[_KEPT - 1 :: _KEPT]) or (able[-1],)
    chosen = {id(field) for field in kept}
    return tuple(f for f in fields if id(f) not in chosen), kept


def check(detector: Detector, fields: tuple[Field, ...], progress: Progress, when: str) -> Check:
    """Recall and precision on cells composed of some fields; detections in those fields as they are."""

    def told(stage: str, done: int, total: int) -> None:
        progress(f"{stage} ({when})", done, total)

    cells = (
        LabelledCell(normalise(made.image), made.points, "composed")
        for made in (compose_cell(fields, Wanted(silent=0.0), _rng(1, k)) for k in range(_CHECKED))
    )
    result = evaluate(cells, _CHECKED, detector, [], told, sweeping=False)
    totals = {name: result.total(name, "one_to_one") for name in detector.classes}
    normal = evaluate_normal({field.source: Path(field.source) for field in fields}, detector, told)
    return Check(
        {name: hits.recall for name, hits in totals.items()},
        {name: hits.precision for name, hits in totals.items()},
        _CHECKED,
        normal.rates,
    )


def _rng(purpose: int, number: int) -> np.random.Generator:
    return np.random.default_rng([_SEED + purpose, number])


def _reverified(source: MixedSource, base: Path, out: Path, progress: Progress) -> MetaphaseEnsemble:
    """Verifiers of the base, taught what the new ensemble proposes in the laboratory's own cells."""
    card = load_ensemble(base).card
    starts = tuple(base / verifier.file for verifier in card.verifiers)
    course = VerifierTraining(_REREAD, len(starts), settings=REFRESH, built=VerifierArchitecture.of(card.verifier))
    weights, crops = train_verifiers(source, out, course, out / "training" / "verifier", progress, starts)
    add_verifiers(out, weights, card.verifier, said(crops, course, len(card.classes)))
    return load_ensemble(out)


def _thresholds(
    ensemble: MetaphaseEnsemble, fields: tuple[Field, ...], out: Path, progress: Progress
) -> MetaphaseEnsemble:
    """Thresholds on composed and simulated cells, as many of each."""

    def cells(wanted: Wanted, dose: float | None, purpose: int, count: int) -> Iterator[TrainingCell]:
        source = ComposedSource(fields, _SEED + purpose, wanted)
        yield from (source.cell(k) for k in range(count))
        yield from threshold_cells(range(count), dose)

    many = cells(Wanted(1.5, 0.8, silent=0.0), 4.0, 2, _EXPOSED)
    highest = look_at(many, ensemble, 2 * _EXPOSED, progress, "cells with aberrations")
    quiet = cells(Wanted(silent=1.0), None, 3, _SILENT)
    silent = look_at(quiet, ensemble, 2 * _SILENT, progress, "cells without aberrations")
    return choose(ensemble, out, highest, silent)


def figures(result: Adapted) -> dict[str, object]:
    """Plain numbers, for JSON."""

    def plain(value: object) -> object:
        """NaN has no place in JSON."""
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        return None if isinstance(value, float) and value != value else value

    return {
        "detector": result.ensemble.card.identity,
        "better": result.better,
        "fields_learnt_from": result.learnt,
        "fields_kept": result.kept,
        "before": plain(asdict(result.before)),
        "after": plain(asdict(result.after)),
        "skipped": [vars(one) for one in result.skipped],
    }
