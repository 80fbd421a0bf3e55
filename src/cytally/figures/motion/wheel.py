"""Flow -> colours as on the wheel of Deschemps (2023, figure A.2): hue is direction, saturation is length."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import FloatArray, IntArray

Picture = NDArray[np.uint8]


def flow_picture(flow: FloatArray, largest: float) -> Picture:
    """Colours of a flow, (rows, cols, 3) in OpenCV's order; no motion is white.

    Parameters
    ----------
    flow : ndarray of shape (2, rows, cols)
        (d_row, d_col), pixels.
    largest : float
        Length that is fully saturated, pixels; longer ones look the same.
    """
    down, right = np.asarray(flow[0], np.float32), np.asarray(flow[1], np.float32)
    hue = np.degrees(np.arctan2(down, right)) % 360
    full = np.clip(np.hypot(down, right) / max(largest, 1e-6), 0, 1)
    hsv = np.stack([hue, full, np.ones_like(full)], axis=-1).astype(np.float32)
    return np.asarray(np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR) * 255), np.uint8)


def colour_wheel(side: int = 64) -> Picture:
    """The wheel itself: a disk of directions on white, (side, side, 3)."""
    along = np.linspace(-1, 1, side, dtype=np.float32)
    down, right = np.meshgrid(along, along, indexing="ij")
    inside = np.hypot(down, right) <= 1
    return flow_picture(np.stack([down * inside, right * inside]), 1.0)


def flow_overlay(pixels: NDArray[np.generic], labels: IntArray, flow: FloatArray, largest: float) -> Picture:
    """A frame with each object outlined in the colour of its motion, numbered, and the wheel in a corner.

    Parameters
    ----------
    pixels, labels : ndarray of shape (rows, cols)
    flow : ndarray of shape (2, rows, cols)
    largest : float
        As for `flow_picture`.
    """
    top = max(float(pixels.max()), 1.0)
    grey = np.asarray(np.asarray(pixels, np.float32) * (255 / top), np.uint8)
    shown = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    colours = flow_picture(flow, largest)
    for number in np.unique(labels[labels > 0]).tolist():
        mask = (labels == number).astype(np.uint8)
        outline = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        row, col = np.argwhere(mask)[0].tolist()
        colour = tuple(float(value) for value in np.median(colours[mask > 0], axis=0))
        cv2.drawContours(shown, outline, -1, colour, 1)
        cv2.putText(shown, str(number), (col + 5, max(8, row - 3)), cv2.FONT_HERSHEY_PLAIN, 0.7, (40, 40, 40), 1)
    wheel = colour_wheel(min(48, pixels.shape[0] // 4))
    shown[-len(wheel) - 4 : -4, 4 : 4 + len(wheel)] = wheel
    return np.asarray(shown, np.uint8)
