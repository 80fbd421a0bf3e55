"""What a phase-contrast microscope makes of cells.

After Yin, Kanade & Chen 2012 (Medical Image Analysis 16, 1047): the picture is the phase delay
minus a blurred copy of it, which is why flat thick cells are dark, wear a bright halo and fade
towards their middle. Rounded cells delay most and wear the brightest halo; within it they are dark here, where many
microscopes show them bright.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.livecell.simulate.population import Nucleus
from cytally.livecell.simulate.shapes import Window, body, fill, outline
from cytally.types import FloatArray

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class PhaseSettings:
    """How a field looks.

    Attributes
    ----------
    halo : float
        Gaussian sigma of the halo in pixels; a second one is three times as wide.
    cytoplasm, nucleus, nucleolus : float
        Delay of a spread cell, and what a nucleus and its nucleoli add: the less the nucleus
        adds, the harder it is to see.
    grain : float
        Delay of the granules of the cytoplasm; a nucleus is smoother.
    light : float
        Largest share by which the lamp is uneven over the field.
    noise : float
        Standard deviation of the camera in grey levels of 255.
    focus : float
        Blur (sigma, pixels) at best focus; drift adds to it.
    """

    halo: float = 4.0
    cytoplasm: float = 0.6
    nucleus: float = 0.14
    nucleolus: float = 0.35
    grain: float = 0.07
    light: float = 0.12
    noise: float = 2.0
    focus: float = 0.6


def delay(nuclei: list[Nucleus], window: Window, settings: PhaseSettings) -> Float32:
    """Phase delay (h, w) in radians of cells, nuclei and nucleoli in the window."""
    cells, round_ones, kernels, spots = (np.zeros((window.height, window.width), np.float32) for _ in range(4))
    layer = np.zeros_like(cells)
    for nucleus in nuclei:
        if nucleus.state != "resting":
            fill(round_ones, body(nucleus), window, 3.0)
            continue
        layer[:] = 0
        fill(layer, body(nucleus), window, settings.cytoplasm)
        np.maximum(cells, layer, out=cells)
        fill(kernels, outline(nucleus), window, 1.0)
        _nucleoli(spots, nucleus, window)
    thick = cv2.GaussianBlur(cells, (0, 0), 1.6)
    inside = cv2.GaussianBlur(kernels, (0, 0), 1.0)
    granules = settings.grain / 0.2 * _world_noise(window, 1.3, 3) + 0.25 * _world_noise(window, 5.0, 4)
    thick *= 1 + granules * (1 - 0.7 * inside) * (cells > 0) / settings.cytoplasm
    rim = inside - cv2.GaussianBlur(kernels, (0, 0), 2.2)
    thick += settings.nucleus * (inside + rim) + settings.nucleolus * cv2.GaussianBlur(spots, (0, 0), 0.7)
    return np.asarray(np.maximum(thick, cv2.GaussianBlur(round_ones, (0, 0), 1.4)), np.float32)


def render(
    nuclei: list[Nucleus],
    debris: FloatArray,
    window: Window,
    settings: PhaseSettings,
    blur: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """A phase-contrast frame, 8 bit.

    Parameters
    ----------
    nuclei : list of Nucleus
    debris : ndarray of shape (n, 3)
        World row, col and radius of specks.
    window : Window
    settings : PhaseSettings
    blur : float
        Focus drift of this frame: added sigma in pixels.
    rng : numpy Generator
        Of the camera's noise.
    """
    thick = delay(nuclei, window, settings)
    for row, col, radius in debris:
        centre = (round(float(col - window.col)), round(float(row - window.row)))
        cv2.circle(thick, centre, max(1, round(float(radius))), 3.5, -1)
    near, far = (cv2.GaussianBlur(thick, (0, 0), times * settings.halo) for times in (1, 3))
    contrast = thick - 0.5 * near - 0.5 * far
    picture = 1 - 0.6 * np.sin(1.2 * np.clip(contrast, -1.3, 2.2))
    picture *= uneven_light((window.height, window.width), settings.light)
    picture += 0.03 * _world_noise(window, 14.0, 7)
    sharp = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), settings.focus + blur)
    grey = 128 * sharp + rng.normal(0, settings.noise, sharp.shape)
    return np.asarray(np.clip(np.rint(grey), 0, 255), np.uint8)


def uneven_light(shape: tuple[int, int], strength: float) -> FloatArray:
    """Lamp over the field (h, w): brightest right of the middle, darker in the corners."""
    rows = np.linspace(-1, 1, shape[0])[:, None]
    cols = np.linspace(-1, 1, shape[1])[None]
    return np.asarray(1 - strength * ((rows + 0.1) ** 2 + (cols - 0.2) ** 2) / 2)


def _nucleoli(spots: Float32, nucleus: Nucleus, window: Window) -> None:
    own = np.random.default_rng(20_000 + nucleus.number)
    for _ in range(int(own.integers(1, 4))):
        far, toward = own.uniform(0, 0.28) * nucleus.full_size, own.uniform(0, 6.28) + nucleus.angle
        centre = (
            nucleus.col + far * np.cos(toward) - window.col,
            nucleus.row + far * np.sin(toward) - window.row,
        )
        radius = max(1, round(nucleus.full_size * own.uniform(0.05, 0.1)))
        cv2.circle(spots, (round(centre[0]), round(centre[1])), radius, own.uniform(0.6, 1.4), -1)


@lru_cache(maxsize=8)
def _noise_of(height: int, width: int, grain: float, seed: int) -> Float32:
    world = np.random.default_rng(seed).standard_normal((height, width), np.float32)
    smooth = cv2.GaussianBlur(world, (0, 0), grain, borderType=cv2.BORDER_REFLECT)
    return np.asarray(smooth / smooth.std() * np.float32(0.2), np.float32)


def _world_noise(window: Window, grain: float, seed: int) -> Float32:
    """Texture that stays with the world, so that it does not shimmer as the camera shifts."""
    reach = 256
    world = _noise_of(window.height + 2 * reach, window.width + 2 * reach, grain, seed)
    top, left = (int(np.clip(np.floor(at), 0, 2 * reach)) for at in (window.row, window.col))
    return world[top : top + window.height, left : left + window.width]
