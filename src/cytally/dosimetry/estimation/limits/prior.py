"""What was believed of a dose before the count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from cytally.dosimetry.curves.fit import HIGHEST_GY
from cytally.errors import CountsError
from cytally.types import FloatArray

#: Shape of a gamma prior, whose standard deviation is then 3 % of its mean.
_NARROWEST = 1000.0


@dataclass(frozen=True)
class Prior:
    """What was believed of the dose before the count.

    Attributes
    ----------
    highest : float or None
        Gy; every dose up to this is as likely as any other. None: there is no such end.
    gamma : (shape, mean) or None
        A gamma distribution instead, mean in Gy.
    """

    highest: float | None = None
    gamma: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.highest is not None and not 0 < self.highest <= HIGHEST_GY:
            raise CountsError(
                f"expected a prior up to a dose above 0 and at most {HIGHEST_GY:g} Gy, got {self.highest:g}"
            )
        if self.gamma is not None and not all(0 < value < float("inf") for value in self.gamma):
            raise CountsError(
                f"expected a gamma prior of shape and mean above 0, got {self.gamma[0]:g} and {self.gamma[1]:g}"
            )
        if self.gamma is not None and not 1 <= self.gamma[0] <= _NARROWEST:
            raise CountsError(
                f"expected a gamma prior of a shape of 1 to {_NARROWEST:g}, got {self.gamma[0]:g}: below, 0 Gy is "
                "infinitely likely whatever was counted; above, no count says anything"
            )

    @staticmethod
    def of(text: str) -> Prior:
        """A prior by its name and numbers.

        Raises
        ------
        CountsError
            Another form, or numbers that no prior has.

        Examples
        --------
        >>> Prior.of("uniform:5").highest, Prior.of("gamma:2,1.5").gamma
        (5.0, (2.0, 1.5))
        """
        kind, _, rest = text.partition(":")
        try:
            numbers = [float(part) for part in rest.split(",")] if rest else []
        except ValueError:
            numbers = []
        if text == "uniform":
            return Prior()
        if kind == "uniform" and len(numbers) == 1:
            return Prior(highest=numbers[0])
        if kind == "gamma" and len(numbers) == 2:
            return Prior(gamma=(numbers[0], numbers[1]))
        raise CountsError(
            f"expected a prior uniform, uniform:5 (up to 5 Gy) or gamma:2,1.5 (shape and mean in Gy), got {text!r}"
        )

    def log_weight(self, dose: FloatArray) -> FloatArray:
        """Log density at doses, up to a constant; -inf where a dose was impossible."""
        if self.gamma is not None:
            shape, mean = self.gamma
            with np.errstate(divide="ignore"):
                return np.asarray(special.xlogy(shape - 1, dose) - dose * shape / mean)
        return np.where(dose <= (HIGHEST_GY if self.highest is None else self.highest), 0.0, -np.inf)

    @property
    def words(self) -> str:
        """What it is, in words."""
        if self.gamma is not None:
            return f"gamma prior of shape {self.gamma[0]:g} and mean {self.gamma[1]:g} Gy"
        return "flat prior" if self.highest is None else f"flat prior up to {self.highest:g} Gy"


FLAT = Prior()
