"""Counts at known doses, and the conditions under which they were made."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from cytally.errors import CountsError
from cytally.files.text import read_text
from cytally.statistics.poisson import Dispersion, dispersion

#: What is counted unless something else is said, such as micronuclei.
DICENTRICS = "dicentrics"
#: What two assays count beside them.
TRANSLOCATIONS, ACENTRICS = "translocations", "acentrics"
#: Bytes of a file of facts.
_LARGEST_TOML = 2**20


@dataclass(frozen=True)
class DosePoint:
    """Cells and dicentrics at one dose.

    Attributes
    ----------
    dose_gy : float
    cells, dicentrics : int
    weight : float
        Below 1 where they say less than so many Poisson counts.
    distribution : tuple of int
        Cells with 0, 1, 2, ... dicentrics, where that is known; else empty.

    Raises
    ------
    CountsError
        A distribution that contradicts the totals.
    """

    dose_gy: float
    cells: int
    dicentrics: int
    weight: float = 1.0
    distribution: tuple[int, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        total = sum(k * cells for k, cells in enumerate(self.distribution))
        if self.distribution and (sum(self.distribution), total) != (self.cells, self.dicentrics):
            raise CountsError(
                f"at {self.dose_gy:g} Gy the distribution holds {total} aberrations in {sum(self.distribution)} "
                f"cells, the totals say {self.dicentrics} in {self.cells}"
            )

    @property
    def dispersion(self) -> Dispersion | None:
        """Of the dicentrics over the cells; None where only totals are known."""
        return dispersion(np.array(self.distribution)) if self.distribution else None


class About(BaseModel):
    """Under what conditions a curve was made; text, and what is not known is left empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dose_rate: str = ""
    quantity: str = ""
    medium: str = ""
    temperature: str = ""
    thresholds: str = ""
    counted_by: str = ""
    made: str = ""
    remarks: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a curve comes from, and what it counts; kept with it.

    Attributes
    ----------
    radiation, laboratory : str
    detector : str
        Identity of ensemble and thresholds that counted, "" for manual scoring.
    aberration : str
        What was counted: dicentrics, micronuclei, translocations, acentrics, ...
    about : About

    Raises
    ------
    CountsError
        No aberration.
    """

    radiation: str = ""
    laboratory: str = ""
    detector: str = ""
    aberration: str = DICENTRICS
    about: About = field(default_factory=About)

    def __post_init__(self) -> None:
        if not self.aberration.strip():
            raise CountsError(f"expected what was counted, such as {DICENTRICS} or micronuclei, got an empty text")


UNKNOWN = Origin()


def read_about(path: Path) -> About:
    """Read the conditions of a curve from a TOML file; errors as of `read_toml`."""
    return read_toml(path, About, "about a curve")


Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model], what: str) -> Model:
    """Read a small TOML file of texts.

    Raises
    ------
    FileError
        No file, or a larger one than such a file can be.
    CountsError
        Not TOML in UTF-8, or a key that is not known.
    """
    text = read_text(path, f"a TOML file {what}", _LARGEST_TOML)
    try:
        if text.guessed:
            raise ValueError("not UTF-8; save it as UTF-8")
        return model.model_validate(tomllib.loads(text.content.replace("\r\n", "\n")))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise CountsError(
            f"{path}: {name}: {first['msg']}; expected text under one of {', '.join(model.model_fields)}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CountsError(f'{path}: expected TOML (key = "text"), got {error}') from error
