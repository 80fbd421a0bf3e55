"""One cell in another laboratory's look: chromosomes thicker or finer, solid or grained, sharp or soft.

What a composed cell is made of keeps the shapes of its source; its stain, optics and camera are
drawn anew for every cell, so that a network cannot hold on to those of one microscope (domain
randomisation, Tobin 2017, arXiv:1703.06907).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class Restyle:
    """One draw of stain and optics; lengths in chromosome sizes, densities in those of a chromosome.

    Attributes
    ----------
    solid : float
        Saturation: 0 leaves densities as they are, 3 makes bodies evenly dark.
    thicker : float
        How far chromatids are widened.
    crisp, reach : float
        Strength and radius of what deepens slits and constrictions (unsharp mask).
    beads, bead : float
        Amplitude and radius of lumps along the chromatids.
    soft : float
        Sigma of a blur at the end.
    grain : float
        Standard deviation of the camera's noise.
    """

    solid: float = 0.0
    thicker: float = 0.0
    crisp: float = 0.0
    reach: float = 0.1
    beads: float = 0.0
    bead: float = 0.09
    soft: float = 0.0
    grain: float = 0.0

    @staticmethod
    def draw(rng: np.random.Generator) -> Restyle:
        """Ranges that a cytogeneticist would still score."""

        def sometimes(share: float, low: float, high: float) -> float:
            value = float(rng.uniform(low, high))
            return value if rng.random() < share else 0.0

        return Restyle(
            solid=sometimes(0.8, 0.3, 3.0),
            thicker=sometimes(0.25, 0.015, 0.045),
            crisp=sometimes(0.7, 0.3, 2.2),
            reach=float(rng.uniform(0.07, 0.16)),
            beads=sometimes(0.6, 0.04, 0.22),
            bead=float(rng.uniform(0.06, 0.11)),
            soft=sometimes(0.5, 0.015, 0.045),
            grain=sometimes(0.7, 0.01, 0.05),
        )


def restyled(density: Float32, size: float, stain: float, how: Restyle, rng: np.random.Generator) -> Float32:
    """A cell's density (h, w) under another stain, microscope and camera; places stay.

    Parameters
    ----------
    density : ndarray of float32, shape (h, w)
    size, stain : float
        Square root of the chromosomes' median area in pixels; their density.
    how : Restyle
    rng : numpy.random.Generator
        For lumps and grain.
    """
    x = np.asarray(density / np.float32(stain), np.float32)
    if how.thicker:
        side = 2 * max(int(round(how.thicker * size)), 1) + 1
        wide = cv2.dilate(x, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        x = np.asarray(0.35 * x + 0.65 * cv2.GaussianBlur(wide, (0, 0), 0.5), np.float32)
    if how.crisp:
        x = np.asarray(x + np.float32(how.crisp) * (x - cv2.GaussianBlur(x, (0, 0), how.reach * size)), np.float32)
        x = np.maximum(x, np.minimum(-0.05, density / np.float32(stain)))
    if how.beads:
        x = np.asarray(x * (1 + np.float32(how.beads) * _lumps(x.shape, how.bead * size, rng)), np.float32)
    if how.solid:
        bright = np.maximum(x, 0)
        x = np.asarray(np.where(x > 0, (1 - np.exp(-how.solid * bright)) / (1 - np.exp(-how.solid)), x), np.float32)
    if how.soft:
        x = cv2.GaussianBlur(x, (0, 0), max(how.soft * size, 0.3))
    if how.grain:
        x = x + rng.standard_normal(x.shape, dtype=np.float32) * np.float32(how.grain)
    return np.asarray(x * np.float32(stain), np.float32)


def _lumps(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> Float32:
    """Noise of one scale, standard deviation 1."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), max(sigma, 0.5))
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)
