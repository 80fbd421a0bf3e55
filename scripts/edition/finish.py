"""An edition's members and verifiers -> an ensemble with thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from cytally.dosimetry.compose.cell import Wanted
from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE
from cytally.dosimetry.detectors.candidates import LEVEL
from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.training.sources import CLASSES, ComposedSource, DrawnSource
from cytally.dosimetry.training.thresholds.cells import look_at
from cytally.dosimetry.training.thresholds.votes import choose
from cytally.dosimetry.training.train import threshold_cells
from cytally.inference.card import Card, Thresholds, read_card
from cytally.inference.ensemble import add_verifiers, write_card, write_ensemble
from cytally.nets.architecture import Architecture, VerifierArchitecture
from cytally.training.checkpoints import load_tensors, save_tensors
from cytally.training.examples import CellSource
from edition.cells import fields_of, fitted, geometries_of
from edition.networks import SIDE, VERIFYING, say

#: What is learnt from, for the card.
DATA = (
    "simulated cells; cells composed from M-FISH images (Advanced Digital Imaging Research) in the look of solid "
    "Giemsa; drawn chromosomes laid where these lie; cells composed from fields of lb-kosuke/Detection_Classification"
)


def assemble(
    out: Path, members: list[Path], verifiers: list[Path], notes: dict[str, object], unet: Architecture
) -> None:
    """Put members of an architecture and verifiers into a folder with a card; thresholds come later."""
    card = Card(
        name=out.name,
        task="dosimetry",
        classes=list(CLASSES),
        arguments={k: asdict(unet)[k] for k in ("classes", "filters", "depth", "stem", "widest")},
        members=[],
        normalisation={"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM},
        thresholds=Thresholds(
            confidence=[[0.5] * len(CLASSES)] * len(members), agreement=[len(members) // 2] * len(CLASSES)
        ),
        training=notes,
    )
    write_ensemble(out, card, members)
    add_verifiers(out, verifiers, VerifierArchitecture(VERIFYING, SIDE).arguments, notes)


def limits_of(former: Path, out: Path) -> None:
    """The limits of a former edition, where the verifiers are its own, and how these were made."""
    kept = ("probability", "cooccurrence_weight", "hard_rule_probability")
    old, new = read_card(former), read_card(out)
    if [one.sha256 for one in old.verifiers] != [one.sha256 for one in new.verifiers]:
        raise SystemExit(f"{out}: expected the verifiers of {former}; choose thresholds instead")
    update = {name: getattr(old.thresholds, name) for name in kept}
    training = new.training | {"verifiers": old.training["verifiers"], "taught by": f"{old.name}, {old.identity}"}
    thresholds = new.thresholds.model_copy(update=update)
    write_card(out, new.model_copy(update={"thresholds": thresholds, "training": training}))


def levelled(path: Path, out: Path, levels: Sequence[float]) -> Path:
    """A small member whose answers of these levels (dicentric, fragment) become those from which places are proposed.

    It answers more or less boldly than its teachers; the last layer's bias alone is moved.
    """
    tensors = load_tensors(path)[0]
    asked = torch.tensor([LEVEL[name] for name in CLASSES], dtype=torch.float64)
    moved = torch.logit(asked) - torch.logit(torch.tensor(levels, dtype=torch.float64))
    tensors["head.bias"] = (tensors["head.bias"].double() + moved).to(tensors["head.bias"].dtype)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(out, tensors)
    return out


def thresholds(work: Path, out: Path, count: int) -> None:
    """Choose the thresholds of an assembled ensemble on cells of every kind that it has not learnt from."""
    ensemble, told = load_ensemble(out), say("thresholds")
    quiet = {"anew": (2, 12), "restyled": 0.85}
    outlined, places_ = fields_of(work, "outlined"), geometries_of(work)
    silent: list[CellSource] = [
        ComposedSource(outlined, 99_001, Wanted(silent=1.0, **quiet), CLASSES),
        DrawnSource(places_, 99_002, Wanted(silent=1.0, swapped=0, **quiet), CLASSES),
    ]
    exposed: list[CellSource] = [
        ComposedSource(outlined, 99_003, Wanted(silent=0.2, restyled=0.85), CLASSES),
        DrawnSource(places_, 99_004, Wanted(silent=0.2, swapped=0, restyled=0.7), CLASSES),
    ]
    highest = look_at(threshold_cells(range(count // 4), 4.0), ensemble, count // 4, told, "cells of 4 Gy")
    calm = look_at(threshold_cells(range(count), None), ensemble, count, told, "cells without aberrations")
    for source in exposed:
        highest += look_at(
            (fitted(source.cell(k)) for k in range(count // 4)), ensemble, count // 4, told, "composed cells"
        )
    for source in silent:
        calm += look_at(
            (fitted(source.cell(k)) for k in range(count // 2)), ensemble, count // 2, told, "composed, silent"
        )
    print(choose(ensemble, out, highest, calm).card.thresholds, flush=True)
