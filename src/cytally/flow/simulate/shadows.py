"""Cells -> their shadows on the sensor, their masks, and how each pixel of them moves.

A lensless sensor sees the light that passes a cell: dark rim, brighter or darker middle, and around it a bright ring
at 1.55 radii, less sharp the further the cell is from the sensor (thesis A.1; the resolution is at best two pixels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytally.flow.simulate.population import KINDS, LOOKS, Cells
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
#: Where the bright ring is, how wide, how strong: in radii and as a share of full light.
_RING, _RING_WIDTH, _RING_LIGHT = 1.55, 0.22, 0.12
#: Softest and sharpest edge in pixels, at the far wall and at the sensor.
_SHARP, _SOFT = 0.8, 1.8


@dataclass(frozen=True)
class _Patches:
    """Squares around cells: their pixels in the picture and as seen from each cell, (n, side, side)."""

    rows: IntArray
    cols: IntArray
    along: Float32
    across: Float32


def shade(cells: Cells, depth: float, shape: tuple[int, int]) -> Float32:
    """Darkness (rows, cols) that cells add: shadows of cells over each other add up.

    Parameters
    ----------
    cells : Cells
    depth : float
        Of the channel, pixels.
    shape : tuple of int
    """
    picture = np.zeros((shape[0], shape[1]), np.float32)
    patches = _patches(cells, 2.3)
    darkness = _profile(cells, patches, depth)
    inside = _inside(patches, shape)
    flat = (patches.rows * shape[1] + patches.cols)[inside]
    picture += np.bincount(flat, darkness[inside], picture.size).reshape(shape).astype(np.float32)
    return picture


def masks(cells: Cells, shape: tuple[int, int]) -> IntArray:
    """Place in `cells` plus 1 for each pixel of a cell, 0 elsewhere (rows, cols); the cell nearest the sensor wins."""
    picture = np.zeros(shape, np.int32)
    order = np.argsort(-cells.z, kind="stable")
    patches = _patches(cells, 1.8)
    inside = (_distance(cells, patches) < 1) & _inside(patches, shape)
    for number in order.tolist():
        here = inside[number]
        picture[patches.rows[number][here], patches.cols[number][here]] = number + 1
    return picture


def motion(mask: IntArray, now: Cells, later: Cells) -> Float32:
    """Displacement (2, rows, cols) in rows and columns from a frame to the next; 0 on the ground.

    Each cell moves as a rigid body: its centre moves and it turns about it.

    Parameters
    ----------
    mask : ndarray of int
        As `masks` gives it.
    now, later : Cells
        Entries at the same places are the same cell.
    """
    flow = np.zeros((2, *mask.shape), np.float32)
    rows, cols = np.nonzero(mask)
    of = mask[rows, cols] - 1
    turn = (later.angle - now.angle)[of]
    down, right = rows - now.row[of], cols - now.col[of]
    flow[0, rows, cols] = (later.row - now.row)[of] + right * np.sin(turn) + down * (np.cos(turn) - 1)
    flow[1, rows, cols] = (later.col - now.col)[of] + right * (np.cos(turn) - 1) - down * np.sin(turn)
    return flow


def _patches(cells: Cells, reach: float) -> _Patches:
    half = int(np.ceil(reach * float(cells.radius.max(initial=1.0)) + 2))
    steps = np.arange(-half, half + 1)
    rows = np.rint(cells.row).astype(int)[:, None, None] + steps[:, None]
    cols = np.rint(cells.col).astype(int)[:, None, None] + steps[None]
    down = (rows - cells.row[:, None, None]).astype(np.float32)
    right = (cols - cells.col[:, None, None]).astype(np.float32)
    cos, sin = (_each(part(cells.angle)) for part in (np.cos, np.sin))
    shape = (len(cells.track), len(steps), len(steps))
    return _Patches(
        np.broadcast_to(rows, shape), np.broadcast_to(cols, shape), right * cos + down * sin, down * cos - right * sin
    )


def _distance(cells: Cells, patches: _Patches) -> Float32:
    """From the middle, 1 on the outline, (n, side, side)."""
    radius, short = _each(cells.radius), _each(cells.radius * cells.flat)
    distance = np.sqrt((patches.along / radius) ** 2 + (patches.across / short) ** 2)
    budding = cells.bud > 0
    if budding.any():
        along, across, size = patches.along[budding], patches.across[budding], 0.62 * radius[budding]
        bud = np.sqrt((along - 1.25 * radius[budding]) ** 2 + across**2) / size
        distance[budding] = np.minimum(distance[budding], bud)
    return np.asarray(distance, np.float32)


def _profile(cells: Cells, patches: _Patches, depth: float) -> Float32:
    looks = [LOOKS[KINDS[number]] for number in cells.kind]
    body, core, spot, grain = (
        _each(np.array([getattr(look, name) for look in looks])) for name in ("body", "core", "spot", "grain")
    )
    radius = _each(cells.radius)
    distance = _distance(cells, patches)
    edge = (_each(_SHARP + (_SOFT - _SHARP) * cells.z / depth)) / (2 * radius)
    within = 1 / (1 + np.exp(np.clip((distance - 1) / edge * 2, -30, 30)))
    inner = np.exp(-((distance / 0.5) ** 2))
    off = (patches.along - 0.5 * radius) ** 2 + patches.across**2
    dark = within * (body + (core - body) * inner + spot * np.exp(-off / (0.25 * radius) ** 2))
    dark += within * grain * np.sin(5 * patches.along / radius + radius) * np.sin(6 * patches.across / radius)
    wide = np.sqrt(_RING_WIDTH**2 + edge**2)
    dark -= _RING_LIGHT * body / 0.3 * _RING_WIDTH / wide * np.exp(-(((distance - _RING) / wide) ** 2))
    return np.asarray(dark * _each(cells.strength * (1 - 0.35 * cells.z / depth)), np.float32)


def _inside(patches: _Patches, shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows = (patches.rows >= 0) & (patches.rows < shape[0])
    return np.asarray(rows & (patches.cols >= 0) & (patches.cols < shape[1]))


def _each(values: FloatArray) -> Float32:
    return np.asarray(values, np.float32)[:, None, None]
