"""Neutrons and gamma rays at once, of a known ratio."""

from __future__ import annotations

import numpy as np

from cytally.errors import CountsError
from cytally.statistics.curves import dose_at
from cytally.types import FloatArray


def mixed_field(
    per_cell: float, neutron: FloatArray, gamma: FloatArray, gamma_over_neutron: float, *,
    backgrounds: str = "both",
) -> tuple[float, float]:  # fmt: skip
    """Doses of a criticality accident (IAEA 2011, 9.7.5.2; Fornalski 2014).

    Parameters
    ----------
    per_cell : float
        Dicentrics per cell.
    neutron, gamma : ndarray of shape (3,)
        Curves C, alpha, beta.
    gamma_over_neutron : float
        Ratio of the doses, known from physics.
    backgrounds : {"both", "mean"}
        Subtract both curves' backgrounds, as the manual prints it, or their mean:
        a person has one background.

    Returns
    -------
    (float, float)
        Neutron and gamma dose in Gy.

    Examples
    --------
    >>> doses = mixed_field(1.2, np.array([0.0005, 0.832, 0]), np.array([0.0005, 0.0164, 0.0492]), 1.5)
    >>> round(doses[0], 2), round(doses[1], 2)
    (1.21, 1.82)
    """
    if backgrounds not in ("both", "mean"):
        raise CountsError(f'expected backgrounds "both" or "mean", got {backgrounds!r}')
    if gamma_over_neutron < 0:
        raise CountsError(f"expected a ratio >= 0, got {gamma_over_neutron}")
    background = neutron[0] + gamma[0] if backgrounds == "both" else (neutron[0] + gamma[0]) / 2
    ratio = gamma_over_neutron
    together = np.array(
        [background, neutron[1] + ratio * gamma[1], neutron[2] + ratio**2 * gamma[2]], dtype=float
    )
    first = dose_at(per_cell, together)
    return first, ratio * first
