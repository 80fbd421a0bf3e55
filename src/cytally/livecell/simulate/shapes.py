"""Nuclei of a frame -> outlines -> masks in the camera's window."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.livecell.simulate.population import Nucleus
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
_POINTS = 48
_SHIFT = 4  # binary digits below the pixel in OpenCV's drawing


@dataclass(frozen=True)
class Window:
    """What the camera sees of the world: top left corner (row, col) and size in pixels."""

    row: float
    col: float
    height: int
    width: int


def outline(nucleus: Nucleus, magnified: float = 1.0) -> FloatArray:
    """Outline (48, 2) in world (row, col): an ellipse with bumps that stay with the nucleus."""
    own = np.random.default_rng(nucleus.number)
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    bumps = sum(own.normal(0, 0.035) * np.cos(k * angle + own.uniform(0, 6.28)) for k in (2, 3, 4))
    oblong = 1.0 + (nucleus.oblong - 1.0) * (0.3 if nucleus.state != "resting" else 1.0)
    radius = nucleus.full_size / 2 * magnified * (1 + bumps)
    along, across = radius * np.sqrt(oblong) * np.cos(angle), radius / np.sqrt(oblong) * np.sin(angle)
    cos, sin = np.cos(nucleus.angle), np.sin(nucleus.angle)
    return np.stack([nucleus.row + along * sin + across * cos, nucleus.col + along * cos - across * sin], axis=1)


def body(nucleus: Nucleus) -> FloatArray:
    """Outline (n, 2) of the cell around a nucleus: spread with a few processes, or rounded up."""
    own = np.random.default_rng(10_000 + nucleus.number)
    if nucleus.state != "resting":
        return outline(nucleus, 1.25)
    angle = np.linspace(0, 2 * np.pi, 2 * _POINTS, endpoint=False)
    spread = 1.6 + 0.25 * np.cos(2 * (angle - own.uniform(0, 6.28)))
    for _ in range(int(own.integers(2, 6))):
        toward, width = own.uniform(0, 6.28), own.uniform(0.12, 0.4)
        gap = np.angle(np.exp(1j * (angle - toward)))
        spread = spread + own.uniform(0.5, 2.2) * np.exp(-(gap**2) / (2 * width**2))
    spread = spread + 0.08 * np.cumsum(own.normal(0, 1, len(angle))) / np.sqrt(len(angle)) * np.sin(angle / 2)
    young = min(1.0, 0.6 + 0.05 * nucleus.age)
    radius = nucleus.size / 2 * spread * young
    return np.stack([nucleus.row + radius * np.sin(angle), nucleus.col + radius * np.cos(angle)], axis=1)


def fill(canvas: NDArray[np.generic], shape: FloatArray, window: Window, value: float) -> None:
    """Paint an outline given in world coordinates onto the window."""
    inside = (shape - [window.row, window.col])[:, ::-1]
    points = np.rint(inside * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(canvas, [points], value, lineType=cv2.LINE_8, shift=_SHIFT)


def labels_of(nuclei: list[Nucleus], window: Window) -> IntArray:
    """Mask (h, w) of the nuclei's numbers; where two overlap the later one lies above.

    Slivers of fewer than 12 pixels, cut by the border or covered, are nobody's: no eye or
    program could find them. So are parts that lie apart from a nucleus' largest part.
    """
    canvas = np.zeros((window.height, window.width), np.int32)
    for nucleus in nuclei:
        fill(canvas, outline(nucleus), window, nucleus.number)
    for nucleus in nuclei:
        mine = (canvas == nucleus.number).astype(np.uint8)
        if not mine.any():
            continue
        _, parts, stats, _ = cv2.connectedComponentsWithStats(mine, connectivity=8)
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        keep = (parts == largest) & (stats[largest, cv2.CC_STAT_AREA] >= 12)
        canvas[(parts > 0) & ~keep] = 0
    return canvas
