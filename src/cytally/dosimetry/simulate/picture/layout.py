"""Where the bodies of a cell come to lie: a disc of chromosomes, some in contact.

Most chromosomes keep clear of each other. A share of them does not: they cross,
lie end to end or side by side, on purpose, since these are what a detector
mistakes for dicentrics.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.picture.shape import Body
from cytally.dosimetry.simulate.styles import Appearance
from cytally.types import FloatArray

_TRIES = 48
#: The map of occupied ground is this much coarser than the image.
_COARSE = 4


def spread(bodies: list[Body], look: Appearance, shape: tuple[int, int], rng: np.random.Generator) -> list[Body]:
    """Move every body to its place in an image of the given shape.

    Parameters
    ----------
    bodies : list of Body
        Centred on the origin.
    look : Look
        Radius of the spread and share of contacts.
    shape : (h, w)
        Of the image; the spread lies near its middle.
    rng : numpy.random.Generator

    Returns
    -------
    list of Body
        Same order; aberrant bodies keep clear of the others, so that their
        label can be seen, except for one in eight of the usual contacts.
    """
    stretch = float(np.sqrt(rng.uniform(0.75, 1.33)))
    centre = np.array(shape) * (0.5 + rng.uniform(-0.05, 0.05, 2))
    taken = np.zeros((shape[0] // _COARSE + 1, shape[1] // _COARSE + 1), np.uint8)
    placed: dict[int, Body] = {}
    for index in sorted(range(len(bodies)), key=lambda i: -bodies[i].reach):
        body = bodies[index]
        touching = rng.random() < (look.contact / 8 if body.aberrations else look.contact)
        if touching and placed:
            body, at = _touching(body, list(placed.values()), rng)
        else:
            at = _clearest(body, _candidates(look.radius, stretch, rng) + centre, taken)
        placed[index] = body.moved(*at)
        _take(taken, placed[index], look.width)
    return [placed[index] for index in range(len(bodies))]


def _candidates(radius: float, stretch: float, rng: np.random.Generator) -> FloatArray:
    """Places in an ellipse, a little denser in its middle."""
    angle = rng.uniform(0, 2 * np.pi, _TRIES)
    far = radius * 1.05 * rng.uniform(0, 1, _TRIES) ** 0.55
    return np.stack([far * np.sin(angle) * stretch, far * np.cos(angle) / stretch], axis=1)


def _touching(body: Body, others: list[Body], rng: np.random.Generator) -> tuple[Body, tuple[float, float]]:
    """Turn and place a body so that it meets another: in line end to end, or anyhow."""
    plain = [b for b in others if not b.aberrations] or others
    other = plain[int(rng.integers(len(plain)))]
    if rng.random() < 0.4 and not body.piece.closed and not other.piece.closed:
        return _end_to_end(body, other, rng)
    here = body.centreline[[0, -1, len(body.centreline) // 2][int(rng.integers(3))]]
    there = other.centreline[[0, -1, len(other.centreline) // 2][int(rng.integers(3))]]
    row, col = there - here + rng.normal(0, 5, 2)
    return body, (float(row), float(col))


def _end_to_end(body: Body, other: Body, rng: np.random.Generator) -> tuple[Body, tuple[float, float]]:
    """Continue another body in its own direction: what looks most like a dicentric and is none."""
    tips = [body.centreline[::step] for step in (1, -1)], [other.centreline[::step] for step in (1, -1)]
    mine, its = tips[0][int(rng.integers(2))], tips[1][int(rng.integers(2))]
    outward, inward = its[0] - its[min(4, len(its) - 1)], mine[min(4, len(mine) - 1)] - mine[0]
    angle = np.arctan2(outward[1], outward[0]) - np.arctan2(inward[1], inward[0]) + rng.normal(0, 0.25)
    turned = body.turned(float(angle))
    end = 0 if np.array_equal(mine[0], body.centreline[0]) else -1
    tip = turned.centreline[end]
    gap = outward / (np.linalg.norm(outward) + 1e-9) * rng.uniform(0.8, 1.5) * 2 * float(body.radius.mean())
    row, col = its[0] + gap - tip
    return turned, (float(row), float(col))


def _clearest(body: Body, tries: FloatArray, taken: NDArray[np.uint8]) -> tuple[float, float]:
    """The try with most of the body on free ground; the first of equals."""
    mine = body.centreline[::2]
    where = ((tries[:, None, :] + mine) / _COARSE).astype(int)
    row = np.clip(where[..., 0], 0, taken.shape[0] - 1)
    col = np.clip(where[..., 1], 0, taken.shape[1] - 1)
    best = int(taken[row, col].mean(axis=1).argmin())
    return float(tries[best, 0]), float(tries[best, 1])


def _take(taken: NDArray[np.uint8], body: Body, width: float) -> None:
    """Mark the ground on which no other centreline may lie."""
    line = np.rint(body.centreline[:, ::-1] / _COARSE).astype(np.int32)
    cv2.polylines(taken, [line[:, None]], False, 1, thickness=int(2.3 * width / _COARSE))
