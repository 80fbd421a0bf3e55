"""From a piece to a body: a bent centreline with two chromatids along it.

The width of a body is set by three things: how far apart the chromatids lie,
how thick they are, and the waist at each centromere, where cohesion holds them
together. Twisting crosses the chromatids and so makes false waists: the
commonest trap for a counting eye.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cytally.dosimetry.simulate.karyotype import LONGEST, Piece
from cytally.dosimetry.simulate.styles import Appearance
from cytally.types import FloatArray

#: Distance of samples along the centreline, pixels.
STEP = 2.0
#: How much denser a body is where its chromatids cross; at a centromere they do not.
_CROSSING = 0.9


@dataclass(frozen=True)
class Rods:
    """How light passes through chromatids that are rods.

    Attributes
    ----------
    round : float
        Density across a rod is (1 - (distance / radius)^2)^round: 0.5 is a clear cylinder.
    merge : float
        Share of the lesser density that is added where two chromatids overlap.
    """

    round: float
    merge: float


@dataclass(frozen=True)
class Body:
    """A piece as it lies on the slide, in pixels.

    Attributes
    ----------
    piece : Piece
    centreline : ndarray of shape (n, 2)
        (row, col), from the first end to the last.
    chromatids : ndarray of shape (2, n, 2)
        Centre of each chromatid.
    radius : ndarray of shape (2, n)
        Half-width of each chromatid.
    density : ndarray of shape (n,), or (2, n) for rods
        Relative optical density along the body, or along each chromatid.
    centromeres, joins : ndarray of shape (k, 2)
        Where they lie.
    aberrations : tuple of (str, (row, col))
        Class and place of each label.
    rods : Rods, optional
        The chromatids are rods seen through (`lobes.py`), not tubes with a paler coat.
    """

    piece: Piece
    centreline: FloatArray
    chromatids: FloatArray
    radius: FloatArray
    density: FloatArray
    centromeres: FloatArray
    joins: FloatArray
    aberrations: tuple[tuple[str, tuple[float, float]], ...]
    rods: Rods | None = None

    @property
    def reach(self) -> float:
        """Largest distance from the origin of any point of the body."""
        far = np.linalg.norm(self.chromatids, axis=2) + self.radius
        return float(far.max())

    def turned(self, angle: float) -> Body:
        """The same body turned about the origin, radians from row towards column."""
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, sin], [-sin, cos]])  # applied from the right to (row, col)
        places = [(name, np.array(place) @ turn) for name, place in self.aberrations]
        return replace(
            self,
            centreline=self.centreline @ turn,
            chromatids=self.chromatids @ turn,
            centromeres=self.centromeres @ turn,
            joins=self.joins @ turn,
            aberrations=tuple((name, (float(p[0]), float(p[1]))) for name, p in places),
        )

    def moved(self, row: float, col: float) -> Body:
        """The same body shifted."""
        by = np.array([row, col])
        return replace(
            self,
            centreline=self.centreline + by,
            chromatids=self.chromatids + by,
            centromeres=self.centromeres + by,
            joins=self.joins + by,
            aberrations=tuple((n, (r + row, c + col)) for n, (r, c) in self.aberrations),
        )


def lay(piece: Piece, look: Appearance, rng: np.random.Generator) -> Body:
    """Give a piece its shape, centred on the origin, at a random angle.

    Parameters
    ----------
    piece : Piece
    look : Look
        The cell's draw; pieces of one cell share it.
    rng : numpy.random.Generator
    """
    scale = look.longest / LONGEST
    length = max(piece.length * scale, 3.0)
    s = np.linspace(0, length, max(int(length / STEP) + 2, 4))
    centromeres = np.array(piece.centromeres) * scale
    line = ring_centreline(s, rng) if piece.closed else open_centreline(s, centromeres, look, rng)
    line = line - line.mean(axis=0)
    # crossing chromatids of an acentric piece could not be told from a centromere
    twist = _twist(s, look, rng) if centromeres.size else np.ones_like(s)
    chromatids, radius = _chromatids(s, line, centromeres, twist, look, rng)
    return Body(
        piece=piece,
        centreline=line,
        chromatids=chromatids,
        radius=radius,
        density=_density(s, look, rng) * (1 + _CROSSING * (1 - np.abs(twist))) * _paler(s, centromeres, look),
        centromeres=interpolate(s, line, centromeres),
        joins=interpolate(s, line, np.array(piece.joins) * scale),
        aberrations=aberrations_of(piece, interpolate(s, line, middles(centromeres)), line),
    )


def middles(centromeres: FloatArray) -> FloatArray:
    """Half-way between neighbouring centromeres (k - 1,)."""
    return (centromeres[1:] + centromeres[:-1]) / 2


def interpolate(s: FloatArray, line: FloatArray, where: FloatArray) -> FloatArray:
    """(row, col) of places given by their distance along a line (k, 2)."""
    return np.stack([np.interp(where, s, line[:, k]) for k in (0, 1)], axis=-1).reshape(-1, 2)


def aberrations_of(piece: Piece, between: FloatArray, line: FloatArray) -> tuple[tuple[str, tuple[float, float]], ...]:
    """One dicentric between every two neighbouring centromeres (a tricentric has two)."""
    if piece.closed and piece.centromeres:
        return (("ring", (float(line[:, 0].mean()), float(line[:, 1].mean()))),)
    if not piece.centromeres:
        middle = line.mean(axis=0) if piece.closed else line[len(line) // 2]
        return (("fragment", (float(middle[0]), float(middle[1]))),)
    return tuple(("dicentric", (float(r), float(c))) for r, c in between)


def open_centreline(s: FloatArray, centromeres: FloatArray, look: Appearance, rng: np.random.Generator) -> FloatArray:
    """Integrate a slowly turning direction; centromeres are hinges."""
    t = s / s[-1] - 0.5
    soft = look.bend * float(np.sqrt(s[-1] / look.longest))
    heading = rng.uniform(0, 2 * np.pi) + rng.normal(0, soft) * 2 * t
    heading = heading + rng.normal(0, soft) * np.sin(2 * np.pi * t + rng.uniform(0, 6.3)) * 0.5
    if rng.random() < 0.08:  # one sharp fold somewhere
        heading = heading + rng.normal(0, 1.2) * np.tanh((s - rng.uniform(0, s[-1])) / 4)
    for centromere in centromeres:
        heading = heading + rng.normal(0, look.kink) * np.tanh((s - centromere) / 4)
    steps = np.stack([np.sin(heading), np.cos(heading)], axis=1) * (s[1] - s[0])
    return np.cumsum(steps, axis=0)


def ring_centreline(s: FloatArray, rng: np.random.Generator) -> FloatArray:
    """An oval of the length of `s`, turned anyhow (n, 2)."""
    angle = 2 * np.pi * s / s[-1] + rng.uniform(0, 6.3)
    size = s[-1] / (2 * np.pi)
    oval, turn = rng.uniform(0.65, 1.0), rng.uniform(0, np.pi)
    row, col = size * np.sin(angle), size * oval * np.cos(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([row * cos - col * sin, row * sin + col * cos], axis=1)


def _chromatids(
    s: FloatArray,
    line: FloatArray,
    centromeres: FloatArray,
    twist: FloatArray,
    look: Appearance,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Two tubes beside the centreline; both narrow at a centromere."""
    width = look.width * float(np.exp(rng.normal(0, 0.04)))
    thick = width / 2 / (1 + look.separation)
    apart = thick * look.separation
    hold = _cohesion(s, centromeres, width * look.waist_length)
    widest = 1.0 if len(centromeres) < 2 else look.seen
    waist = float(np.clip(look.waist + rng.normal(0, 0.07), 0.35, widest))
    held = max(waist * width / 2 - thick * look.neck, 0.0)  # chromatid distance there
    opening = _opening(s, centromeres, look, rng)
    offset = ((1 - hold) * apart * opening + hold * held) * twist
    tube = thick * (1 - hold * (1 - look.neck))
    radius = np.stack([tube * (1 + rough(s, look.knobs, 5.0, rng)) for _ in range(2)])
    if not centromeres.size:
        radius *= float(rng.uniform(0.85, 1.05))
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    sway = np.stack([rough(s, look.sway * width, 12.0, rng) * (1 - hold) for _ in range(2)])
    side = np.stack([offset, -offset]) + sway
    return line + side[..., None] * normal, radius


