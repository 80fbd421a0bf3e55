"""An ensemble + cells -> the same ensemble with verifiers and their thresholds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from cytally.dosimetry.compose.cell import Wanted
from cytally.dosimetry.compose.folder import check_fields, read_fields
from cytally.dosimetry.detectors.ensemble import MetaphaseEnsemble, load_ensemble
from cytally.dosimetry.training.candidates import collect, mark_of
from cytally.dosimetry.training.sources import CLASSES, ComposedSource, MixedSource, SimulatedSource
from cytally.dosimetry.training.train import set_thresholds
from cytally.errors import EnsembleError
from cytally.files.runs import machine
from cytally.inference.card import Card, read_card
from cytally.inference.ensemble import add_verifiers
from cytally.nets.unet import Architecture
from cytally.nets.verifier import VerifierArchitecture
from cytally.progress import Progress
from cytally.training.examples import CellSource
from cytally.training.tasks.crops import Crops, VerifierSettings, fit_verifier
from cytally.types import Skipped


@dataclass(frozen=True)
class VerifierTraining:
    """What verifiers learn from, and how.

    Attributes
    ----------
    cells : int
        Cells in which places are proposed.
    count : int
        Verifiers, each begun from another member and with its own order of places.
    side : int
        Edge of the crops in normalised pixels.
    settings : VerifierSettings
    built : VerifierArchitecture, optional
        Default: verifiers are built as the members of the ensemble are.
    """

    cells: int = 8000
    count: int = 3
    side: int = 96
    settings: VerifierSettings = field(default_factory=VerifierSettings)
    built: VerifierArchitecture | None = None

    def architecture(self, card: Card) -> VerifierArchitecture:
        """Of the verifiers of an ensemble."""
        return self.built or VerifierArchitecture(Architecture(**card.arguments), self.side)


def train_verifiers(
    source: CellSource,
    proposing: Path,
    course: VerifierTraining,
    folder: Path,
    progress: Progress,
    starts: Sequence[Path],
) -> tuple[list[Path], Crops]:
    """Train verifiers for an ensemble.

    Parameters
    ----------
    source : CellSource
    proposing : Path
        Folder of the ensemble whose proposals they shall judge.
    course : VerifierTraining
    folder : Path
        Gets the proposals and a training run per verifier; an interrupted call resumes.
    progress : callable
    starts : tuple of Path
        Weights to begin from, one per verifier: of members, or of other verifiers.

    Returns
    -------
    list of Path
        Weights, one file per verifier.
    Crops
        What they learnt from.
    """
    crops = collect(source, course.cells, proposing, folder / "places", progress)
    mark, architecture = mark_of(proposing), course.architecture(read_card(proposing))
    weights = []
    for k, start in enumerate(starts):
        settings = replace(course.settings, seed=course.settings.seed + k)
        run = folder / f"{mark}_verifier_{k:02d}"
        weights.append(fit_verifier(crops, architecture, settings, run, progress, start))
    return weights, crops


def verifier_source(
    normal: Path | None, composed: float, seed: int, skipped: list[Skipped], progress: Progress
) -> tuple[CellSource, str]:
    """Cells for verifiers, and what they are in words: simulated, half of them silent, and composed ones.

    Parameters
    ----------
    normal : Path or None
        Folder of unexposed, unlabelled cells.
    composed : float
        Share of cells composed from these.
    seed : int
    skipped : list of Skipped
        Gets what could not be read.
    progress : callable
    """
    simulated = SimulatedSource(seed, CLASSES, silent=0.5)
    if normal is None or composed <= 0:
        return simulated, "simulated cells"
    fields = read_fields(normal, skipped, progress)
    check_fields(fields, normal)
    parts = (simulated, ComposedSource(fields, seed, Wanted(silent=0.4), CLASSES))
    words = f"simulated cells and cells composed from {len(fields)} unlabelled field(s), share {composed:g}"
    return MixedSource(parts, (1 - composed, composed), seed), words


def with_verifiers(
    base: Path,
    out: Path,
    source: CellSource,
    course: VerifierTraining,
    progress: Progress,
    notes: dict[str, object],
    *,
    further: bool = False,
) -> MetaphaseEnsemble:
    """Copy an ensemble, teach it verifiers, choose all thresholds anew.

    Parameters
    ----------
    base : Path
        Ensemble folder.
    out : Path
        Becomes the new one.
    source : CellSource
    course : VerifierTraining
    progress : callable
    notes : dict
        Command and data, for the card.
    further : bool
        Begin from the verifiers that the ensemble has, not from its members.

    Raises
    ------
    EnsembleError
        `out` is the ensemble to begin from, or it has no verifiers to go on with.
    """
    if out.resolve() == base.resolve():
        raise EnsembleError(f"{out}: is the ensemble to begin from; give another --out")
    card = load_ensemble(base).card
    if further and not card.verifiers:
        raise EnsembleError(f"{base}: expected an ensemble with verifiers to go on with, it has none")
    if further:  # they may be built otherwise than its members
        course = replace(course, built=VerifierArchitecture.of(card.verifier))
    last_first = [base / file.file for file in (card.verifiers if further else reversed(card.members))]
    starts = [last_first[k % len(last_first)] for k in range(course.count)]
    weights, crops = train_verifiers(source, base, course, out / "verifier", progress, starts)
    for part in ("card.json", *(member.file for member in card.members)):
        shutil.copyfile(base / part, out / part)
    arguments = course.architecture(card).arguments
    add_verifiers(out, weights, arguments, notes | said(crops, course, len(card.classes)))
    return set_thresholds(load_ensemble(out), out, progress)


def said(crops: Crops, course: VerifierTraining, classes: int) -> dict[str, object]:
    """What verifiers learnt from, for the card."""
    return {
        "cells": course.cells,
        "machine": machine(),
        "settings": asdict(course.settings),
        "places": np.bincount(crops.labels, minlength=classes + 1).tolist(),
    }
