"""What else lies on a slide: nuclei, specks, filaments, smears, Newton rings.

Everything here returns or adds relative optical density; none of it is an
aberration. Nuclei are drawn at quarter resolution, where their soft texture
loses nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.simulate.styles import Appearance

_COARSE = 4
Canvas = NDArray[np.float32]


def scenery(shape: tuple[int, int], look: Appearance, rng: np.random.Generator) -> Canvas:
    """All of it: relative optical density (h, w), negative where a ring shines."""
    canvas = _smooth_things(shape, look, rng)
    _filaments(canvas, look, rng)
    _specks(canvas, look, rng)
    return canvas


def texture(shape: tuple[int, int], grain: float, rng: np.random.Generator) -> Canvas:
    """Multiplicative unevenness (h, w) around 1 with correlation of about 5 px."""
    coarse = rng.normal(1, grain, (shape[0] // 5 + 2, shape[1] // 5 + 2)).astype(np.float32)
    return _enlarge(coarse, shape)


def fuzz(shape: tuple[int, int], size: float, rng: np.random.Generator) -> Canvas:
    """Multiplicative unevenness (h, w) around 1 without correlation: chromatin finer than optics can show."""
    return np.asarray(np.maximum(1 + np.float32(size) * rng.standard_normal(shape, dtype=np.float32), 0))


def _enlarge(coarse: Canvas, shape: tuple[int, int]) -> Canvas:
    return np.asarray(cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def _smooth_things(shape: tuple[int, int], look: Appearance, rng: np.random.Generator) -> Canvas:
    small = np.zeros((shape[0] // _COARSE, shape[1] // _COARSE), np.float32)
    for _ in range(int(look.smears)):
        _smear(small, rng)
    for _ in range(int(look.nuclei)):
        _nucleus(small, look, rng)
    for _ in range(int(look.rings)):
        _newton_ring(small, rng)
    return _enlarge(small, shape)


def _grid(canvas: Canvas, row: float, col: float, reach: float) -> tuple[slice, slice]:
    height, width = canvas.shape
    rows = slice(max(int(row - reach), 0), max(min(int(row + reach) + 1, height), 0))
    cols = slice(max(int(col - reach), 0), max(min(int(col + reach) + 1, width), 0))
    return rows, cols


def _polar(window: tuple[slice, slice], row: float, col: float) -> tuple[Canvas, Canvas]:
    rows, cols = np.ogrid[window]
    down, right = rows - row, cols - col
    return np.hypot(down, right).astype(np.float32), np.arctan2(down, right).astype(np.float32)


def _nucleus(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """A round or ragged disc with chromatin clumps, rarely near the middle."""
    size = look.nucleus_diameter * rng.uniform(0.7, 1.3) / 2 / _COARSE
    row, col = _off_centre(canvas.shape, size, rng)
    window = _grid(canvas, row, col, size * 1.5)
    far, angle = _polar(window, row, col)
    if not far.size:
        return
    ragged = rng.uniform(0, 0.12) if rng.random() < 0.4 else rng.uniform(0, 0.03)
    edge = np.full_like(far, size)
    for wave in (2, 3, 5, 8, 13):
        edge += size * ragged * rng.normal() / np.sqrt(wave) * np.cos(wave * angle + rng.uniform(0, 6))
    soft = rng.uniform(0.4, 2.0)
    disc = 1 / (1 + np.exp(np.clip((far - edge) / soft, -30, 30)))
    clumps = cv2.GaussianBlur(rng.normal(0, 1, far.shape).astype(np.float32), (0, 0), rng.uniform(0.5, 2.5))
    clumps *= rng.uniform(0.05, 0.25) / (clumps.std() + 1e-6)
    body = rng.uniform(0.35, 1.4) * (1 + clumps)
    canvas[window] += (disc * body).astype(np.float32)


def _off_centre(shape: tuple[int, ...], size: float, rng: np.random.Generator) -> tuple[float, float]:
    """A place anywhere, but mostly clear of the spread in the middle."""
    row = col = 0.0
    for _ in range(6):
        row, col = rng.uniform(-0.05, 1.05) * shape[0], rng.uniform(-0.05, 1.05) * shape[1]
        if np.hypot(row - shape[0] / 2, col - shape[1] / 2) > size + 0.22 * shape[1]:
            break
    return float(row), float(col)


def _smear(canvas: Canvas, rng: np.random.Generator) -> None:
    """Pale stain without an edge, sometimes over the chromosomes."""
    height, width = canvas.shape
    row, col = rng.uniform(0, height), rng.uniform(0, width)
    long, short, turn = rng.uniform(10, 60), rng.uniform(6, 30), rng.uniform(0, np.pi)
    down, right = (axis - at for axis, at in zip(np.ogrid[:height, :width], (row, col), strict=True))
    u = (down * np.cos(turn) + right * np.sin(turn)) / long
    v = (right * np.cos(turn) - down * np.sin(turn)) / short
    canvas += (rng.uniform(0.02, 0.18) * np.exp(-0.5 * (u**2 + v**2))).astype(np.float32)


def _newton_ring(canvas: Canvas, rng: np.random.Generator) -> None:
    """A bright dot with a dark rim, from dust or a droplet out of focus."""
    row, col = (rng.uniform(0, limit) for limit in canvas.shape)
    size = rng.uniform(4, 14) / _COARSE
    window = _grid(canvas, row, col, size * 2.5)
    far, _ = _polar(window, row, col)
    wave = np.cos(np.pi * far / size) * np.exp(-((far / size) ** 2) / 2)
    canvas[window] -= (rng.uniform(0.08, 0.4) * wave).astype(np.float32)


def _specks(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Dark dust and stain crystals, 1 to 10 px, round, angular or in grains."""
    height, width = canvas.shape
    for _ in range(int(look.specks)):
        row, col = rng.uniform(0, height), rng.uniform(0, width)
        size = float(np.exp(rng.uniform(0, np.log(6))))
        for _ in range(1 if rng.random() < 0.75 else int(rng.integers(2, 6))):
            corners = int(rng.integers(5, 9))
            angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
            far = size * rng.uniform(0.5, 1.2, corners)
            spot = np.stack([col + far * np.cos(angle), row + far * np.sin(angle)], axis=1)
            cv2.fillPoly(canvas, [np.rint(spot * 16).astype(np.int32)], float(rng.uniform(0.2, 1.3)), shift=4)
            row, col = row + rng.normal(0, 2 * size), col + rng.normal(0, 2 * size)


def _filaments(canvas: Canvas, look: Appearance, rng: np.random.Generator) -> None:
    """Thin curled fibres."""
    height, width = canvas.shape
    for _ in range(int(look.filaments)):
        heading = rng.uniform(0, 6.3) + np.cumsum(rng.normal(0, 0.25, int(rng.integers(8, 40))))
        step = rng.uniform(3, 8)
        start = np.array([rng.uniform(0, width), rng.uniform(0, height)])
        path = start + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * step, axis=0)
        cv2.polylines(
            canvas,
            [np.rint(path * 16).astype(np.int32)[:, None]],
            False,
            float(rng.uniform(0.15, 0.9)),
            int(rng.integers(1, 4)),
            cv2.LINE_8,
            4,
        )
