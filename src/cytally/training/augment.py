"""Turns, mirrors, size, stain, focus and noise: drawn first, then applied to image and labels.

The preprint trains without augmentation, as blur and noise soon make
monocentrics of dicentrics. The ranges here stay small for that reason; turning
and mirroring costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray

Float32 = NDArray[np.float32]


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
    gain, gamma : float
        Density becomes gain * density ** gamma.
    blur, noise : float
        Gaussian sigma in pixels; standard deviation of added density.
    """

    angle: float = 0.0
    size: float = 1.0
    mirror: bool = False
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
        middle = (side - 1) / 2
        centre = np.array(corner, dtype=float) + middle
        return np.concatenate([turn, (middle - turn @ centre)[:, None]], axis=1)


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


def move_image(
    image: NDArray[Any], how: Augmentation, corner: tuple[int, int], side: int, empty: float = 0
) -> NDArray[Any]:
    """Crop (side, side) of the turned image; outside it is empty slide."""
    matrix = how.matrix(corner, side)
    swapped = matrix[::-1][:, [1, 0, 2]]  # OpenCV speaks (x, y)
    return np.asarray(cv2.warpAffine(image, swapped, (side, side), flags=cv2.INTER_LINEAR, borderValue=empty))


def restain(crop: Float32, how: Augmentation, rng: np.random.Generator) -> Float32:
    """Gain, gamma, blur and noise; shape and labels stay."""
    result = how.gain * np.sign(crop) * np.abs(crop) ** how.gamma
    if how.blur > 0.2:
        result = cv2.GaussianBlur(result, (0, 0), how.blur)
    if how.noise > 0:
        result = result + rng.standard_normal(crop.shape, dtype=np.float32) * np.float32(how.noise)
    return np.clip(result, -0.5, 3.0).astype(np.float32)
