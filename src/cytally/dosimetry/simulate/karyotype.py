"""46 chromosomes as lengths and centromeres, and the pieces they break into.

Lengths are relative (percent of the genome of 46), positions are measured from
the tip of the short arm. Source of the table: facts of the field, relative
lengths after the area fractions published with ADCI, centromere indices the
mean of the hg19 gap table and of the Paris Conference 1971.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: name: (relative length in percent of the genome, centromere index in percent)
TABLE: dict[str, tuple[float, float]] = {
    "1": (4.113, 48.9),
    "2": (3.997, 38.9),
    "3": (3.271, 46.8),
    "4": (3.138, 28.0),
    "5": (2.973, 27.9),
    "6": (2.808, 37.2),
    "7": (2.643, 38.3),
    "8": (2.395, 32.6),
    "9": (2.279, 35.0),
    "10": (2.213, 32.1),
    "11": (2.230, 39.8),
    "12": (2.197, 28.7),
    "13": (1.883, 16.2),
    "14": (1.767, 17.5),
    "15": (1.685, 19.2),
    "16": (1.487, 41.1),
    "17": (1.371, 31.6),
    "18": (1.321, 26.3),
    "19": (0.975, 45.4),
    "20": (1.057, 44.9),
    "21": (0.776, 28.8),
    "22": (0.842, 29.4),
    "X": (2.577, 39.4),
    "Y": (0.957, 23.4),
}
LONGEST = TABLE["1"][0]
#: Spread of length (relative) and of centromere index (points) within a class.
LENGTH_SD = 0.05
INDEX_SD = {"13": 3.0, "14": 3.0, "15": 3.0, "21": 4.0, "22": 4.0, "Y": 4.0}


@dataclass(frozen=True)
class Chromosome:
    """One chromosome of one cell.

    Attributes
    ----------
    name : str
        "1" to "22", "X" or "Y".
    length : float
        Percent of the genome.
    centromere : float
        Distance of the centromere from the tip of the short arm, same unit.
    """

    name: str
    length: float
    centromere: float


@dataclass(frozen=True)
class Segment:
    """A stretch of one chromosome, from `start` to `stop`; reversed if stop < start."""

    chromosome: Chromosome
    start: float
    stop: float

    @property
    def length(self) -> float:
        """Length in percent of the genome."""
        return abs(self.stop - self.start)

    @property
    def centromere(self) -> float | None:
        """Distance of the centromere from the segment's first end, if inside."""
        low, high = sorted((self.start, self.stop))
        if not low <= self.chromosome.centromere <= high:
            return None
        return abs(self.chromosome.centromere - self.start)

    def reversed(self) -> Segment:
        """The same stretch read from its other end."""
        return Segment(self.chromosome, self.stop, self.start)


@dataclass(frozen=True)
class Piece:
    """What lies on the slide as one body: segments joined end to end.

    Attributes
    ----------
    segments : tuple of Segment
        In order along the body.
    closed : bool
        True for a ring.
    """

    segments: tuple[Segment, ...]
    closed: bool = False

    @cached_property
    def length(self) -> float:
        """Length in percent of the genome."""
        return sum(segment.length for segment in self.segments)

    @cached_property
    def centromeres(self) -> tuple[float, ...]:
        """Distances of all centromeres from the first end."""
        found, passed = [], 0.0
        for segment in self.segments:
            if segment.centromere is not None:
                found.append(passed + segment.centromere)
            passed += segment.length
        return tuple(found)

    @property
    def joins(self) -> tuple[float, ...]:
        """Distances of the break points where segments were joined."""
        return tuple(np.cumsum([s.length for s in self.segments])[:-1].tolist())

    @property
    def identity(self) -> str:
        """Names of the chromosomes it is made of, such as "3" or "3+11"."""
        return "+".join(segment.chromosome.name for segment in self.segments)

    def reversed(self) -> Piece:
        """The same body read from its other end."""
        return Piece(tuple(s.reversed() for s in self.segments[::-1]), self.closed)

    def cut(self, at: float) -> tuple[Piece, Piece]:
        """Break an open piece at a distance from its first end."""
        left: list[Segment] = []
        right: list[Segment] = []
        passed = 0.0
        for segment in self.segments:
            inside = at - passed
            if inside >= segment.length:
                left.append(segment)
            elif inside <= 0:
                right.append(segment)
            else:
                turn = segment.start + np.sign(segment.stop - segment.start) * inside
                left.append(Segment(segment.chromosome, segment.start, float(turn)))
                right.append(Segment(segment.chromosome, float(turn), segment.stop))
            passed += segment.length
        return Piece(tuple(left)), Piece(tuple(right))

    def join(self, other: Piece) -> Piece:
        """Fuse the last end of this piece with the first end of another."""
        return Piece(self.segments + other.segments)


def normal_karyotype(rng: np.random.Generator, sex: str | None = None) -> list[Piece]:
    """46 whole chromosomes of one cell, homologues slightly unequal.

    Parameters
    ----------
    rng : numpy.random.Generator
    sex : {"XX", "XY"}, optional
        Drawn when not given.

    Examples
    --------
    >>> cell = normal_karyotype(np.random.default_rng(0), "XY")
    >>> len(cell), sum(len(piece.centromeres) for piece in cell)
    (46, 46)
    """
    sex = sex or ("XX" if rng.random() < 0.5 else "XY")
    names = [str(n) for n in range(1, 23) for _ in range(2)] + list(sex)
    return [_whole(name, rng) for name in names]


def _whole(name: str, rng: np.random.Generator) -> Piece:
    length, index = TABLE[name]
    length *= float(np.exp(rng.normal(0, LENGTH_SD)))
    index += float(rng.normal(0, INDEX_SD.get(name, 1.8)))
    centromere = length * float(np.clip(index, 5, 50)) / 100
    return Piece((Segment(Chromosome(name, length, centromere), 0.0, length),))