def _cohesion(s: FloatArray, centromeres: FloatArray, length: float) -> FloatArray:
    """1 at a centromere, falling to 0 over `length`."""
    if not centromeres.size:
        return np.zeros_like(s)
    distance = np.abs(s[:, None] - centromeres).min(axis=1)
    return np.asarray(np.exp(-0.5 * (distance / length) ** 2))


def _opening(s: FloatArray, centromeres: FloatArray, look: Appearance, rng: np.random.Generator) -> FloatArray:
    """Each arm opens or closes towards its tip and may bow outwards half-way, by its own amount."""
    left = float(centromeres.min()) if centromeres.size else s[-1] / 2
    right = float(centromeres.max()) if centromeres.size else s[-1] / 2
    arms = (np.clip((left - s) / max(left, 1.0), 0, 1), np.clip((s - right) / max(s[-1] - right, 1.0), 0, 1))
    opening = np.ones_like(s)
    for along in arms:
        tip = max(rng.normal(0.4, 1), -0.8) * look.splay
        opening += tip * along + abs(rng.normal(0, 1)) * look.bow * np.sin(np.pi * along)
    return np.asarray(np.maximum(opening, 0.55))


def _twist(s: FloatArray, look: Appearance, rng: np.random.Generator) -> FloatArray:
    """Projected chromatid distance: 1, or passing through 0 where the body twists."""
    if rng.random() > look.twist:
        return np.ones_like(s)
    where = rng.uniform(0, s[-1])
    turn = rng.uniform(4, 12)
    if rng.random() < 0.6:
        return np.asarray(np.tanh((s - where) / turn))
    return np.asarray(np.cos(np.pi * rng.uniform(0.3, 1.3) * (s - where) / s[-1]))


def _density(s: FloatArray, look: Appearance, rng: np.random.Generator) -> FloatArray:
    return np.clip(1 + rough(s, look.bands, 6.0, rng), 0.35, 1.4)


def _paler(s: FloatArray, centromeres: FloatArray, look: Appearance) -> FloatArray:
    """In some preparations a light band crosses the body at its centromere."""
    return 1 - look.light * _cohesion(s, centromeres, 0.5 * look.width * look.waist_length)


def rough(s: FloatArray, size: float, length: float, rng: np.random.Generator) -> FloatArray:
    """Smooth noise along the body with standard deviation `size`."""
    knots = np.arange(0, s[-1] + 2 * length, length)
    return np.interp(s, knots, rng.normal(0, size, knots.size))
