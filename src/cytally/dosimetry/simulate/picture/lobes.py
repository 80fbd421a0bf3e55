"""From a piece to a contracted body: thick chromatids whose arms bulge like sausages.

Between two centromeres, or a centromere and a tip, each chromatid is one lobe. At a
centromere the lobes' rounded ends meet, thin and pale, from both chromatids at once: a
cleft from both sides, where the joint closes the slit between the chromatids. So a
chromosome is four lobes, a dicentric six, and an acentric fragment two bars without a cleft.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cytally.dosimetry.simulate.karyotype import LONGEST, Piece
from cytally.dosimetry.simulate.lobed import Lobes
from cytally.dosimetry.simulate.picture.shape import (
    Body,
    Rods,
    aberrations_of,
    interpolate,
    middles,
    open_centreline,
    ring_centreline,
    rough,
)
from cytally.dosimetry.simulate.styles import Appearance
from cytally.types import FloatArray

#: Distance of samples along the centreline, pixels.
STEP = 1.5
#: Thickest neck and widest waist of a dicentric: people score what they see.
_NECK, _WAIST = 0.6, 0.55


@dataclass(frozen=True)
class _Along:
    """Where each sample lies in its lobe.

    Attributes
    ----------
    s : ndarray of shape (n,)
        Distance from the first end, pixels.
    tip : ndarray of shape (n,)
        Distance from the nearer end; far away in a ring.
    arm : ndarray of shape (n,)
        Length of the lobe that the sample lies in.
    near : ndarray of shape (n,)
        Distance from the nearest centromere; far away in a fragment.
    terminal : ndarray of shape (n,)
        Share of the way from the last centromere to the tip, 0 between two centromeres.
    dicentric : bool
        Whether there are several centromeres, which people count only if they see them.
    """

    s: FloatArray
    tip: FloatArray
    arm: FloatArray
    near: FloatArray
    terminal: FloatArray
    dicentric: bool


def lay_lobed(piece: Piece, look: Appearance, lobes: Lobes, rng: np.random.Generator) -> Body:
    """Give a piece its shape, centred on the origin, at a random angle.

    Parameters
    ----------
    piece : Piece
    look : Appearance
        The cell's draw; pieces of one cell share it.
    lobes : Lobes
        The draw of its chromatids.
    rng : numpy.random.Generator
    """
    scale = look.longest / LONGEST
    width = look.width * float(np.exp(rng.normal(0, lobes.uneven)))
    length = max(piece.length * scale, 0.5 * width)
    s = np.linspace(0, length, max(int(length / STEP) + 2, 4))
    centromeres = np.array(piece.centromeres) * scale
    line = ring_centreline(s, rng) if piece.closed else open_centreline(s, centromeres, look, rng)
    line = line - line.mean(axis=0)
    along = _along(s, centromeres, piece.closed)
    radius, rise = _radius(along, width, lobes, rng)
    bumps = _bumps(s, width, lobes, rng)
    sides = _sides(along, radius, rise, bumps, width, lobes, rng)
    return Body(
        piece=piece,
        centreline=line,
        chromatids=line + sides[..., None] * _normal(line),
        radius=np.minimum(radius * (1 + lobes.knobs * bumps), np.maximum(along.tip, 0.8)),
        density=np.clip((1 - lobes.pale * (1 - rise)) * (1 + lobes.beads * bumps), 0.1, 1.6),
        centromeres=interpolate(s, line, centromeres),
        joins=interpolate(s, line, np.array(piece.joins) * scale),
        aberrations=aberrations_of(piece, interpolate(s, line, middles(centromeres)), line),
        rods=Rods(lobes.round, lobes.merge),
    )


def _along(s: FloatArray, centromeres: FloatArray, closed: bool) -> _Along:
    far = np.full_like(s, 1e6)
    if closed:
        near = np.abs(s[:, None] - centromeres).min(axis=1) if centromeres.size else far
        return _Along(s, far, np.full_like(s, s[-1]), near, np.zeros_like(s), False)
    tip = np.minimum(s, s[-1] - s)
    if not centromeres.size:
        return _Along(s, tip, np.full_like(s, s[-1]), far, np.zeros_like(s), False)
    edges = np.concatenate([[0.0], np.sort(centromeres), [s[-1]]])
    lobe = np.clip(np.searchsorted(edges, s, side="right") - 1, 0, len(edges) - 2)
    arm = np.maximum(np.diff(edges)[lobe], 1.0)
    near = np.abs(s[:, None] - centromeres).min(axis=1)
    outer = (lobe == 0) | (lobe == len(edges) - 2)
    terminal = np.where(outer, np.clip(near / arm, 0, 1), 0.0)
    return _Along(s, tip, arm, near, terminal, centromeres.size > 1)


def _radius(along: _Along, width: float, lobes: Lobes, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Radius of a chromatid (n,), and how far each sample has risen out of its cleft, 0 to 1."""
    thick = lobes.thick * width / 2
    cleft = np.minimum(lobes.cleft * width * float(rng.uniform(0.8, 1.25)), 0.5 * along.arm)
    rise = np.sqrt(1 - (1 - np.clip(along.near / cleft, 0, 1)) ** 2)
    neck = float(np.clip(lobes.neck + rng.normal(0, 0.08), 0.3, _NECK if along.dicentric else 1.0))
    return thick * _slim(along, thick) * (neck + (1 - neck) * rise), rise


