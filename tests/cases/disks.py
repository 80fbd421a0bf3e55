"""Moving disks on an empty ground, in units of noise: cells, flow and crossings known by hand.

   ->  ->  ->
.  O   .   O  .      a row of dark disks that move right, one more row faster,
.  .   .   .  .      soft edges by their covered area, noise of 1 sigma
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_CONTRAST = -25.0


@dataclass(frozen=True)
class Disk:
    """A disk with its place in frame 0 and its way per frame, pixels."""

    row: float
    col: float
    d_row: float = 0.0
    d_col: float = 0.0
    radius: float = 5.0

    def at(self, time: float) -> tuple[float, float]:
        """Its centre at a time."""
        return self.row + self.d_row * time, self.col + self.d_col * time


def _cover(disk: Disk, time: float, shape: tuple[int, int]) -> np.ndarray:
    """Share of each pixel that the disk covers, to first order."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    row, col = disk.at(time)
    return np.clip(disk.radius + 0.5 - np.hypot(rows - row, cols - col), 0, 1)


def frame_of(disks: list[Disk], time: float, shape: tuple[int, int] = (96, 160), seed: int = 0) -> np.ndarray:
    """A frame minus the ground, in units of noise; disks have a spot, so that they have texture."""
    picture = np.random.default_rng(seed + int(1000 * time)).normal(0, 1, shape)
    for disk in disks:
        row, col = disk.at(time)
        spot = Disk(row + 1.5, col - 1.0, radius=1.5)
        picture += _CONTRAST * _cover(disk, time, shape) + 0.5 * _CONTRAST * _cover(spot, 0, shape)
    return picture.astype(np.float32)


def labels_of(disks: list[Disk], time: float, shape: tuple[int, int] = (96, 160)) -> np.ndarray:
    """Each disk's number from 1, 0 on the ground."""
    labels = np.zeros(shape, np.int32)
    for number, disk in enumerate(disks, start=1):
        labels[_cover(disk, time, shape) >= 0.5] = number
    return labels
