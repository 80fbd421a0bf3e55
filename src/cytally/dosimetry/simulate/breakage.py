"""Breaks and wrong rejoining: dicentrics, rings, and the fragments that go with them.

Pieces and centromeres balance by construction (IAEA EPR-Biodosimetry 2011,
section 9.4.1): a cell with a dicentric and its fragment still has 46 pieces, a
centric ring with its fragment makes 47, every excess acentric adds one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cytally.dosimetry import D0_GY
from cytally.dosimetry.simulate.karyotype import Piece
from cytally.errors import SettingsError

#: IAEA 2011 table 5, acute 60Co gamma: dicentrics per cell, per Gy, per Gy^2.
DICENTRICS = (0.00128, 0.02103, 0.06307)
#: IAEA 2011 eq. 25, excess acentrics; the background is a usual laboratory value.
EXCESS = (0.003, 0.0230, 0.0390)
#: Variance over mean of excess acentrics (overdispersed, Virsik 1981).
EXCESS_DISPERSION = 1.4
#: Centric rings per dicentric.
RINGS = 0.05
#: Shortest acentric piece, percent of the genome (about 5 px in a usual cell).
SHORTEST = 0.2
#: Least distance of the two centromeres of a dicentric, percent of the genome (about a
#: chromosome's width). Published yields are what people scored: a dicentric whose waists
#: merge is not among them.
RESOLVED = 1.3
_TRIES = 200


@dataclass(frozen=True)
class Damage:
    """How many exchanges, rings and excess acentrics one cell carries."""

    dicentrics: int = 0
    rings: int = 0
    excess: int = 0


@dataclass(frozen=True)
class Exposure:
    """How a person was irradiated.

    Attributes
    ----------
    dose_gy : float
        Dose of the irradiated part.
    fraction : float
        Fraction of the blood that was irradiated (1 for whole body).
    d0_gy : float
        Dose that leaves 37 % of the lymphocytes able to divide.
    """

    dose_gy: float
    fraction: float = 1.0
    d0_gy: float = D0_GY

    def __post_init__(self) -> None:
        if not (self.dose_gy >= 0 and 0 <= self.fraction <= 1 and self.d0_gy > 0):
            raise SettingsError(
                "expected dose >= 0 Gy, fraction in [0, 1] and D0 > 0 Gy, got "
                f"{self.dose_gy}, {self.fraction}, {self.d0_gy}"
            )

    @property
    def irradiated_cells(self) -> float:
        """Fraction of scored cells that were irradiated, after cell death."""
        alive = self.fraction * float(np.exp(-self.dose_gy / self.d0_gy))
        return alive / (alive + 1 - self.fraction)

    def draw(self, rng: np.random.Generator) -> Damage:
        """Damage of one cell: contaminated Poisson, excess acentrics overdispersed."""
        hit = rng.random() < self.irradiated_cells
        dose = self.dose_gy if hit else 0.0
        mean = at_dose(DICENTRICS, dose)
        excess = at_dose(EXCESS, dose)
        shape = excess / (EXCESS_DISPERSION - 1)
        return Damage(
            dicentrics=int(rng.poisson(mean)),
            rings=int(rng.poisson(RINGS * mean)),
            excess=int(rng.poisson(rng.gamma(shape, EXCESS_DISPERSION - 1))),
        )


def at_dose(curve: tuple[float, float, float], dose_gy: float) -> float:
    """Yield per cell, Y = C + alpha D + beta D^2."""
    constant, alpha, beta = curve
    return constant + alpha * dose_gy + beta * dose_gy**2


def damage(pieces: list[Piece], counts: Damage, rng: np.random.Generator) -> list[Piece]:
    """Apply damage to a normal karyotype.

    Parameters
    ----------
    pieces : list of Piece
        The cell before; not changed.
    counts : Damage
    rng : numpy.random.Generator

    Returns
    -------
    list of Piece
        Two centromeres in a piece make a dicentric, three a tricentric (two
        dicentrics); a piece without centromere is a fragment.
    """
    steps: list[tuple[int, Callable[[list[Piece], np.random.Generator], list[Piece]]]] = [
        (counts.dicentrics, exchange),
        (counts.rings, close_ring),
        (counts.excess, delete),
    ]
    for times, step in steps:
        for _ in range(times):
            pieces = step(pieces, rng)
    return pieces


def exchange(pieces: list[Piece], rng: np.random.Generator) -> list[Piece]:
    """Asymmetric exchange: two centric pieces fuse, and so do the ends they lost."""
    for _ in range(_TRIES):
        first, second = _pick(pieces, rng), _pick(pieces, rng)
        if first == second:
            continue
        one, two = _break(pieces[first], rng), _break(pieces[second], rng)
        if one is None or two is None:
            continue
        (centric, end), (other, other_end) = one, two
        fused = centric.join(other.reversed())
        if np.diff(fused.centromeres).min() < RESOLVED:
            continue
        rest = [p for i, p in enumerate(pieces) if i not in (first, second)]
        return [*rest, fused, end.reversed().join(other_end)]
    return pieces


def close_ring(pieces: list[Piece], rng: np.random.Generator) -> list[Piece]:
    """Break both arms of one chromosome; the middle closes, the ends fuse."""
    for _ in range(_TRIES):
        index = _pick(pieces, rng)
        piece = pieces[index]
        if len(piece.centromeres) != 1 or piece.length < 1.2:
            continue
        centromere = piece.centromeres[0]
        low = rng.uniform(0, centromere)
        high = rng.uniform(centromere, piece.length)
        if low < SHORTEST / 2 or piece.length - high < SHORTEST / 2 or high - low < 1.0:
            continue
        left, rest = piece.cut(low)
        middle, right = rest.cut(high - low)
        ring = Piece(middle.segments, closed=True)
        others = [p for i, p in enumerate(pieces) if i != index]
        return [*others, ring, left.join(right)]
    return pieces


def delete(pieces: list[Piece], rng: np.random.Generator) -> list[Piece]:
    """Excess acentric: a terminal deletion, or an interstitial one (a minute or a ring)."""
    for _ in range(_TRIES):
        index = _pick(pieces, rng)
        parts = _break(pieces[index], rng)
        if parts is None:
            continue
        centric, end = parts
        others = [p for i, p in enumerate(pieces) if i != index]
        if rng.random() < 0.65 or end.length < 3 * SHORTEST:
            return [*others, centric, end]
        size = rng.uniform(SHORTEST, end.length - SHORTEST)
        inner, tip = end.cut(size)
        lost = Piece(inner.segments, closed=bool(size > 0.8 and rng.random() < 0.3))
        return [*others, centric.join(tip), lost]
    return pieces


def _pick(pieces: list[Piece], rng: np.random.Generator) -> int:
    weight = np.array([0 if p.closed or not p.centromeres else p.length for p in pieces])
    return int(rng.choice(len(pieces), p=weight / weight.sum()))


def _break(piece: Piece, rng: np.random.Generator) -> tuple[Piece, Piece] | None:
    """Break at a random place; (centric part, its broken end last; acentric end)."""
    left, right = piece.cut(rng.uniform(0, piece.length))
    if left.centromeres and right.centromeres:
        return None
    centric, end = (left, right) if left.centromeres else (right.reversed(), left.reversed())
    return None if end.length < SHORTEST / 2 else (centric, end)