def _slim(along: _Along, thick: float) -> FloatArray:
    """Share of the usual thickness and distance of chromatids in lobes shorter than these are thick."""
    return np.asarray(np.clip((along.arm / (1.7 * thick)) ** 0.5, 0.5, 1.0))


def _sides(
    along: _Along,
    radius: FloatArray,
    rise: FloatArray,
    bumps: FloatArray,
    width: float,
    lobes: Lobes,
    rng: np.random.Generator,
) -> FloatArray:
    """Distance of each chromatid from the centreline, pixels, signed (2, n)."""
    apart = width * (1 - lobes.thick) / 2
    slim = _slim(along, lobes.thick * width / 2)
    waist = float(np.clip(lobes.waist + rng.normal(0, 0.08), 0.3, _WAIST if along.dicentric else 0.9))
    held = np.maximum(waist * width / 2 - radius, 0.04 * width)
    hold = np.exp(-0.5 * (along.near / np.minimum(max(lobes.reach, 0.02) * width, 0.35 * along.arm + 1)) ** 2)
    opening = 1 + _opening(along, lobes, rng)
    offset = np.minimum(held, apart * slim) * hold + apart * slim * opening * (1 - hold)
    sides = np.stack([offset, -offset])
    for k, outward in enumerate((1, -1)):
        sides[k] += rough(along.s, lobes.sway * width, 0.5 * width, rng) * rise
        sides[k] += outward * lobes.zigzag * width * bumps[k] * rise
        sides[k] += rough(along.s, 0.7 * lobes.zigzag * width, 0.25 * width / lobes.rate, rng) * rise
    return sides


def _opening(along: _Along, lobes: Lobes, rng: np.random.Generator) -> FloatArray:
    """Each arm opens or closes towards its tip by its own amount, and bows half-way."""
    opening = np.zeros_like(along.s)
    first = along.s < along.s[-1] / 2 if along.near[0] > 1e5 else along.s < along.s[along.near.argmin()]
    for arm in (first, ~first):
        tip = max(float(rng.normal(0.1, 1)), -0.4) * lobes.splay
        bow = abs(float(rng.normal(0, 1))) * lobes.bow
        opening += arm * (tip * along.terminal + bow * np.sin(np.pi * along.terminal))
    return np.asarray(np.maximum(opening, -0.6))


def _bumps(s: FloatArray, width: float, lobes: Lobes, rng: np.random.Generator) -> FloatArray:
    """Lumps along each chromatid (2, n), about 1 high, mostly at the same height in both sisters."""
    common = _lumps(s, width / lobes.rate, rng)
    own = np.stack([_lumps(s, width / lobes.rate, rng) for _ in range(2)])
    return np.asarray(np.sqrt(lobes.twin) * common + np.sqrt(1 - lobes.twin) * own)


def _lumps(s: FloatArray, period: float, rng: np.random.Generator) -> FloatArray:
    """Up, down, up, down, each by its own amount, and finer unevenness on top."""
    knots = np.arange(-period, s[-1] + 3 * period, period / 2)
    turn = np.where(np.arange(knots.size) % 2, 1.0, -1.0) * (1 if rng.random() < 0.5 else -1)
    heights = turn * np.abs(rng.normal(0.8, 0.5, knots.size))
    knots = knots + rng.uniform(-0.2, 0.2, knots.size) * period
    return np.asarray(np.interp(s, knots, heights) + rough(s, 0.5, period / 4, rng))


def _normal(line: FloatArray) -> FloatArray:
    ahead = np.gradient(line, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    return np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
