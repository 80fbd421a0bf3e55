"""The field as a sheet: chromosomes are erased into the slide and others laid where there is room."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.chromosomes.segment import Mask, Outline, Segmented
from cytally.dosimetry.chromosomes.upright import FINE, RIM, Upright, slide_around, soft_window
from cytally.types import FloatArray

Float32 = NDArray[np.float32]

_SLIDE_TRIES = 30


@dataclass(frozen=True)
class Pose:
    """How an upright comes to lie: a bend, a mirror, a turn and a place.

    Attributes
    ----------
    row, col : float
        Where the body's middle goes, pixels of the field.
    angle : float
        Of its axis, radians from row towards column.
    bend : float
        Radians that the axis turns from end to end.
    mirror : bool
    closed : bool
        Bent until its ends meet: a ring, about (row, col) as its middle.
    """

    row: float
    col: float
    angle: float
    bend: float = 0.0
    mirror: bool = False
    closed: bool = False

    def places(self, body: Upright, rows: FloatArray) -> FloatArray:
        """Where points (n,) of the body's axis come to lie, (n, 2)."""
        along = (np.asarray(rows, float) - _middle(body)) / FINE
        curve = self._curvature(body)
        u = np.sin(curve * along) / curve if curve else along
        v = (1 - np.cos(curve * along)) / curve if curve else np.zeros_like(along)
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        v = v - self._radius(body)
        return np.stack([self.row + u * cos - v * sin, self.col + u * sin + v * cos], axis=-1)

    def _radius(self, body: Upright) -> float:
        """From the middle of a ring to its axis; 0 where the pose's place lies on the axis."""
        return body.length / FINE / (2 * np.pi) if self.closed else 0.0

    def _curvature(self, body: Upright) -> float:
        """Per pixel; gentle bends count as none, and the inner side never folds."""
        length = body.length / FINE
        if self.closed:
            return 2 * np.pi / max(length, 1.0)
        most = 1.6 * FINE / max(body.width, 1.0)
        curve = float(np.clip(self.bend / max(length, 1.0), -most, most))
        return curve if abs(curve) > 1e-4 else 0.0

    def unbent(self, body: Upright, u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Along and across the body, pixels, of places in the turned frame."""
        curve = self._curvature(body)
        if not curve:
            return u, v
        v = v + self._radius(body)
        away = 1 / curve - v
        radius = np.hypot(u, away)
        sign = np.sign(curve)
        return np.arctan2(u * sign, away * sign) / curve, 1 / curve - sign * radius


def _texture(patch: Float32, shape: tuple[int, ...], size: float) -> Float32:
    """What an empty patch has beyond its own slow level, mirrored to fill a shape."""
    fine = patch - cv2.GaussianBlur(patch, (0, 0), 0.25 * size)
    pad = [(0, max(n - m, 0)) for n, m in zip(shape, fine.shape, strict=True)]
    return np.asarray(np.pad(fine, pad, mode="symmetric")[: shape[0], : shape[1]], np.float32)


def _middle(body: Upright) -> float:
    return (body.ends[0] + body.ends[1]) / 2


@dataclass
class Sheet:
    """A field being changed.

    Attributes
    ----------
    density : ndarray of float32, shape (h, w)
    occupied : ndarray of bool, shape (h, w)
    field : Segmented
        As it was.
    """

    density: Float32
    occupied: Mask
    field: Segmented

    @staticmethod
    def of(density: Float32, field: Segmented) -> Sheet:
        """A copy to work on."""
        return Sheet(density.copy(), field.occupied.copy(), field)

    def erase(self, outline: Outline, rng: np.random.Generator) -> None:
        """Put empty slide, with its own noise, where a chromosome lies."""
        size = self.field.size
        window, soft = soft_window(outline, size, self.occupied)
        level = slide_around(self.density, window, self.occupied, RIM * size)
        slide = level + self._empty_slide(soft.shape, rng)
        self.density[window] += soft * (slide - self.density[window])
        height, width = outline.mask.shape
        own = (slice(outline.top, outline.top + height), slice(outline.left, outline.left + width))
        self.occupied[own] &= ~outline.mask

    def _empty_slide(self, shape: tuple[int, ...], rng: np.random.Generator) -> Float32:
        """Noise and texture of an empty place of the field, about its own level.

        Where no empty place is large enough a smaller one is mirrored at its edges.
        """
        filled = self.occupied | self.field.occupied
        side = min(max(shape), *self.density.shape)
        while side > 8:
            for _ in range(_SLIDE_TRIES):
                row, col = (int(rng.integers(n - side + 1)) for n in filled.shape)
                if not filled[row : row + side, col : col + side].any():
                    return _texture(self.density[row : row + side, col : col + side], shape, self.field.size)
            side //= 2
        return np.zeros(shape, np.float32)

    def footprint(self, body: Upright, pose: Pose) -> tuple[tuple[slice, slice], Float32]:
        """The window that a body would cover, and its density there; empty beyond the field."""
        reach = np.hypot(*body.density.shape) / FINE / 2 + 2
        rows, cols = (
            slice(*np.clip([int(at - reach), int(at + reach) + 1], 0, size).tolist())
            for at, size in zip((pose.row, pose.col), self.density.shape, strict=True)
        )
        if rows.start == rows.stop or cols.start == cols.stop:
            return (rows, cols), np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.float32)
        row = np.arange(rows.start, rows.stop)[:, None] - pose.row
        col = np.arange(cols.start, cols.stop)[None] - pose.col
        cos, sin = np.cos(pose.angle), np.sin(pose.angle)
        along, across = pose.unbent(body, row * cos + col * sin, col * cos - row * sin)
        across = -across if pose.mirror else across
        y = (along * FINE + _middle(body)).astype(np.float32)
        x = (across * FINE + (body.density.shape[1] - 1) / 2).astype(np.float32)
        density = body.density
        if pose.closed:  # a ring has no ends: interpolation finds its first row beyond the last
            density, y = np.maximum(np.concatenate([density[-1:], density, density[:1]]), 0), y + 1
        drawn = cv2.remap(density, x, y, cv2.INTER_LINEAR, borderValue=0)
        return (rows, cols), np.asarray(drawn, np.float32)

    def covered(self, body: Upright, pose: Pose, margin: float) -> float:
        """Part of a body, grown by `margin` pixels, that would lie on something stained."""
        window, drawn = self.footprint(body, pose)
        if not drawn.size:
            return 1.0
        mine = (drawn > 0.3 * self.field.stain).astype(np.uint8)
        if margin >= 1:
            side = 2 * int(margin) + 1
            mine = cv2.dilate(mine, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        return float(self.occupied[window][mine > 0].mean()) if mine.any() else 1.0

    def lay(self, body: Upright, pose: Pose) -> None:
        """Add a body's density: light passes through both."""
        window, drawn = self.footprint(body, pose)
        self.density[window] += drawn
        self.occupied[window] |= drawn > 0.3 * self.field.stain
