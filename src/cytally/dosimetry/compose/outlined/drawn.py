"""Drawn chromosomes where real ones lay: places, contacts and nuclei of a real field, bodies of a chosen look.

A drawn body is two rods (the chromatids) side by side, each arm bulging like a sausage, both pinched and held
together at the centromere, with lumps at the same height in both. So chromosomes look that are contracted and
stained with Giemsa: four lobes, six in a dicentric.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.chromosomes.segment import Outline, Segmented, outline_of
from cytally.dosimetry.chromosomes.upright import FINE, Upright
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.sheet import Pose, Sheet
from cytally.dosimetry.simulate.karyotype import TABLE
from cytally.types import FloatArray

Float32 = NDArray[np.float32]

_STAIN = 0.45
_NAMES = list(TABLE)
_MEAN = sum(length for length, _ in TABLE.values()) / len(TABLE)
_LONGEST = TABLE["1"][0]
#: Share of a body's box that is stained.
_FILLED = 0.8
#: Index below which a centromere cannot be told from the end.
_ACROCENTRIC = 0.22
#: Part of a body under which another may lie before it can no longer be lifted.
_COVERED = 0.01


@dataclass(frozen=True)
class Geometry:
    """Where the chromosomes of a real field lie, and what else does.

    Attributes
    ----------
    numbers : tuple of int
        1 to 22, 23 (X), 24 (Y), one per chromosome.
    places : ndarray of float, shape (n, 2)
    angles : ndarray of float, shape (n,)
        Of the long axes, radians from row towards column.
    rest : ndarray of float32, shape (h, w)
        Optical density of everything else.
    size : float
        Square root of the median chromosome area, pixels.
    source : str
    """

    numbers: tuple[int, ...]
    places: FloatArray
    angles: FloatArray
    rest: Float32
    size: float
    source: str


@dataclass(frozen=True)
class Body:
    """One cell's chromosomes; lengths in widths of a chromosome.

    Attributes
    ----------
    longest : float
        Length of chromosome 1.
    thick : float
        Radius of a chromatid.
    apart : float
        Distance of a chromatid's axis from the middle.
    pinch : float
        Radius at the centromere, as a share of `thick`.
    cleft : float
        How far along an arm the pinch reaches.
    joint : float
        Density of what joins the sisters at the centromere.
    lumps, twin : float
        Relative density of lumps, and how alike both sisters' are.
    knobs : float
        Relative change of the radius with the lumps.
    rod : float
        Roundness across: 0 a ribbon, 1 a rod seen through.
    edge : float
        Sigma of the optics.
    splay : float
        How far the ends of chromatids move apart.
    """

    longest: float
    thick: float
    apart: float
    pinch: float
    cleft: float
    joint: float
    lumps: float
    twin: float
    knobs: float
    rod: float
    edge: float
    splay: float

    @staticmethod
    def draw(rng: np.random.Generator) -> Body:
        """From ranges measured on solid Giemsa metaphases of two laboratories (contracted cells)."""
        low_high: dict[str, tuple[float, float]] = {
            "longest": (2.6, 4.6),
            "thick": (0.2, 0.27),
            "apart": (0.22, 0.29),
            "pinch": (0.4, 0.75),
            "cleft": (0.25, 0.6),
            "joint": (0.2, 0.8),
            "lumps": (0.06, 0.32),
            "twin": (0.6, 0.85),
            "knobs": (0.04, 0.18),
            "rod": (0.5, 1.0),
            "edge": (0.075, 0.14),
            "splay": (-0.04, 0.06),
        }
        return Body(**{name: float(rng.uniform(*limits)) for name, limits in low_high.items()})


def drawn_field(geometry: Geometry, rng: np.random.Generator) -> Field:
    """A field of drawn chromosomes, each knowing its centromere.

    Parameters
    ----------
    geometry : Geometry
    rng : numpy.random.Generator
        Draws the look of the cell and its lumps.
    """
    look = Body.draw(rng)
    width = geometry.size * np.sqrt(_LONGEST / _MEAN / (_FILLED * look.longest))
    bodies = [chromosome(number, width, look, rng) for number in geometry.numbers]
    empty = Segmented((), np.asarray(geometry.rest > 0.4 * _STAIN), geometry.size, _STAIN)
    sheet = Sheet(geometry.rest.copy(), empty.occupied.copy(), empty)
    free: list[tuple[Outline, Upright]] = []
    for index in rng.permutation(len(bodies)):
        outline = _laid(sheet, bodies[index], _pose(geometry, int(index), rng))
        if outline is not None:
            free.append((outline, bodies[index]))
    outlines = [outline for outline, _ in free]
    kept = [pair for k, pair in enumerate(free) if not any(_meet(pair[0], later) for later in outlines[k + 1 :])]
    segmented = Segmented(tuple(outline for outline, _ in kept), sheet.occupied, geometry.size, _STAIN)
    return Field(sheet.density, segmented, tuple(body for _, body in kept), f"drawn on {geometry.source}")


def _pose(geometry: Geometry, index: int, rng: np.random.Generator) -> Pose:
    """Where a real chromosome lay; which end is up, and the bend, are drawn."""
    turned = bool(rng.random() < 0.5)
    angle = float(geometry.angles[index] + (np.pi if turned else 0) + rng.normal(0, 0.1))
    row, col = geometry.places[index]
    return Pose(float(row), float(col), angle, float(rng.normal(0, 0.25)), bool(rng.random() < 0.5))


def _laid(sheet: Sheet, body: Upright, pose: Pose) -> Outline | None:
    """Lay a body; its outline where it lies alone and whole inside the field."""
    (rows, cols), made = sheet.footprint(body, pose)
    mask = made > 0.3 * _STAIN
    if not mask.any():
        return None
    alone = sheet.covered(body, pose, 0.0) < _COVERED
    sheet.lay(body, pose)
    height, width = sheet.density.shape
    inside = rows.start > 2 and cols.start > 2 and rows.stop < height - 2 and cols.stop < width - 2
    if not alone or not inside:
        return None
    place = np.argwhere(mask)
    (top, left), (bottom, right) = place.min(axis=0), place.max(axis=0) + 1
    return outline_of(mask[top:bottom, left:right], int(rows.start + top), int(cols.start + left))


def _meet(one: Outline, other: Outline) -> bool:
    """Whether more than a trace of the first lies under the second."""
    top, left = max(one.top, other.top), max(one.left, other.left)
    bottom = min(one.top + one.mask.shape[0], other.top + other.mask.shape[0])
    right = min(one.left + one.mask.shape[1], other.left + other.mask.shape[1])
    if top >= bottom or left >= right:
        return False
    mine, its = (
        each.mask[top - each.top : bottom - each.top, left - each.left : right - each.left] for each in (one, other)
    )
    return bool((mine & its).sum() > _COVERED * one.mask.sum())


def chromosome(number: int, width: float, look: Body, rng: np.random.Generator) -> Upright:
    """One chromosome, upright, `FINE` samples per pixel; `width` in pixels of the field."""
    relative, index = TABLE[_NAMES[number - 1]]
    wide = width * FINE * float(np.exp(rng.normal(0, 0.05))) * (0.85 + 0.15 * relative / _MEAN) ** 0.5
    length = max(relative / _LONGEST * look.longest * wide * float(np.exp(rng.normal(0, 0.07))), 1.05 * wide)
    at = float(np.clip(index / 100 + rng.normal(0, 0.02), 0.12, 0.5)) * length
    margin = int(0.5 * wide)
    rows, cols = int(length) + 2 * margin, int(2.2 * wide) | 1
    density = np.zeros((rows, cols), np.float32)
    along = np.arange(rows, dtype=np.float32) - margin
    across = np.arange(cols, dtype=np.float32) - cols // 2
    shared = _lumps(rows, wide / 4.8, rng)
    for side in (-1, 1):
        own = look.twin * shared + np.sqrt(1 - look.twin**2) * _lumps(rows, wide / 4.8, rng)
        axis, radius = _chromatid(along, at, length, wide, look, rng)
        radius = radius * (1 + look.knobs * own)
        inside = np.clip(1 - ((across - side * axis[:, None]) / np.maximum(radius[:, None], 1e-3)) ** 2, 0, 1)
        thickness = np.where(radius[:, None] > 0.3, inside ** (0.5 * look.rod), 0)
        density += (thickness * (1 + look.lumps * own)[:, None]).astype(np.float32)
    near = np.exp(-0.5 * (((along - at) / (0.16 * wide))[:, None] ** 2 + (across / (0.14 * wide)) ** 2))
    density = np.maximum(density, look.joint * near.astype(np.float32))
    density = cv2.GaussianBlur(np.minimum(density, 1.25), (0, 0), look.edge * wide)
    seen = () if index / 100 < _ACROCENTRIC else (at + margin,)
    return Upright(np.asarray(_STAIN * 1.1 * density, np.float32), seen, (float(margin), float(margin + length)), wide)


def _chromatid(
    along: Float32, at: float, length: float, wide: float, look: Body, rng: np.random.Generator
) -> tuple[Float32, Float32]:
    """Distance of a chromatid's axis from the middle, and its radius, row by row."""
    arm = np.where(along < at, at, length - at)
    away = np.abs(along - at)
    opened = np.clip(away / (look.cleft * wide), 0, 1)
    opened = opened * opened * (3 - 2 * opened)
    radius = look.thick * wide * (look.pinch + (1 - look.pinch) * opened)
    closed = 0.62 + 0.38 * opened
    above, below = (float(look.splay + off) for off in rng.normal(0, 0.02, 2))
    splay = np.where(along < at, above, below)
    axis = look.apart * wide * closed + splay * wide * np.clip(away / np.maximum(arm, 1), 0, 1) ** 2
    tip = np.clip((arm - away) / (look.thick * wide), 0, 1)
    radius = radius * np.sqrt(np.clip(1 - (1 - tip) ** 2, 0, 1))
    outside = (along < 0) | (along > length)
    return axis.astype(np.float32), np.where(outside, 0, radius).astype(np.float32)


def _lumps(count: int, sigma: float, rng: np.random.Generator) -> Float32:
    noise = cv2.GaussianBlur(rng.standard_normal((count, 1), dtype=np.float32), (0, 0), max(sigma, 0.5))[:, 0]
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)
