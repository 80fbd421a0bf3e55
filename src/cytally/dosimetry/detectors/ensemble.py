"""Ensembles for metaphases: the one that ships, or a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.density import NOMINAL_PIXEL_UM, NOMINAL_SIZE, Density
from cytally.dosimetry.detectors.heatmap import ByVote
from cytally.dosimetry.detectors.protocol import Decision, Explanation
from cytally.dosimetry.detectors.verified import ByVerifier
from cytally.errors import EnsembleError, SettingsError
from cytally.inference.card import Door, Thresholds, check_thresholds
from cytally.inference.ensemble import Ensemble, load
from cytally.inference.votes import predict
from cytally.types import Detections

_SEED = 880_000


@dataclass(frozen=True)
class MetaphaseEnsemble(Ensemble):
    """An ensemble that looks at metaphases: a `Detector`, `Resampling` and with `Heatmaps`.

    Its verifiers decide where it has them, else its members vote.
    """

    @property
    def name(self) -> str:
        """As the card has it."""
        return self.card.name

    @property
    def identity(self) -> str:
        """Hash of members, verifiers and thresholds."""
        return self.card.identity

    @property
    def voters(self) -> int:
        """Number of members."""
        return len(self.members)

    @property
    def decision(self) -> Decision:
        """The card's thresholds, as they are applied."""
        limits = self.card.thresholds
        strict = limits.co_occurrence
        return Decision(
            confidence=tuple(tuple(row) for row in limits.confidence),
            agreement=tuple(limits.agreement),
            co_occurrence=strict,
            probability=tuple((strict and limits.hard_rule_probability) or limits.probability or ()),
            cooccurrence_weight=tuple(limits.cooccurrence_weight or ()) if not strict else (),
        )

    @property
    def stride(self) -> int:
        """Normalised pixels per pixel of the heatmaps."""
        return self.card.stride

    @property
    def rule(self) -> ByVote | ByVerifier:
        """How it decides."""
        return ByVerifier(self) if self.verifiers else ByVote(self)

    def detect(self, density: Density) -> Detections:
        """Aberrations in a normalised cell, in pixels of its image."""
        found = self.rule.decide(density.values)
        if not len(found):
            return found
        return replace(found, row=density.to_image(found.row), col=density.to_image(found.col))

    def explain(self, density: Density) -> Explanation:
        """The same in normalised pixels, with what would be found under co-occurrence, and outlines."""
        return self.rule.explain(density.values)

    def draws(self, density: Density, count: int) -> list[Detections]:
        """What each of so many ensembles of its members finds; the same members in every call with this count."""
        return self.rule.draws(density.values, np.random.default_rng([_SEED, count]), count)

    def heatmaps(self, density: Density) -> NDArray[np.float32]:
        """Of all members, everywhere."""
        return predict(density.values, self)

    def with_thresholds(
        self,
        *,
        confidence: float | None = None,
        agreement: int | None = None,
        co_occurrence: bool | None = None,
        probability: float | None = None,
    ) -> Self:
        """The same members under other thresholds; None keeps the card's.

        Asking for votes (confidence, agreement) lets all members vote, as in the preprint:
        the result has no verifiers.

        Raises
        ------
        SettingsError
            A threshold out of range, a probability without verifiers, or a probability beside votes.
        """
        old = self.card.thresholds
        votes = confidence is not None or agreement is not None
        if probability is not None and not self.verifiers:
            raise SettingsError("probability: this ensemble has no verifiers")
        if probability is not None and votes:
            raise SettingsError(
                "expected a probability (verifiers decide) or confidence and agreement (members vote), got both"
            )
        if votes and self.verifiers:
            return self._voting().with_thresholds(
                confidence=confidence, agreement=agreement, co_occurrence=co_occurrence
            )
        new = Thresholds(
            confidence=old.confidence
            if confidence is None
            else [[confidence] * len(self.classes) for _ in self.members],
            agreement=old.agreement if agreement is None else [agreement] * len(self.classes),
            co_occurrence=old.co_occurrence if co_occurrence is None else co_occurrence,
            quantile=old.quantile if confidence is None else None,
            probability=old.probability if probability is None else [probability] * len(self.classes),
            hard_rule_probability=old.hard_rule_probability if probability is None else None,
            cooccurrence_weight=old.cooccurrence_weight,
        )
        try:
            check_thresholds(new, len(self.members), len(self.classes), "thresholds")
        except EnsembleError as error:
            raise SettingsError(str(error)) from error
        return replace(self, card=self.card.model_copy(update={"thresholds": new}))

    def _voting(self) -> Self:
        """The same without verifiers."""
        unasked = dict.fromkeys(("probability", "cooccurrence_weight", "hard_rule_probability"))
        thresholds = self.card.thresholds.model_copy(update=unasked)
        card = self.card.model_copy(update={"verifiers": [], "verifier": {}, "thresholds": thresholds})
        return replace(self, card=card, verifiers=())


def shipped_folder() -> Path:
    """Where the ensemble that ships with the package lies."""
    return Path(str(resources.files("cytally") / "ensembles" / "metaphase-3"))


#: What this door asks of an ensemble.
METAPHASES = Door("dosimetry", {"size": NOMINAL_SIZE, "pixel_um": NOMINAL_PIXEL_UM}, shipped_folder())


def load_ensemble(folder: str | Path | None = None, runtime: str = "auto") -> MetaphaseEnsemble:
    """Load an ensemble for metaphases; nothing is ever unpickled.

    Parameters
    ----------
    folder : str or Path, optional
        Default: the ensemble that ships with the package.
    runtime : {"auto", "torch", "openvino"}
        On what the networks run; auto takes what pays on this processor.

    Raises
    ------
    EnsembleError, SettingsError
        As `inference.ensemble.load`.
    """
    loaded = load(folder, METAPHASES, runtime)
    return MetaphaseEnsemble(loaded.card, loaded.members, loaded.verifiers)
