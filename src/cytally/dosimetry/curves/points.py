"""Counts at known doses, and the conditions under which they were made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, ConfigDict

from cytally.errors import CountsError
from cytally.statistics.poisson import Dispersion, dispersion

#: What is counted unless something else is said, such as micronuclei.
DICENTRICS = "dicentrics"


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
