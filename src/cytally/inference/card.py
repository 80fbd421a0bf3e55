"""card.json: what an ensemble is, what it was trained on, and who its members are."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE
from cytally.errors import EnsembleError
from cytally.files.hashes import sha256_of as sha256_of
from cytally.images import flatten

CARD = "card.json"
#: What images must have become before a network of each task looks at them.
NORMALISATIONS = {
    "dosimetry": {"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM},
    "livecell": {"light_sigma": flatten.SIGMA, "limit": flatten.LIMIT},
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemberFile(_Part):
    """One member: file name inside the folder, hash, and the epoch it was taken from."""

    file: str = Field(pattern=r"^[A-Za-z0-9_.-]+\.safetensors$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    epoch: int = 0


class Thresholds(_Part):
    """What a place must exceed to be counted.

    Confidence per member and class (T_C), agreement per class (T_A, in votes), and, where the
    ensemble has second readers, their probability per class (reading), weighed by what else the
    cell holds (accompanied: a weight per class, see `dosimetry.detectors.cooccurrence`). Under co-occurrence
    nothing is weighed and the probability must exceed `alone`.
    """

    confidence: list[list[float]]
    agreement: list[int]
    co_occurrence: bool = False
    quantile: list[float] | None = None
    reading: list[float] | None = None
    accompanied: list[float] | None = None
    alone: list[float] | None = None

    @property
    def decisive(self) -> dict[str, Any]:
        """What was chosen; cards from before there was company keep their identity."""
        young = {name for name in ("accompanied", "alone") if getattr(self, name) is None}
        return self.model_dump(exclude=young)


class Card(_Part):
    """The contents of card.json."""

    format: Literal[1] = 1
    name: str
    task: Literal["dosimetry", "livecell"] = "dosimetry"
    classes: list[str]
    stride: int = 4
    normalisation: dict[str, float]
    architecture: Literal["unet"] = "unet"
    arguments: dict[str, Any]
    thresholds: Thresholds
    members: list[MemberFile]
    reader: dict[str, Any] = Field(default_factory=dict)
    readers: list[MemberFile] = Field(default_factory=list)
    training: dict[str, Any] = Field(default_factory=dict)
    licence: str = "BSD-3-Clause"

    @property
    def identity(self) -> str:
        """Short hash of everything that decides what is detected."""
        decisive = self.model_dump(include={
            "classes", "stride", "normalisation", "architecture", "arguments", "members", "reader", "readers",
        })  # fmt: skip
        text = json.dumps(decisive | {"thresholds": self.thresholds.decisive}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_card(folder: Path) -> Card:
    """Read and check card.json.

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
    mine = NORMALISATIONS[card.task]
    if card.normalisation != mine:
        raise EnsembleError(
            f"{path}: trained on normalisation {card.normalisation}, this version does {mine}"
        )
    check_thresholds(card.thresholds, len(card.members), len(card.classes), str(path))
    if bool(card.readers) != bool(card.thresholds.reading):
        raise EnsembleError(f"{path}: expected second readers and thresholds for them, or neither")
    return card


def check_thresholds(thresholds: Thresholds, members: int, classes: int, where: str) -> None:
    """Refuse thresholds of the wrong shape or range."""
    shape = [len(row) for row in thresholds.confidence]
    if shape != [classes] * members or len(thresholds.agreement) != classes:
        raise EnsembleError(
            f"{where}: expected thresholds for {members} members and {classes} classes, got {shape}"
        )
    if any(not 0 <= agreement < members for agreement in thresholds.agreement):
        raise EnsembleError(
            f"{where}: expected an agreement from 0 to {members - 1} votes (to be exceeded), got {thresholds.agreement}"
        )
    if any(not 0 < value < 1 for row in thresholds.confidence for value in row):
        raise EnsembleError(f"{where}: expected confidences between 0 and 1")
    for name in ("reading", "alone"):
        values = getattr(thresholds, name)
        if values is not None and (len(values) != classes or any(not 0 <= value < 1 for value in values)):
            raise EnsembleError(
                f"{where}: expected {name} from 0 to below 1 for {classes} classes, got {values}"
            )
    weights = thresholds.accompanied
    if weights is not None and (len(weights) != classes or any(not 0 <= value <= 5 for value in weights)):
        raise EnsembleError(
            f"{where}: expected accompanied (weights from 0 to 5) for {classes} classes, got {weights}"
        )
