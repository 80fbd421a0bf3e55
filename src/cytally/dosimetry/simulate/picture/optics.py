"""Optical density -> camera image: blur, halo, light, glare, noise, 8 bits."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.styles import Appearance

Float32 = NDArray[np.float32]


def photograph(density: Float32, look: Appearance, rng: np.random.Generator) -> NDArray[np.uint8]:
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
    slide = cv2.GaussianBlur(density, (0, 0), look.focus)
    if abs(look.halo) > 0.02:  # below 0: haze, from what lies out of focus
        slide += (2 * look.halo) * (slide - _wide_blur(slide))
    slide *= -np.log(10.0) * look.density
    grey = cv2.exp(slide)
    grey *= 1 - look.glare
    grey += look.glare
    grey *= _light(grey.shape, look, rng)
    rng.standard_normal(grey.shape, dtype=np.float32, out=slide)
    slide *= look.noise
    grey += slide
    return np.asarray(cv2.convertScaleAbs(np.maximum(grey, 0, out=grey)), np.uint8)


def _wide_blur(slide: Float32) -> Float32:
    small = cv2.resize(slide, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 1.6)
    return np.asarray(cv2.resize(small, slide.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _light(shape: tuple[int, ...], look: Appearance, rng: np.random.Generator) -> Float32:
    """Light of the empty slide in grey levels: slow unevenness, drawn coarsely."""
    rows = np.linspace(-1, 1, 33, dtype=np.float32)[:, None]
    cols = np.linspace(-1, 1, 33, dtype=np.float32)[None]
    a, b, c, d = rng.normal(0, look.shading, 4).astype(np.float32)
    light = look.background * (1 + a * rows + b * cols - abs(c) * (rows**2 + cols**2) + d * rows * cols)
    return np.asarray(cv2.resize(light, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def burn_number(grey: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Write a frame number into the top-left corner, as some microscopes do."""
    marked = grey.copy()
    cv2.putText(marked, f"{number:04d}", (2, 15), cv2.FONT_HERSHEY_PLAIN, 1.0, 255, 1)
    return marked
