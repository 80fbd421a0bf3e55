"""What a fluorescence camera sees of stained nuclei."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.livecell.simulate.phase import uneven_light
from cytally.livecell.simulate.population import Nucleus
from cytally.livecell.simulate.shapes import Window, fill, outline
from cytally.types import FloatArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class StainSettings:
    """How the stain comes out.

    Attributes
    ----------
    ground, nucleus : float
        Camera counts of the background and of a typical nucleus above it.
    weak : float
        Share of nuclei that took up little dye.
    leak : float
        Share of a nucleus' light that spreads far around it.
    light : float
        Unevenness of the lamp.
    blur : float
        Sigma of the optics in pixels.
    speck : float
        Brightness of debris in usual nuclei.
    """

    ground: float = 300.0
    nucleus: float = 700.0
    weak: float = 0.03
    leak: float = 0.10
    light: float = 0.25
    blur: float = 1.0
    speck: float = 3.0


def render(
    nuclei: list[Nucleus],
    debris: FloatArray,
    window: Window,
    settings: StainSettings,
    blur: float,
    rng: np.random.Generator,
) -> NDArray[np.uint16]:
    """A fluorescence frame, 12 bits in 16.

    Parameters
    ----------
    nuclei : list of Nucleus
    debris : ndarray of shape (n, 3)
        World row, col and radius; specks shine brighter than nuclei.
    window : Window
    settings : StainSettings
    blur : float
        Focus drift: added sigma in pixels.
    rng : numpy Generator
    """
    light = np.zeros((window.height, window.width), np.float32)
    for nucleus in nuclei:
        gain = {"resting": 1.0, "dividing": 2.0, "dying": 2.4}[nucleus.state]
        fill(light, outline(nucleus), window, nucleus.stain * gain)
    texture = cv2.GaussianBlur(rng.standard_normal(light.shape).astype(np.float32), (0, 0), 2.0)
    light *= 1 + 0.6 * texture
    for row, col, radius in debris:
        centre = (round(float(col - window.col)), round(float(row - window.row)))
        cv2.circle(light, centre, max(1, round(float(radius) * 0.7)), settings.speck, -1)
    near = cv2.GaussianBlur(light, (0, 0), settings.blur + blur)
    far = cv2.GaussianBlur(light, (0, 0), 10.0)
    signal = (1 - settings.leak) * near + 2 * settings.leak * far
    counts = (settings.ground + settings.nucleus * signal) * uneven_light(light.shape, settings.light)
    noisy = counts + rng.normal(0, 1, counts.shape) * np.sqrt(counts) * 0.9
    return np.asarray(np.clip(np.rint(noisy), 0, 4095), np.uint16)
