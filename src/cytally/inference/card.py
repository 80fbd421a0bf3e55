"""card.json: what an ensemble is, what it was trained on, and who its members are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytally.errors import EnsembleError
from cytally.files.hashes import sha256_of as sha256_of

CARD = "card.json"


@dataclass(frozen=True)
class Door:
    """What a door of the house asks of an ensemble.

    Attributes
    ----------
    task : str
        What it must have been trained for.
    normalisation : mapping of str to float
        What images become before a network sees them; an ensemble trained on another is refused.
    shipped : Path or None
        The ensemble that ships with the package.
    """

    task: str
    normalisation: Mapping[str, float]
    shipped: Path | None = None


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemberFile(_Part):
    """One member: file name inside the folder, hash, and the epoch it was taken from."""

    file: str = Field(pattern=r"^[A-Za-z0-9_.-]+\.safetensors$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    epoch: int = 0


class Thresholds(_Part):
    """What a place must exceed to be counted.

    Attributes
    ----------
    confidence : list of list of float
        T_C per member and class.
    agreement : list of int
        T_A per class, in votes.
    co_occurrence : bool
        Whether one class counts only beside another (the hard rule).
    quantile : list of float, optional
        Of the members' maxima, from which the confidences were taken; for the record.
    probability : list of float, optional
        Per class, where the ensemble has verifiers.
    cooccurrence_weight : list of float, optional
        Per class: how much what else the image holds changes a probability.
    hard_rule_probability : list of float, optional
        What probabilities must exceed under the hard rule, where nothing is weighed.
    """

    confidence: list[list[float]]
    agreement: list[int]
    co_occurrence: bool = False
    quantile: list[float] | None = None
    probability: list[float] | None = None
    cooccurrence_weight: list[float] | None = None
    hard_rule_probability: list[float] | None = None

    @property
    def decisive(self) -> list[Any]:
        """What decides, in an order that never changes, without names."""
        return [
            self.confidence,
            self.agreement,
            self.co_occurrence,
            self.probability,
            self.cooccurrence_weight,
            self.hard_rule_probability,
        ]


class Card(_Part):
    """The contents of card.json."""

    format: Literal[2] = 2
    name: str
    task: str
    classes: list[str]
    stride: int = 4
    normalisation: dict[str, float]
    architecture: Literal["unet"] = "unet"
    arguments: dict[str, Any]
    thresholds: Thresholds
    members: list[MemberFile]
    verifier: dict[str, Any] = Field(default_factory=dict)
    verifiers: list[MemberFile] = Field(default_factory=list)
    training: dict[str, Any] = Field(default_factory=dict)
    licence: str = "BSD-3-Clause"

    @property
    def identity(self) -> str:
        """Short hash of everything that decides what is detected.

        Taken over a list whose order is part of the format, not over names: nothing that is renamed
        in the code makes a curve foreign to the detector that counted for it.
        """
        decisive = [
            self.classes,
            self.stride,
            sorted(self.normalisation.items()),
            self.architecture,
            sorted(self.arguments.items()),
            [file.sha256 for file in self.members],
            _flat(self.verifier),
            [file.sha256 for file in self.verifiers],
            self.thresholds.decisive,
        ]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def _flat(arguments: Mapping[str, Any]) -> list[Any]:
    """Nested arguments as a sorted list of pairs."""
    return [[name, _flat(value) if isinstance(value, dict) else value] for name, value in sorted(arguments.items())]


def read_card(folder: Path, door: Door | None = None) -> Card:
    """Read and check card.json.

    Parameters
    ----------
    folder : Path
    door : Door, optional
        Whose normalisation it must have.

    Raises
    ------
    EnsembleError
        Missing, not JSON, an unknown or missing field, or thresholds that do not
        belong to the members.
    """
    path = folder / CARD
    if not path.is_file():
        raise EnsembleError(f"{folder}: expected an ensemble (a folder with {CARD}), found none")
    try:
        card = Card.model_validate_json(path.read_text())
    except (ValidationError, UnicodeDecodeError) as error:
        raise EnsembleError(f"{path}: not a card that this version reads: {error}") from error
    if door is not None and card.task != door.task:
        raise EnsembleError(f"{folder}: expected an ensemble for {door.task}, got one for {card.task}; give another")
    if door is not None and card.normalisation != door.normalisation:
        raise EnsembleError(
            f"{path}: trained on normalisation {card.normalisation}, this version does {dict(door.normalisation)}"
        )
    check_thresholds(card.thresholds, len(card.members), len(card.classes), str(path))
    if bool(card.verifiers) != bool(card.thresholds.probability):
        raise EnsembleError(f"{path}: expected verifiers and probabilities for them, or neither")
    return card


def check_thresholds(thresholds: Thresholds, members: int, classes: int, where: str) -> None:
    """Refuse thresholds of the wrong shape or range."""
    shape = [len(row) for row in thresholds.confidence]
    if shape != [classes] * members or len(thresholds.agreement) != classes:
        raise EnsembleError(f"{where}: expected thresholds for {members} members and {classes} classes, got {shape}")
    if any(not 0 <= agreement < members for agreement in thresholds.agreement):
        raise EnsembleError(
            f"{where}: expected an agreement from 0 to {members - 1} votes (to be exceeded), got {thresholds.agreement}"
        )
    if any(not 0 < value < 1 for row in thresholds.confidence for value in row):
        raise EnsembleError(f"{where}: expected confidences between 0 and 1")
    for name in ("probability", "hard_rule_probability"):
        values = getattr(thresholds, name)
        if values is not None and (len(values) != classes or any(not 0 <= value < 1 for value in values)):
            raise EnsembleError(f"{where}: expected {name} from 0 to below 1 for {classes} classes, got {values}")
    weights = thresholds.cooccurrence_weight
    if weights is not None and (len(weights) != classes or any(not 0 <= value <= 5 for value in weights)):
        raise EnsembleError(f"{where}: expected cooccurrence_weight from 0 to 5 for {classes} classes, got {weights}")
