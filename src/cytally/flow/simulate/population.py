"""Cells in the channel, frame after frame: where they are, how they turn, which stick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from cytally.errors import SettingsError
from cytally.flow.simulate.channel import Channel
from cytally.types import FloatArray, IntArray


@dataclass(frozen=True)
class Look:
    """How the shadow of a kind of cell looks.

    Attributes
    ----------
    radius : tuple of float
        Smallest and largest, pixels.
    flat : tuple of float
        Short over long axis, smallest and largest.
    body, core : float
        Darkness of the rim and of the middle; below 0 brighter than the ground.
    spot, grain : float
        Darkness of one spot beside the middle, which shows how the cell turns; of granules.
    bud : float
        Share with a bud.
    """

    radius: tuple[float, float]
    flat: tuple[float, float]
    body: float
    core: float
    spot: float
    grain: float = 0.0
    bud: float = 0.0


#: Kinds of cells, in the order of their numbers.
LOOKS = {
    "red": Look((4.0, 5.4), (0.45, 1.0), 0.24, 0.10, 0.08),
    "yeast": Look((3.2, 4.6), (0.8, 1.0), 0.30, -0.10, 0.10, bud=0.4),
    "bead": Look((4.2, 4.8), (1.0, 1.0), 0.42, -0.30, 0.06),
    "white": Look((6.0, 8.0), (0.85, 1.0), 0.26, 0.20, 0.10, grain=0.10),
    "parasite": Look((6.0, 9.0), (0.25, 0.4), 0.26, 0.22, 0.14),
    "debris": Look((1.6, 3.0), (0.5, 1.0), 0.16, 0.14, 0.05),
}
KINDS = tuple(LOOKS)
#: Chance per frame that a cell sticks to a wall, and that it comes loose again; share stuck at the start.
_STICK, _LOOSE, _STUCK = 0.0015, 0.03, 0.04
#: Pixels beyond the picture in which cells still live.
MARGIN = 24.0


@dataclass(frozen=True)
class Cells:
    """All cells of one frame, one entry each.

    Attributes
    ----------
    track : ndarray of int, (n,)
        Own number from 1; a cell that enters gets a new one.
    kind : ndarray of int, (n,)
        Place in KINDS.
    row, col, z : ndarray of float, (n,)
        Centre in pixels; z from the sensor.
    angle : ndarray of float, (n,)
        Radians, from columns towards rows; turns are not wrapped.
    radius, flat, bud, strength : ndarray of float, (n,)
        Long half axis in pixels; short over long; 1 with a bud; darkness as a share of its kind's.
    stuck : ndarray of bool, (n,)
    """

    track: IntArray
    kind: IntArray
    row: FloatArray
    col: FloatArray
    z: FloatArray
    angle: FloatArray
    radius: FloatArray
    flat: FloatArray
    bud: FloatArray
    strength: FloatArray
    stuck: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Stream:
    """What flows, and through what.

    Attributes
    ----------
    channel : Channel
    length : int
        Columns of the picture.
    cells : int
        In the picture at a time.
    kinds : tuple of str
    umax : float
        Largest speed in the middle of the channel, pixels per frame.
    """

    channel: Channel
    length: int
    cells: int
    kinds: tuple[str, ...]
    umax: float


def flowing(stream: Stream, drive: FloatArray, rng: np.random.Generator) -> Iterator[Cells]:
    """Cells of each frame, and one frame more.

    A cell that leaves on one side enters as another on the other, on nearly the same streamline: their number
    per volume stays as it is.

    Parameters
    ----------
    stream : Stream
    drive : ndarray of shape (frames,)
        Share of `umax` from each frame to the next.
    rng : numpy Generator

    Raises
    ------
    SettingsError
        A kind that is none of KINDS.
    """
    cells = _new(stream, round(stream.cells * (stream.length + 2 * MARGIN) / stream.length), 1, rng)
    cells = replace(cells, stuck=rng.random(len(cells.track)) < _STUCK)
    yield cells
    for share in drive:
        cells = _advance(cells, stream, float(share) * stream.umax, rng)
        yield cells


def _new(stream: Stream, count: int, first: int, rng: np.random.Generator) -> Cells:
    wrong = set(stream.kinds) - set(KINDS)
    if wrong or not stream.kinds:
        raise SettingsError(f"expected kinds of cells out of {', '.join(KINDS)}, got {', '.join(wrong) or 'none'}")
    kind = np.array([KINDS.index(name) for name in stream.kinds])[rng.integers(0, len(stream.kinds), count)]
    looks = [LOOKS[KINDS[number]] for number in kind]
    between = np.array([[*look.radius, *look.flat] for look in looks]).reshape(count, 4)
    radius, flat = (rng.uniform(between[:, at], between[:, at + 1]) for at in (0, 2))
    away = np.minimum(radius + 1, min(stream.channel.width, stream.channel.depth) / 2.1)
    return Cells(
        first + np.arange(count),
        kind,
        rng.uniform(stream.channel.top + away, stream.channel.bottom - away),
        rng.uniform(-MARGIN, stream.length + MARGIN, count),
        rng.uniform(away, stream.channel.depth - away),
        rng.uniform(0, 2 * np.pi, count),
        radius,
        flat,
        (rng.random(count) < [look.bud for look in looks]).astype(float),
        rng.uniform(0.8, 1.2, count),
        np.zeros(count, bool),
    )


def _advance(cells: Cells, stream: Stream, middle: float, rng: np.random.Generator) -> Cells:
    """One frame later; `middle` is the speed in the middle of the channel."""
    channel = stream.channel
    chance = rng.random(len(cells.track))
    stuck = np.where(cells.stuck, chance > _LOOSE, chance < _STICK)
    moves = ~(stuck | cells.stuck)
    away = np.minimum(cells.radius + 1, channel.width / 2.1)
    row = cells.row + moves * rng.normal(0, 0.12, len(stuck)) * (middle > 0)
    row = np.where(moves, np.clip(row, channel.top + away, channel.bottom - away), cells.row)
    later = replace(
        cells,
        row=row,
        col=cells.col + moves * middle * channel.speed(cells.row, cells.z),
        angle=cells.angle + moves * middle * channel.turning(cells.row, cells.z),
        stuck=stuck,
    )
    return _entered(later, stream, rng)


def _entered(cells: Cells, stream: Stream, rng: np.random.Generator) -> Cells:
    gone = cells.col > stream.length + MARGIN
    if not gone.any():
        return cells
    new = _new(stream, int(gone.sum()), int(cells.track.max()) + 1, rng)
    new = replace(new, row=cells.row[gone], z=cells.z[gone], col=cells.col[gone] - stream.length - 2 * MARGIN)
    values = {}
    for field in fields(Cells):
        values[field.name] = getattr(cells, field.name).copy()
        values[field.name][gone] = getattr(new, field.name)
    return Cells(**values)
