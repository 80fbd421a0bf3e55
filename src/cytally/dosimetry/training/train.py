"""Labelled folders and the simulator -> a trained ensemble with thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.folder import read_fields
from cytally.dosimetry.density import normalise
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble
from cytally.dosimetry.simulate.breakage import Damage, Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import style_named
from cytally.dosimetry.training.assemble import assemble, choose_members, late_checkpoints, seconds_per_epoch
from cytally.dosimetry.training.average import average, training_images
from cytally.dosimetry.training.sources import (
    AUXILIARY,
    CLASSES,
    ComposedSource,
    FolderSource,
    MixedSource,
    SimulatedSource,
    labelled_images,
    paper_cells,
    training_cell,
)
from cytally.dosimetry.training.thresholds.cells import look_at
from cytally.dosimetry.training.thresholds.votes import choose
from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.files.runs import machine
from cytally.images.read import read
from cytally.inference.card import sha256_of
from cytally.labels.points import check_inside
from cytally.nets.unet import Architecture
from cytally.progress import Progress
from cytally.training.examples import CellSource, Targets, TrainingCell
from cytally.training.loop import fit
from cytally.training.tasks.heatmaps import HeatmapTask, TrainingSettings
from cytally.types import Image, Points, Skipped

#: Cells on which thresholds are chosen: of the highest dose, and silent ones.
THRESHOLD_CELLS = (400, 3000)
#: What holds on the hardest cells that a laboratory would score holds on easier ones.
THRESHOLD_STYLE = "hard"
_THRESHOLD_SEED = 770_000
#: Mean of the late checkpoints, in the run's folder.
AVERAGE = "mean.safetensors"


@dataclass(frozen=True)
class Plan:
    """What to learn from and what to make of it.

    Attributes
    ----------
    folders : tuple of Path
        Labelled folders.
    simulated : float
        Share of simulated cells, 0 to 1.
    filters, members : int
    name : str
    start : Path or None
        Weights to begin from.
    normal : Path or None
        Folder of unexposed, unlabelled cells, from which labelled ones are composed.
    composed : float
        Their share of all cells.
    auxiliary : bool
        Also learn monocentrics and centromeres where the simulator knows them: they
        teach a young network what dicentrics are made of.
    devices : int
        GPUs, or processes without one; 0: every GPU, or one process.
    published : bool
        Simulated cells with the counts of the preprint's training set (`paper_cells`).
    average : bool
        One member whose weights are the mean of all late checkpoints, in place of `members` drawn from them.
    """

    folders: tuple[Path, ...]
    simulated: float
    filters: int
    members: int
    name: str
    start: Path | None = None
    normal: Path | None = None
    composed: float = 0.0
    auxiliary: bool = True
    devices: int = 0
    published: bool = False
    average: bool = False

    @property
    def architecture(self) -> Architecture:
        """Of each network."""
        return Architecture(classes=len(self.channels), filters=self.filters, depth=4, widest=160)

    @property
    def channels(self) -> tuple[str, ...]:
        """What the network predicts while it learns."""
        return CLASSES + AUXILIARY if self.auxiliary else CLASSES

    def source(self, seed: int, images: Sequence[tuple[Path, Points]], fields: tuple[Field, ...] = ()) -> CellSource:
        """Cells to learn from: simulated, labelled, composed, mixed by their shares."""
        rest = 1 - (self.composed if fields else 0.0)
        simulated = paper_cells(seed) if self.published else SimulatedSource(seed, self.channels)
        parts: list[tuple[CellSource, float]] = [(simulated, rest * (self.simulated if images else 1.0))]
        if images:
            parts.append((FolderSource(tuple(images), self.channels), rest * (1 - self.simulated)))
        if fields:
            parts.append((ComposedSource(fields, seed, classes=self.channels), self.composed))
        used = [part for part in parts if part[1] > 0]
        if len(used) == 1:
            return used[0][0]
        return MixedSource(tuple(s for s, _ in used), tuple(w for _, w in used), seed)


def train_ensemble(
    plan: Plan, settings: TrainingSettings, out: Path, progress: Progress, *, command: str = ""
) -> MetaphaseEnsemble:
    """Train, draw members from the last epochs, choose thresholds.

    Parameters
    ----------
    plan : Plan
    settings : TrainingSettings
    out : Path
        Becomes the ensemble folder; out/training keeps the run.
    progress : callable
    command : str
        That makes this ensemble, for the card.
    """
    run = out / "training"
    images, skipped = readable(plan.folders, progress)
    fields = read_fields(plan.normal, skipped, progress) if plan.normal else ()
    source = plan.source(settings.seed, images, fields)
    fit(HeatmapTask(source, plan.architecture, settings, plan.start), run, progress, devices=plan.devices)
    weights, averaged = _members(plan, settings, run, source)
    notes = {
        "command": command,
        "seed": settings.seed,
        "machine": machine(),
        "data": described(plan, images, fields),
        "hours_in_epochs": round(sum(seconds_per_epoch(run)) / 3600, 2),
        "start_sha256": sha256_of(plan.start) if plan.start else None,
        "skipped": [one.image for one in skipped],
    } | averaged
    ensemble = assemble(run, out, name=plan.name, classes=CLASSES, weights=weights, training=notes)
    return set_thresholds(ensemble, out, progress)


def _members(
    plan: Plan, settings: TrainingSettings, run: Path, source: CellSource
) -> tuple[list[Path], dict[str, object]]:
    """Weights of the members, and what the card says where they are one mean."""
    if not plan.average:
        return choose_members(run, settings.late_from, plan.members, settings.seed), {}
    how, late = plan.architecture, late_checkpoints(run, settings.late_from)
    images = list(training_images(source, settings, Targets(how.classes, how.step, settings.sigma)))
    return [run / AVERAGE], average(late, how, images, run / AVERAGE)


def described(plan: Plan, images: Sequence[tuple[Path, Points]], fields: Sequence[Field]) -> str:
    """What was learnt from, in words."""
    parts = ["simulated cells"] if plan.simulated > 0 or not images else []
    if images:
        parts.append(f"{len(images)} labelled image(s)")
    if fields:
        able = sum(bool(f.uprights) for f in fields)
        parts.append(f"cells composed from {able} of {len(fields)} unlabelled field(s), share {plan.composed:g}")
    return ", ".join(parts)


def readable(folders: Sequence[Path], progress: Progress) -> tuple[list[tuple[Path, Points]], list[Skipped]]:
    """Images of labelled folders that can be used, and those that cannot."""
    found = [pair for folder in folders for pair in labelled_images(folder)]
    good, skipped = [], []
    for number, (path, points) in enumerate(found, start=1):
        try:
            image = read(path)
            normalise(image)
            check_inside(points, image.shape, shown(path))
            good.append((path, points))
        except ImageError as error:
            skipped.append(Skipped(shown(path), shown(error.beside(shown(path)))))
        progress("checking images", number, len(found))
    return good, skipped


def set_thresholds(ensemble: MetaphaseEnsemble, folder: Path, progress: Progress) -> MetaphaseEnsemble:
    """Choose thresholds on simulated cells of 4 Gy and on silent ones of the hardest style; write the card."""
    many, silent = THRESHOLD_CELLS
    highest = look_at(threshold_cells(range(many), 4.0), ensemble, many, progress, "cells of 4 Gy")
    quiet = look_at(threshold_cells(range(silent), None), ensemble, silent, progress, "cells without aberrations")
    return choose(ensemble, folder, highest, quiet)


def threshold_cells(numbers: Iterable[int], dose_gy: float | None) -> Iterator[TrainingCell]:
    """Cells that neither training nor evaluation sees; None: silent ones."""
    for number in numbers:
        rng = np.random.default_rng([_THRESHOLD_SEED + int(dose_gy or 0), number])
        counts = Damage() if dose_gy is None else Exposure(dose_gy).draw(rng)
        made = simulate_cell(style_named(THRESHOLD_STYLE), counts, rng)
        yield training_cell(normalise(Image(made.image.pixels)), made.points, CLASSES)
