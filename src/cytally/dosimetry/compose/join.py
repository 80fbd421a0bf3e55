"""Uprights -> dicentrics and fragments: broken beyond the centromere, rejoined wrongly."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.chromosomes.upright import FINE, Upright, profile

Float32 = NDArray[np.float32]

#: Least distance between the centromeres of a dicentric, in body widths.
_APART = 0.9
#: Least length that both lost ends have together, and that a fragment needs, in body widths.
_SHORTEST = 0.8
#: Two broken ends fade into each other over this part of the width.
_SEAM = 0.22
#: A freshly broken end is rounded over this part of the width.
_ROUND = 0.2
#: Least length of what is closed to a ring, in body widths: shorter, and its hole is gone.
_ROUND_TRIP = 2.8
#: Least length of a chromosome from which a ring can be made, in body widths.
SLENDER = _ROUND_TRIP + _SHORTEST
#: Most that a piece is made wider or darker to fit the other.
_FIT = (0.8, 1.25)


def break_off(body: Upright, row: float) -> tuple[Upright, Upright]:
    """Cut at a row: the part before it and the part after it, both beginning at their own row 0."""
    at = int(round(row))
    before = replace(
        body,
        density=body.density[:at],
        centromeres=tuple(c for c in body.centromeres if c < at),
        ends=(body.ends[0], float(at)),
    )
    after = replace(
        body,
        density=body.density[at:],
        centromeres=tuple(c - at for c in body.centromeres if c >= at),
        ends=(0.0, body.ends[1] - at),
    )
    return before, after


def exchange(one: Upright, two: Upright, rng: np.random.Generator) -> tuple[Upright, Upright] | None:
    """Asymmetric exchange between two chromosomes with one centromere each.

    Each is broken at a random place of one arm; the centric parts are joined into a
    dicentric, the ends that they lost into the fragment that must accompany it.

    Returns
    -------
    (dicentric, fragment) or None
        None where the centromeres would lie too close to be told apart, or the ends
        would be too small to be seen.
    """
    width = (one.width + two.width) / 2
    first, second = (_arm_down(body, rng) for body in (one, two))
    parts = [break_off(b, rng.uniform(b.centromeres[0] + 0.1 * width, b.ends[1])) for b in (first, second)]
    (centric, end), (other, other_end) = parts
    apart = (centric.ends[1] - centric.centromeres[0]) + (other.ends[1] - other.centromeres[0])
    if apart < _APART * width or end.length + other_end.length < _SHORTEST * width:
        return None
    return fuse(centric, other.reversed()), fuse(end.reversed(), other_end)


def close(body: Upright, rng: np.random.Generator) -> tuple[Upright, Upright] | None:
    """Centric ring: both arms are broken, the broken ends joined; the lost ends make a fragment.

    Returns
    -------
    (ring, fragment) or None
        The ring as an upright whose last row goes on in its first: lay it with a closed pose. None
        where the body is too short to be bent so far, or a break would hit the centromere.
    """
    loose = body.length - _ROUND_TRIP * body.width
    if loose < _SHORTEST * body.width:
        return None
    lost = rng.uniform(_SHORTEST * body.width, loose)
    least = _SHORTEST / 2 * body.width  # nearer to its tip an arm is too thin to be joined
    first = body.ends[0] + rng.uniform(least, lost - least)
    top, rest = break_off(body, first)
    middle, bottom = break_off(rest, rest.ends[1] - (lost - (first - body.ends[0])))
    away = 0.3 * body.width  # no break goes through the constriction
    if not any(away < c < middle.ends[1] - away for c in middle.centromeres):
        return None
    return _looped(middle), fuse(top, bottom)


def _looped(body: Upright) -> Upright:
    """The first rows faded into the last ones, so that both ends fit."""
    seam = max(int(_SEAM * body.width), 2)
    density = np.concatenate([body.density[seam:-seam], _faded(body.density[-seam:], body.density[:seam])])
    centromeres = tuple(c - seam for c in body.centromeres)
    return replace(body, density=density, centromeres=centromeres, ends=(0.0, float(len(density) - 1)))


def delete(body: Upright, rng: np.random.Generator) -> tuple[Upright, Upright] | None:
    """Terminal or interstitial deletion: what is left of the chromosome, and the excess fragment."""
    body = _arm_down(body, rng)
    low = body.centromeres[0] + 0.15 * body.width
    if body.ends[1] - low < _SHORTEST * body.width:
        return None
    at = rng.uniform(low, body.ends[1] - _SHORTEST * body.width * 0.9)
    centric, end = break_off(body, at)
    if rng.random() < 0.7 or end.length < 2 * _SHORTEST * body.width:
        return rounded(centric, last=True), rounded(end, last=False)
    inner, tip = break_off(end, rng.uniform(_SHORTEST * body.width, end.length))
    return fuse(centric, tip), rounded(rounded(inner, last=True), last=False)


def fuse(top: Upright, bottom: Upright) -> Upright:
    """Join the last row of `top` to the first of `bottom`, matched in place, width and density."""
    width = (top.width + bottom.width) / 2
    if top.length < _SEAM * width:
        return rounded(bottom, last=False)
    if bottom.length < _SEAM * width:
        return rounded(top, last=True)
    seam = max(min(int(_SEAM * width), len(top.density) - 1, len(bottom.density) - 1), 2)
    above, below = _near(top.density[-2 * seam :]), _near(bottom.density[: 2 * seam])
    cols = max(top.density.shape[1], bottom.density.shape[1])
    spread, mass = np.sqrt(above[1] * below[1]), np.sqrt(above[2] * below[2])
    fitted = [
        _fitted(body.density, cols, here[0], spread / here[1], mass / here[2])
        for body, here in ((top, above), (bottom, below))
    ]
    density = _overlaid(fitted[0], fitted[1], seam)
    shift = len(top.density) - seam
    return Upright(
        density,
        (*top.centromeres, *(c + shift for c in bottom.centromeres)),
        (top.ends[0], bottom.ends[1] + shift),
        width,
    )


def rounded(body: Upright, *, last: bool) -> Upright:
    """A broken end healed: the density fades over a few rows, first at the sides."""
    length = max(int(_ROUND * body.width), 2 * FINE)
    rows = np.arange(len(body.density))
    inward = (body.ends[1] - rows) if last else (rows - body.ends[0])
    _, centre, spread = profile(body.density)
    across = np.abs(np.arange(body.density.shape[1]) - centre[:, None]) / (2 * spread[:, None] + 1e-6)
    depth = np.clip(inward[:, None] / length - 0.5 * across**2, 0, 1)
    smooth = (depth * depth * (3 - 2 * depth)).astype(np.float32)
    return replace(body, density=body.density * smooth)


def _arm_down(body: Upright, rng: np.random.Generator) -> Upright:
    """Turn so that the arm to be broken points down; long arms break more often."""
    down = (body.ends[1] - body.centromeres[0]) / body.length
    return body if rng.random() < down else body.reversed()


def _near(rows: Float32) -> tuple[float, float, float]:
    """Centre, spread and mass of the rows beside a break."""
    mass, centre, spread = profile(rows)
    return float(np.median(centre)), max(float(np.median(spread)), 0.5), max(float(np.median(mass)), 1e-3)


def _fitted(density: Float32, cols: int, centre: float, wider: float, heavier: float) -> Float32:
    """Bring a piece's axis to the middle column and its width and mass to those wanted."""
    wider = float(np.clip(wider, *_FIT))
    darker = float(np.clip(heavier / wider, *_FIT))
    shift = (cols - 1) / 2 - wider * centre
    matrix = np.array([[wider, 0, shift], [0, 1, 0]], dtype=np.float32)
    moved = cv2.warpAffine(density, matrix, (cols, len(density)), flags=cv2.INTER_LINEAR)
    return np.asarray(moved * np.float32(darker), np.float32)


def _overlaid(top: Float32, bottom: Float32, seam: int) -> Float32:
    """Cross-fade the last rows of one into the first of the other."""
    return np.concatenate([top[:-seam], _faded(top[-seam:], bottom[:seam]), bottom[seam:]])


def _faded(one: Float32, two: Float32) -> Float32:
    """Rows of one that become those of the other."""
    fade = np.linspace(1, 0, len(one), dtype=np.float32)[:, None]
    return np.asarray(one * fade + two * (1 - fade), np.float32)
