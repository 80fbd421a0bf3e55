"""The channel without cells: uneven light, two walls, debris that lies on the glass, pixels that differ."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.flow.simulate.channel import Channel

Float32 = NDArray[np.float32]
#: Pixels of the ground beyond the picture, for when it moves.
REACH = 24
#: Specks on a picture of 1920 x 1080 pixels, fewest and most; the picture is as bright as this.
_SPECKS, LIGHT = (20, 60), 0.66


def ground(channel: Channel, shape: tuple[int, int], rng: np.random.Generator) -> Float32:
    """Light that reaches the sensor, (rows + 2 REACH, cols + 2 REACH), 1 is full scale."""
    tall, wide = shape[0] + 2 * REACH, shape[1] + 2 * REACH
    rows, cols = np.arange(tall) - REACH, np.arange(wide) - REACH
    down, right = (rows / shape[0] - 0.45)[:, None], (cols / shape[1] - 0.55)[None]
    picture = LIGHT * (1 - 0.25 * (down**2 + right**2))
    clouds = cv2.GaussianBlur(rng.standard_normal((tall, wide)).astype(np.float32), (0, 0), 12)
    picture *= 1 + 0.012 * clouds / clouds.std()
    picture *= _walls(rows.astype(float), channel)[:, None]
    picture -= _debris((tall, wide), rng)
    return np.asarray(picture, np.float32)


def pixels_differ(shape: tuple[int, int], rng: np.random.Generator) -> Float32:
    """Gain of each pixel of the sensor, which does not move with the ground."""
    return np.asarray(1 + 0.008 * rng.standard_normal(shape), np.float32)


def seen(picture: Float32, offset: tuple[float, float], shape: tuple[int, int]) -> Float32:
    """What the sensor sees of the ground when it has moved by `offset` (rows, columns).

    Moved by a phase in the Fourier plane, so that it is as sharp wherever it lies.
    """
    if offset == (0.0, 0.0):
        return picture[REACH : REACH + shape[0], REACH : REACH + shape[1]]
    padded = np.pad(picture, REACH, mode="reflect")
    turns = np.fft.fftfreq(padded.shape[0])[:, None] * offset[0] + np.fft.rfftfreq(padded.shape[1])[None] * offset[1]
    moved = np.fft.irfft2(np.fft.rfft2(padded) * np.exp(-2j * np.pi * turns), s=padded.shape)
    cut = moved[2 * REACH : 2 * REACH + shape[0], 2 * REACH : 2 * REACH + shape[1]]
    return np.asarray(cut, np.float32)


def _walls(rows: NDArray[np.float64], channel: Channel) -> NDArray[np.float64]:
    """Each wall a dark band with fainter fringes on both sides; the material beyond passes less light."""
    share = np.ones_like(rows)
    for wall, inwards in ((channel.top, 1.0), (channel.bottom, -1.0)):
        away = (rows - wall) * inwards
        share -= 0.42 * np.exp(-((away + 2.5) ** 2) / 6.0)
        share += 0.07 * np.cos(np.sign(away) * np.sqrt(np.abs(away)) * 2.6 - 1.0) * np.exp(-np.abs(away) / 9.0)
        share -= 0.10 / (1 + np.exp(np.clip(away * 1.5, -60, 60)))
    return share


def _debris(shape: tuple[int, int], rng: np.random.Generator) -> Float32:
    """Darkness of specks with their rings."""
    count = max(3, round(float(rng.uniform(*_SPECKS)) * shape[0] * shape[1] / (1920 * 1080)))
    picture = np.zeros(shape, np.float32)
    for row, col, radius, dark in zip(
        rng.uniform(0, shape[0], count),
        rng.uniform(0, shape[1], count),
        rng.uniform(1.5, 7, count),
        rng.uniform(0.1, 0.35, count),
        strict=True,
    ):
        half = int(4 * radius) + 2
        top, left = max(0, int(row) - half), max(0, int(col) - half)
        down = np.arange(top, min(shape[0], int(row) + half))[:, None] - row
        right = np.arange(left, min(shape[1], int(col) + half))[None] - col
        away = np.sqrt(down**2 + (right * rng.uniform(0.7, 1.4)) ** 2) / radius
        speck = dark * (np.exp(-(away**4)) - 0.35 * np.exp(-(((away - 1.7) / 0.35) ** 2)))
        picture[top : top + len(down), left : left + right.shape[1]] += speck.astype(np.float32)
    return picture
