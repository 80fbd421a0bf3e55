"""Traits of a cell -> how likely it is a single, whole, spread metaphase in focus, and what it is otherwise.

A multinomial logistic regression on the traits and their products, learnt from simulated cells (`scripts/train_selection.py`). It has seen
yields of 0 to 4 Gy in cells of every kind alike, so that aberrations teach it nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cytally.dosimetry.selection.traits import Traits
from cytally.errors import EnsembleError
from cytally.files.hashes import hash_of
from cytally.types import FloatArray

#: What a cell can be, and how it is told; the first can be scored.
KINDS = {
    "complete": "",
    "incomplete": "incomplete",
    "double": "two cells",
    "prometaphase": "prometaphase",
    "smeared": "smear",
    "blurred": "out of focus",
    "clumped": "clumped",
}
WHOLE = "complete"


class Fitted(BaseModel):
    """What the file of a model holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kinds: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]
    threshold: float
    pieces: tuple[float, ...]
    pieces_bias: float
    made: dict[str, str | int | float]


@dataclass(frozen=True)
class Verdict:
    """What is said of one cell.

    Attributes
    ----------
    reason : str
        Why it cannot be scored; "" where it can.
    probability : float
        That it is a single, whole, spread metaphase in focus.
    chromosomes : int
        Estimate of its pieces: chromosomes and fragments; clusters are counted by what they look like.
    """

    reason: str
    probability: float
    chromosomes: int

    @property
    def scorable(self) -> bool:
        """Whether it can be scored."""
        return not self.reason


@dataclass(frozen=True)
class Selector:
    """A fitted model, and the probability that a cell must reach.

    Attributes
    ----------
    fitted : Fitted
    identity : str
        Changes whenever what is selected may change.
    """

    fitted: Fitted
    identity: str

    def judge(self, traits: Traits) -> Verdict:
        """Whether a cell can be scored, and what it looks like otherwise."""
        kinds, inputs = self.fitted.kinds, self.inputs(traits)
        chances = self._probabilities(inputs)
        whole = float(chances[kinds.index(WHOLE)])
        others = np.where(np.array(kinds) == WHOLE, -1.0, chances)
        reason = "" if whole >= self.fitted.threshold else KINDS[kinds[int(np.argmax(others))]]
        if traits.groups:  # simulated pairs lie within each other, so that the model has never met two groups
            reason = KINDS["double"]
        pieces = float(np.array(self.fitted.pieces) @ inputs + self.fitted.pieces_bias)
        return Verdict(reason, whole, max(round(pieces), traits.single))

    def inputs(self, traits: Traits) -> FloatArray:
        """What the model is asked, scaled traits and their products."""
        return products((numbers(traits) - np.array(self.fitted.mean)) / np.array(self.fitted.scale))

    def _probabilities(self, inputs: FloatArray) -> FloatArray:
        """Of each kind, (kinds,)."""
        logits = np.array(self.fitted.weights) @ inputs + np.array(self.fitted.bias)
        raised = np.exp(logits - logits.max())
        return np.asarray(raised / raised.sum())


def numbers(traits: Traits) -> FloatArray:
    """Traits as numbers of similar ranges, (10,)."""
    return np.array(
        [
            traits.objects,
            traits.single,
            traits.clusters,
            math.log1p(traits.clustered),
            traits.nuclei,
            traits.slenderness,
            traits.width,
            traits.sharpness,
            math.log(traits.haze + 0.01),
            traits.spread,
        ],
        float,
    )


def products(scaled: FloatArray) -> FloatArray:
    """Scaled traits, limited to six standard deviations, and all products of two of them, (n + n (n + 1) / 2,)."""
    limited = np.clip(scaled, -6, 6)
    rows, cols = np.triu_indices(len(limited))
    return np.concatenate([limited, limited[rows] * limited[cols]])


def shipped_path() -> Path:
    """Where the model that comes with the package lies."""
    return Path(str(resources.files("cytally") / "dosimetry" / "selection" / "selection.json"))


@cache
def shipped() -> Selector:
    """The model that comes with the package."""
    return read_selector(shipped_path())


def read_selector(path: Path) -> Selector:
    """Read a model.

    Raises
    ------
    EnsembleError
        Missing, damaged, or of other traits.
    """
    try:
        fitted = Fitted.model_validate_json(path.read_bytes())
    except OSError as error:
        raise EnsembleError(f"{path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise EnsembleError(f"{path}: expected a model of selection, got {where}: {problem['msg']}") from error
    count, pairs = len(fitted.mean), len(products(np.zeros(len(fitted.mean))))
    sizes = {len(row) for row in (*fitted.weights, fitted.pieces)}
    if not set(fitted.kinds) <= set(KINDS) or WHOLE not in fitted.kinds or len(fitted.scale) != count:
        raise EnsembleError(f"{path}: expected kinds among {', '.join(KINDS)} and a scale for each trait")
    if sizes != {pairs} or len(fitted.weights) != len(fitted.kinds) or len(fitted.bias) != len(fitted.kinds):
        raise EnsembleError(f"{path}: expected {pairs} weights and a bias for each of {len(fitted.kinds)} kinds")
    return Selector(fitted, hash_of(path)[:16])
