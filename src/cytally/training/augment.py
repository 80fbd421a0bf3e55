"""Turns, mirrors, shear, size, stain, focus and noise: drawn first, then applied to image and labels.

The preprint trains without augmentation, as blur and noise soon make
monocentrics of dicentrics. The ranges here stay small for that reason; turning
and mirroring costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray

Float32 = NDArray[np.float32]
#: Packed cells and masks, or contrast.
Pixel = TypeVar("Pixel", np.uint8, np.float32)


@dataclass(frozen=True)
class Augmentation:
    """One draw; applying it twice gives the same crop twice.

    Attributes
    ----------
    angle : float
        Radians, counter-clockwise in (row, col).
    size : float
        Magnification.
    mirror : bool
    shear : float
        Columns move by this share of the rows.
    shift : tuple of float
        Pixels (row, col) by which the crop's content moves.
    gain, gamma : float
        Density becomes gain * density ** gamma.
    blur, noise : float
        Gaussian sigma in pixels; standard deviation of added density.
    """

    angle: float = 0.0
    size: float = 1.0
    mirror: bool = False
    shear: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0
    gamma: float = 1.0
    blur: float = 0.0
    noise: float = 0.0

    def matrix(self, corner: tuple[int, int], side: int) -> FloatArray:
        """(2, 3) map from cell (row, col) to crop (row, col): about the crop's centre."""
        cos, sin = np.cos(self.angle) * self.size, np.sin(self.angle) * self.size
        turn = np.array([[cos, -sin], [sin, cos]])
        if self.mirror:
            turn = turn @ np.diag([1.0, -1.0])
        turn = turn @ np.array([[1.0, 0.0], [self.shear, 1.0]])
        middle = (side - 1) / 2
        centre = np.array(corner, dtype=float) + middle
        return np.concatenate([turn, (middle + np.array(self.shift) - turn @ centre)[:, None]], axis=1)


def draw(rng: np.random.Generator) -> Augmentation:
    """Draw what happens to one crop."""
    return Augmentation(
        angle=rng.uniform(0, 2 * np.pi),
        size=float(np.exp(rng.normal(0, 0.10))),
        mirror=bool(rng.random() < 0.5),
        gain=float(np.exp(rng.normal(0, 0.10))),
        gamma=float(np.exp(rng.normal(0, 0.12))),
        blur=float(rng.uniform(0, 0.7)) if rng.random() < 0.3 else 0.0,
        noise=float(rng.uniform(0, 0.05)) if rng.random() < 0.5 else 0.0,
    )


def move_points(places: FloatArray, how: Augmentation, corner: tuple[int, int], side: int) -> FloatArray:
    """Where places (n, 2) of the cell come to lie in the crop."""
    matrix = how.matrix(corner, side)
    return np.asarray(np.asarray(places, float).reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2])


def draw_plain(rng: np.random.Generator, side: int) -> Augmentation:
    """Rotation, shifts, shear and flips, as the thesis of Salomon-Sorensen (section 5.3.2); light a little."""
    return Augmentation(
        angle=rng.uniform(0, 2 * np.pi),
        size=float(np.exp(rng.normal(0, 0.06))),
        mirror=bool(rng.random() < 0.5),
        shear=rng.uniform(-0.15, 0.15),
        shift=(rng.uniform(-0.1, 0.1) * side, rng.uniform(-0.1, 0.1) * side),
        gain=float(np.exp(rng.normal(0, 0.12))),
        gamma=1.0,
        blur=float(rng.uniform(0, 1.0)) if rng.random() < 0.3 else 0.0,
        noise=float(rng.uniform(0, 0.12)) if rng.random() < 0.5 else 0.0,
    )


def move_image(
    image: NDArray[Pixel], how: Augmentation, corner: tuple[int, int], side: int, empty: float = 0
) -> NDArray[Pixel]:
    """Crop (side, side) of the turned image; outside it is empty slide."""
    matrix = _spoken_xy(how, corner, side)
    moved = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=empty)
    return np.asarray(moved, image.dtype)


def move_with_mask(
    image: NDArray[Pixel], mask: NDArray[Pixel], how: Augmentation, corner: tuple[int, int], side: int
) -> tuple[NDArray[Pixel], NDArray[Pixel]]:
    """Crop (side, side) of the turned image and of its mask, whose values are not mixed.

    Outside is a reflection of what lies before the border, in both alike.
    """
    matrix = _spoken_xy(how, corner, side)
    moved, moved_mask = (
        cv2.warpAffine(part, matrix, (side, side), flags=kind, borderMode=cv2.BORDER_REFLECT_101)
        for part, kind in ((image, cv2.INTER_LINEAR), (mask, cv2.INTER_NEAREST))
    )
    return np.asarray(moved, image.dtype), np.asarray(moved_mask, mask.dtype)


def _spoken_xy(how: Augmentation, corner: tuple[int, int], side: int) -> FloatArray:
    return how.matrix(corner, side)[::-1][:, [1, 0, 2]]  # OpenCV speaks (x, y)


def restain(
    crop: Float32, how: Augmentation, rng: np.random.Generator, limits: tuple[float, float] = (-0.5, 3.0)
) -> Float32:
    """Gain, gamma, blur and noise, then clipped to `limits`; shape and labels stay."""
    result = how.gain * np.sign(crop) * np.abs(crop) ** how.gamma
    if how.blur > 0.2:
        result = cv2.GaussianBlur(result, (0, 0), how.blur)
    if how.noise > 0:
        result = result + rng.standard_normal(crop.shape, dtype=np.float32) * np.float32(how.noise)
    return np.clip(result, *limits).astype(np.float32)
