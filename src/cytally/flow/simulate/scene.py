"""A sequence of frames with truth, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytally.flow.simulate.channel import Channel, drive
from cytally.flow.simulate.empty import ground, pixels_differ, seen
from cytally.flow.simulate.population import Cells, Stream, flowing
from cytally.flow.simulate.shadows import masks, motion, shade
from cytally.types import FloatArray, IntArray

#: Electrons of a pixel at full scale: shot noise; read noise as a share of full scale; flicker of the lamp.
_ELECTRONS, _READ, _FLICKER = 9000.0, 0.006, 0.015


@dataclass(frozen=True)
class Scene:
    """All that makes one sequence; the same gives the same bytes.

    Attributes
    ----------
    frames, shape : int, tuple of int
        Rows and columns; the channel lies along the columns.
    cells : int
        In the picture at a time.
    kinds : tuple of str
        See `population.KINDS`.
    speed, umax : str, float
        How the speed changes (`channel.DRIVES`); the largest in the middle, pixels per frame.
    contrast : float
        Of the shadows; 1 as they usually are.
    drift : float
        Pixels by which the sensor wanders to each side: ground and cells move with it.
    fps, um_per_px, depth_um : float
        Frames per second, size of a pixel, depth of the channel.
    seed : int
    """

    frames: int = 60
    shape: tuple[int, int] = (256, 448)
    cells: int = 40
    kinds: tuple[str, ...] = ("red", "yeast", "bead")
    speed: str = "constant"
    umax: float = 8.0
    contrast: float = 1.0
    drift: float = 0.0
    fps: float = 30.0
    um_per_px: float = 1.4
    depth_um: float = 80.0
    seed: int = 1

    @property
    def channel(self) -> Channel:
        """Its walls and depth, pixels."""
        return Channel(0.06 * self.shape[0], 0.94 * self.shape[0], self.depth_um / self.um_per_px)

    @property
    def cells_per_ul(self) -> float:
        """Cells in the picture over the volume of the channel in it."""
        volume = self.channel.width * self.shape[1] * self.um_per_px**2 * self.depth_um
        return self.cells / volume * 1e9

    def offsets(self) -> FloatArray:
        """How far the picture has moved in each frame and in one more, (frames + 1, 2), rows and columns."""
        time = np.arange(self.frames + 1)
        return self.drift * np.stack([np.sin(2 * np.pi * time / 41), np.sin(2 * np.pi * time / 67)], axis=1)


@dataclass(frozen=True)
class Frame:
    """One frame and its truth.

    Attributes
    ----------
    pixels : ndarray of uint8 (rows, cols)
    labels : ndarray of int (rows, cols)
        Track of each pixel, 0 on the ground.
    flow : ndarray of float32 (2, rows, cols)
        Displacement to the next frame.
    cells, later : Cells
        Now and in the next frame, in pixels of the picture; entries at the same places are the same cell,
        but for those that left and were replaced.
    """

    pixels: NDArray[np.uint8]
    labels: IntArray
    flow: NDArray[np.float32]
    cells: Cells
    later: Cells


def scene_frames(scene: Scene) -> Iterator[Frame]:
    """Simulate frame by frame; one is in memory at a time.

    Raises
    ------
    SettingsError
        An unknown kind of cell or speed over time.
    """
    ways, sight, noise = (np.random.default_rng([part, scene.seed]) for part in (61, 62, 63))
    stream = Stream(scene.channel, scene.shape[1], scene.cells, scene.kinds, scene.umax)
    told = flowing(stream, drive(scene.speed, scene.frames, ways), ways)
    still, gain = ground(scene.channel, scene.shape, sight), pixels_differ(scene.shape, sight)
    offsets = scene.offsets()
    now = _moved(next(told), offsets[0])
    for number, later in enumerate(_moved(cells, at) for cells, at in zip(told, offsets[1:], strict=True)):
        at = (float(offsets[number, 0]), float(offsets[number, 1]))
        light = seen(still, at, scene.shape) * (1 - scene.contrast * shade(now, scene.channel.depth, scene.shape))
        mask = masks(now, scene.shape)
        lookup = np.concatenate([[0], now.track])
        yield Frame(_exposed(light * gain, noise), lookup[mask], motion(mask, now, _same(now, later)), now, later)
        now = later


def _moved(cells: Cells, offset: FloatArray) -> Cells:
    return replace(cells, row=cells.row + offset[0], col=cells.col + offset[1])


def _same(now: Cells, later: Cells) -> Cells:
    """`later`, with cells that left where they were: they are out of the picture."""
    left = later.track != now.track
    return replace(
        later, **{name: np.where(left, getattr(now, name), getattr(later, name)) for name in ("row", "col", "angle")}
    )


def _exposed(light: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Flicker, shot and read noise, 8 bits."""
    bright = light * (1 + _FLICKER * float(rng.standard_normal()))
    spread = np.sqrt(np.clip(bright, 0, None) / _ELECTRONS + _READ**2, dtype=np.float32)
    bright = bright + spread * rng.standard_normal(light.shape, np.float32)
    return np.asarray(np.clip(np.rint(255 * bright), 0, 255), np.uint8)
