"""A folder with card.json and members -> networks ready to look at cells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cytally.errors import EnsembleError, SettingsError
from cytally.inference.card import (
    CARD,
    Card,
    Door,
    MemberFile,
    read_card,
    sha256_of,
)
from cytally.inference.members import (
    Member,
    StoredMember,
    StoredVerifier,
    described,
    runtime_for,
    set_threads,
)
from cytally.inference.views import CandidateVerifier
from cytally.nets.architecture import Architecture, VerifierArchitecture, architecture_of

__all__ = [
    "Ensemble",
    "add_verifiers",
    "load",
    "set_threads",
    "write_card",
    "write_ensemble",
]


@dataclass(frozen=True)
class Ensemble:
    """Members and the thresholds under which they vote.

    Attributes
    ----------
    card : Card
    members : tuple of Member
        Each maps a density (h, w) to heatmaps (classes, h / 4, w / 4).
    verifiers : tuple of CandidateVerifier
        Each says what lies in the middle of a crop; () where nothing is verified.
    """

    card: Card
    members: tuple[Member, ...]
    verifiers: tuple[CandidateVerifier, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the channels."""
        return tuple(self.card.classes)

    @property
    def runtime(self) -> str:
        """What the networks run on and in which number format; it does not belong to the identity."""
        first = self.members[0]
        return described(first.runtime if isinstance(first, StoredMember) else "torch")


def load(folder: str | Path | None, door: Door, runtime: str = "auto") -> Ensemble:
    """Load an ensemble; nothing is ever unpickled.

    Every file is checked at once; networks are built when they first look.

    Parameters
    ----------
    folder : str or Path or None
        None: the ensemble that ships with the package.
    door : Door
        What it must have been made for.
    runtime : {"auto", "torch", "openvino"}
        On what the networks run; auto takes what pays on this processor.

    Raises
    ------
    EnsembleError
        A missing, changed, foreign or unknown part, by name; trained for something else.
    SettingsError
        A runtime that is not there.
    """
    if folder is None and door.shipped is None:
        raise EnsembleError(f"expected an ensemble folder: none ships for {door.task}; train one first")
    folder = Path(folder) if folder is not None else Path(str(door.shipped))
    card = read_card(folder, door)
    if not card.members:
        raise EnsembleError(f"{folder}: expected at least one member, the card lists none")
    chosen = runtime_for(runtime)
    try:
        members = tuple(
            StoredMember(folder / file.file, file.sha256, chosen, architecture=architecture_of(card.arguments))
            for file in card.members
        )
        verifiers = tuple(
            StoredVerifier(folder / file.file, file.sha256, chosen, architecture=VerifierArchitecture.of(card.verifier))
            for file in card.verifiers
        )
    except (SettingsError, TypeError) as error:
        raise EnsembleError(f"{folder / CARD}: not an architecture that this version knows: {error}") from error
    for part in (*members, *verifiers):
        part.check()
    return Ensemble(card, members, verifiers)


def write_ensemble(folder: Path, card: Card, weights: Sequence[Path]) -> Card:
    """Write members into a new folder, and the card with their hashes.

    Channels of a network beyond the card's classes are left out.

    Parameters
    ----------
    folder : Path
        Made if not there.
    card : Card
        Its member list is replaced.
    weights : sequence of Path
        Checkpoints, one per member; the epoch is read from names like epoch_012.
    """
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    members = []
    for number, path in enumerate(weights):
        target = folder / f"member_{number:02d}.safetensors"
        tensors = load_file(path)
        answers = replace(Architecture(**card.arguments), classes=len(card.classes)).answers
        for name in ("head.weight", "head.bias"):
            tensors[name] = tensors[name][:answers].contiguous()
        save_file(tensors, target)
        epoch = path.stem.rpartition("_")[2]
        members.append(
            {"file": target.name, "sha256": sha256_of(target), "epoch": int(epoch) if epoch.isdigit() else 0}
        )
    arguments = card.arguments | {"classes": len(card.classes)}
    card = Card.model_validate(card.model_dump() | {"members": members, "arguments": arguments})
    write_card(folder, card)
    return card


def add_verifiers(folder: Path, weights: Sequence[Path], arguments: dict[str, Any], notes: dict[str, object]) -> Card:
    """Give an ensemble verifiers, which for now confirm everything; its new card.

    Parameters
    ----------
    folder : Path
        Of the ensemble; its card is rewritten last.
    weights : sequence of Path
        One file per verifier.
    arguments : dict
        Of the verifier's architecture.
    notes : dict
        How they were made; kept in the card under training, verifiers.
    """
    from safetensors.torch import load_file, save_file

    card = read_card(folder)
    verifiers = []
    for number, path in enumerate(weights):
        target = folder / f"verifier_{number:02d}.safetensors"
        save_file(load_file(path), target)
        verifiers.append(MemberFile(file=target.name, sha256=sha256_of(target)))
    thresholds = card.thresholds.model_copy(update={"probability": [0.0] * len(card.classes)})
    changed = card.model_copy(
        update={
            "verifiers": verifiers,
            "verifier": arguments,
            "thresholds": thresholds,
            "training": card.training | {"verifiers": notes},
        }
    )
    write_card(folder, changed)
    return changed


def write_card(folder: Path, card: Card) -> None:
    """Write card.json whole or not at all."""
    beside = folder / f"{CARD}.part"
    beside.write_text(json.dumps(card.model_dump(), indent=1) + "\n")
    beside.replace(folder / CARD)
