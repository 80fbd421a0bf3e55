"""Optical density -> camera image: blur, halo, light, glare, noise, 8 bits."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.styles import Look


def photograph(
    density: NDArray[np.float32], look: Look, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Take the picture of a slide.

    Parameters
    ----------
    density : ndarray of shape (h, w)
        Relative optical density, 1 in the core of a chromosome.
    look : Look
        Stain density, focus, halo, background, shading, glare, noise.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, shape (h, w)
        Grey levels, Beer-Lambert: I = I0 (glare + (1 - glare) 10^-OD).
    """
    blurred = cv2.GaussianBlur(density, (0, 0), look.focus)
    if look.halo > 0.02:
        small = cv2.resize(blurred, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        wide = cv2.GaussianBlur(small, (0, 0), 1.6)
        wide = cv2.resize(wide, density.shape[::-1], interpolation=cv2.INTER_LINEAR)
        blurred = blurred + look.halo * (blurred - wide) * 2
    through = cv2.exp(blurred * (-np.log(10.0) * look.density))
    through = look.glare + (1 - look.glare) * through
    grey = through * _light(density.shape, look, rng) * look.background
    grey += rng.standard_normal(density.shape, dtype=np.float32) * np.float32(look.noise)
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _light(shape: tuple[int, ...], look: Look, rng: np.random.Generator) -> NDArray[np.float32]:
    """Slow unevenness of the illumination, about 1."""
    rows = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    cols = np.linspace(-1, 1, shape[1], dtype=np.float32)[None]
    a, b, c, d = rng.normal(0, look.shading, 4).astype(np.float32)
    return np.asarray(1 + a * rows + b * cols - abs(c) * (rows**2 + cols**2) + d * rows * cols, np.float32)


def burn_number(grey: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Write a frame number into the top-left corner, as some microscopes do."""
    marked = grey.copy()
    cv2.putText(marked, f"{number:04d}", (2, 15), cv2.FONT_HERSHEY_PLAIN, 1.0, 255, 1)
    return marked
