"""Frames -> the ground: what stands still, how the light flickers, how large the noise is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.flow.drift import CERTAIN, drift_between, shifted
from cytally.images.register import Float32
from cytally.images.sequences.video import Video
from cytally.progress import Progress, silent
from cytally.types import FloatArray

#: Noise of rounding to whole grey values, 1 / sqrt(12): what is left where frames are all the same.
_ROUNDING = 0.289
#: Rows worked on at once.
_ROWS = 64
#: Times that the drift is measured at most, and its change in pixels from which it is known.
_ROUNDS, _STEADY = 4, 0.1
#: Something moves where the mean of 3 x 3 pixels is so many of its own standard deviations away.
_MOVING = 9.0


@dataclass(frozen=True)
class GroundSettings:
    """How the ground is found.

    Attributes
    ----------
    frames : int
        Taken evenly from the whole video; memory holds so many, however long it is.
    stabilise : bool
        Move each frame back by its drift; otherwise a drift above `largest_drift` is refused.
    largest_drift : float
        Root mean square, pixels.
    """

    frames: int = 61
    stabilise: bool = False
    largest_drift: float = 3.0


@dataclass(frozen=True)
class Ground:
    """What does not move.

    Attributes
    ----------
    background : ndarray of shape (rows, cols), float32
        Median over time, of frames brought to one brightness; grey values.
    sigma : float
        Standard deviation of the noise of one pixel, grey values (from the median of absolute deviations).
    drift : float
        Root mean square by which the ground moved in the frames looked at, pixels; 0 where it has no
        texture to tell.
    moving : float
        Share of pixels, over the frames looked at, at which something moves.
    stabilise : bool
        Frames are moved back before the ground is subtracted.
    notes : tuple of str
        For a person to read: no motion, no texture.
    """

    background: Float32
    sigma: float
    drift: float = 0.0
    moving: float = 0.0
    stabilise: bool = False
    notes: tuple[str, ...] = ()


def ground_of(video: Video, settings: GroundSettings | None = None, progress: Progress = silent) -> Ground:
    """The ground of a video: a median over frames taken evenly from all of it.

    A cell that sticks for less than half of the video leaves no ghost, as it would in a mean.

    Parameters
    ----------
    video : Video
    settings : GroundSettings, optional
    progress : Progress

    Returns
    -------
    Ground
        `sigma` is at least the noise of rounding, so that dividing by it is safe. Where nothing
        moves, `notes` says so and `moving` is 0.

    Raises
    ------
    ImageError
        The ground moves by more than `largest_drift`, and `stabilise` is not set; a frame that cannot be read.
    """
    settings = settings or GroundSettings()
    taken = _sample(video, settings.frames, progress)
    notes: list[str] = []
    moves = _drifts(taken, notes)
    drift = float(np.sqrt((moves**2).sum(1).mean()))
    if drift > settings.largest_drift and not settings.stabilise:
        raise ImageError(
            f"expected a ground that stands still, got one that moves by {drift:.1f} pixels (root mean square, at most "
            f"{settings.largest_drift:g}); use --stabilise to move the frames back",
            shown(video.path),
        )
    if settings.stabilise:
        taken = [
            shifted(np.asarray(f, np.float32), -float(m[0]), -float(m[1])) for f, m in zip(taken, moves, strict=True)
        ]
    background = _median(taken)
    deviations = [_even(frame, background) - background for frame in taken]
    sigma = max(_ROUNDING, 1.4826 * float(np.median([np.median(np.abs(each[::3, ::3])) for each in deviations])))
    moving = float(np.mean([_moving(each / sigma) for each in deviations]))
    if not moving:
        notes.append(f"nothing moves in the {len(taken)} frames looked at; there is nothing to count")
    return Ground(background, sigma, drift, moving, settings.stabilise, tuple(notes))


def subtract(frame: NDArray[np.generic], ground: Ground) -> Float32:
    """A frame without its ground, (rows, cols) float32, signed, in units of the noise: dark cells are negative.

    Brightness is brought to that of the ground first (flicker); with `stabilise`, the frame is moved back by its drift.

    Raises
    ------
    ImageError
        A frame of another size.
    """
    if frame.shape != ground.background.shape:
        raise ImageError(f"expected a frame of the size of its ground, {ground.background.shape}, got {frame.shape}")
    pixels = np.asarray(frame, np.float32)
    if ground.stabilise:
        offset = drift_between(ground.background, pixels)
        if offset.certainty >= CERTAIN:
            pixels = shifted(pixels, -offset.row, -offset.col)
    return np.asarray((_even(pixels, ground.background) - ground.background) / np.float32(ground.sigma), np.float32)


def followed(ground: Ground, frame: NDArray[np.generic], step: float = 0.05) -> Ground:
    """The ground after one more frame: each pixel goes `step` sigma towards it (a running median).

    For light that changes over a long video. A stay of n frames moves the ground by at most n `step`
    sigma (McFarlane and Schofield 1995), so choose `step` below the contrast over the longest stay.
    """
    toward = np.sign(subtract(frame, ground)) * np.float32(step * ground.sigma)
    return replace(ground, background=np.asarray(ground.background + toward, np.float32))


def _sample(video: Video, frames: int, progress: Progress) -> list[NDArray[np.generic]]:
    wanted = np.unique(np.linspace(0, video.count - 1, min(frames, video.count)).round().astype(int))
    taken: list[NDArray[np.generic]] = []
    for number in wanted.tolist():
        taken.append(video.frame(number))
        progress("looking at the ground", len(taken), len(wanted))
    return taken


def _drifts(taken: list[NDArray[np.generic]], notes: list[str]) -> FloatArray:
    """Move of each frame against their mean place, (n, 2).

    Measured against the median over time, from which cells are gone: between two frames the same cells would be followed. Where the
    ground moves the median is blurred at first, so frames are moved back and a sharper one is made.
    """
    moves = np.zeros((len(taken), 2))
    for _ in range(_ROUNDS):
        still = _median([shifted(np.asarray(f, np.float32), -m[0], -m[1]) for f, m in zip(taken, moves, strict=True)])
        offsets = [drift_between(still, np.asarray(frame)) for frame in taken]
        found = np.array([(each.row, each.col) for each in offsets])
        found -= np.median(found, axis=0)
        steady, moves = bool(np.abs(found - moves).max() < _STEADY), found
        if steady:
            break
    certain = np.array([each.certainty >= CERTAIN for each in offsets])
    if certain.mean() < 0.5:
        notes.append("the ground has too little texture to tell whether it moves")
        return np.zeros((len(taken), 2))
    return np.where(certain[:, None], moves, 0.0)


def _median(taken: list[NDArray[np.generic]]) -> Float32:
    """Median of frames brought to one brightness, a band of rows at a time."""
    levels = np.array([_level(np.asarray(frame, np.float32)) for frame in taken], np.float32)
    gains = np.median(levels) / np.maximum(levels, 1e-6)
    rows, cols = taken[0].shape
    background = np.empty((rows, cols), np.float32)
    for row in range(0, rows, _ROWS):
        band = np.stack([np.asarray(f[row : row + _ROWS], np.float32) * g for f, g in zip(taken, gains, strict=True)])
        background[row : row + _ROWS] = np.median(band, axis=0)
    return background


def _even(frame: NDArray[np.generic], background: Float32) -> Float32:
    """The frame at the brightness of the background: the median of their ratio is 1."""
    pixels = np.asarray(frame, np.float32)
    ratio = pixels[::4, ::4] / np.maximum(background[::4, ::4], 1.0)
    gain = max(_level(np.asarray(ratio, np.float32)), 1e-6)
    return np.asarray(pixels / np.float32(gain), np.float32)


def _level(pixels: Float32) -> float:
    """Mean of the middle half: as robust against cells as the median, and not bound to whole grey values."""
    some = np.sort(pixels[::2, ::2].ravel())
    return float(some[len(some) // 4 : max(len(some) // 4 + 1, 3 * len(some) // 4)].mean())


def _moving(units: FloatArray) -> float:
    """Share of pixels at which something other than noise is seen."""
    mean = cv2.blur(np.asarray(units, np.float32), (3, 3))
    return float((np.abs(mean) > _MOVING / 3).mean())
