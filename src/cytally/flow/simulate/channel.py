"""Laminar flow in a channel of rectangular section, and how the pump drives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cytally.errors import SettingsError
from cytally.types import FloatArray

#: Odd terms of the series; those behind them change no speed by more than 1e-6 of the largest.
_TERMS = 2 * np.arange(60) + 1


@dataclass(frozen=True)
class Channel:
    """A channel along the columns of the picture.

    Attributes
    ----------
    top, bottom : float
        Rows of its two walls.
    depth : float
        Along the light, in pixels.
    """

    top: float
    bottom: float
    depth: float

    @property
    def width(self) -> float:
        """Between the walls, pixels."""
        return self.bottom - self.top

    def speed(self, row: FloatArray, z: FloatArray) -> FloatArray:
        """Speed of the fluid as a share of that in the middle; 0 on the walls.

        The series of Poiseuille flow in a rectangle (White, Viscous Fluid Flow, eq. 3-48).

        Parameters
        ----------
        row, z : ndarray of shape (n,)
            z from 0 (at the sensor) to the depth; both are moved to the nearest place within the channel.
        """
        middle = np.array([0.0])
        return np.asarray(
            self._series(row, z) / self._series(self.top + self.width / 2 + middle, self.depth / 2 + middle)
        )

    def mean(self) -> float:
        """Mean speed over the section as a share of that in the middle."""
        ratio = self.depth / self.width
        terms = np.tanh(_TERMS * np.pi / (2 * ratio)) / _TERMS**5.0
        mean = self.depth**2 / 12 * (1 - 192 / np.pi**5 * ratio * terms.sum())
        peak = self._series(np.array([self.top + self.width / 2]), np.array([self.depth / 2]))
        return float(mean / peak[0])

    def turning(self, row: FloatArray, z: FloatArray) -> FloatArray:
        """Radians by which a small body turns while the middle flows by one pixel: half the shear.

        Angles run from columns towards rows.
        """
        step = 1e-3 * self.width
        return np.asarray(-(self.speed(row + step, z) - self.speed(row - step, z)) / (4 * step))

    def _series(self, row: FloatArray, z: FloatArray) -> FloatArray:
        """Speed for a fall of pressure over viscosity of 1 per square pixel."""
        across = np.abs(np.clip(row, self.top, self.bottom) - self.top - self.width / 2)[:, None]
        order = _TERMS * np.pi / self.depth
        half = self.width / 2
        # cosh(order across) / cosh(order half), without their overflow
        fall = np.exp(order * (across - half)) * (1 + np.exp(-2 * order * across)) / (1 + np.exp(-2 * order * half))
        waves = np.sin(order * np.clip(z, 0, self.depth)[:, None])
        return np.asarray(4 * self.depth**2 / np.pi**3 * (waves * (1 - fall) / _TERMS**3.0).sum(axis=1))


def _constant(time: FloatArray, _rng: np.random.Generator) -> FloatArray:
    return np.ones_like(time)


def _sinusoid(time: FloatArray, _rng: np.random.Generator) -> FloatArray:
    return np.asarray(0.53 + 0.47 * np.cos(2 * np.pi * time / 60))


def _steps(time: FloatArray, rng: np.random.Generator) -> FloatArray:
    levels = rng.choice([0.1, 0.3, 0.6, 1.0], size=int(time[-1]) // 20 + 1)
    return np.asarray(levels[time.astype(int) // 20])


def _pulsatile(time: FloatArray, _rng: np.random.Generator) -> FloatArray:
    phase = (time / 30) % 1.0
    return np.asarray(0.25 + 0.75 * np.exp(-(((phase - 0.3) / 0.14) ** 2)))


#: How the speed in the middle changes over time, as a share of the largest.
DRIVES: dict[str, Callable[[FloatArray, np.random.Generator], FloatArray]] = {
    "constant": _constant,
    "sinusoid": _sinusoid,
    "steps": _steps,
    "pulsatile": _pulsatile,
}


def drive(name: str, frames: int, rng: np.random.Generator) -> FloatArray:
    """Speed in the middle from each frame to the next, (frames,), as a share of the largest.

    Raises
    ------
    SettingsError
        A name that is none of DRIVES.
    """
    if name not in DRIVES:
        raise SettingsError(f"expected a speed over time out of {', '.join(DRIVES)}, got {name}")
    return DRIVES[name](np.arange(frames, dtype=float), rng)
