"""Image and Detections -> pictures to look at: an overlay per cell, a crop per detection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import Detections, Image

Picture = NDArray[np.uint8]

#: Colour (red, green, blue) of each class; safe for colour-blind eyes.
COLOURS = {"dicentric": (213, 44, 32), "fragment": (0, 114, 178), "ring": (204, 121, 167)}
_OTHER = (0, 158, 115)


def viewable(image: Image) -> Picture:
    """Any grey or colour image as 8-bit RGB, stretched between its 0.5 and 99.5 percentiles."""
    pixels = image.pixels.astype(np.float32)
    low, high = np.percentile(pixels[::4, ::4], (0.5, 99.5))
    scaled = np.clip((pixels - low) * (255 / max(float(high - low), 1e-6)), 0, 255).astype(np.uint8)
    return scaled if scaled.ndim == 3 else np.repeat(scaled[..., None], 3, axis=2)


def overlay(image: Image, found: Detections, radius: float = 30.0) -> Picture:
    """Circles around detections, with the readers' probability or else the votes beside them.

    Parameters
    ----------
    image : Image
    found : Detections
        In pixels of the image.
    radius : float
        Of the circles, pixels.
    """
    picture = viewable(image).copy()
    thick = max(int(round(min(image.shape) / 450)), 1)
    for k, name in enumerate(found.names):
        centre = int(round(float(found.col[k]))), int(round(float(found.row[k])))
        colour = COLOURS.get(name, _OTHER)
        cv2.circle(picture, centre, int(radius), colour, thick, cv2.LINE_AA)
        read = found.probability[k]
        sure = f"{read:.2f}" if np.isfinite(read) else f"{found.votes[k]}/{found.members}"
        text = f"{name[0].upper()} {sure}"
        beside = centre[0] + int(radius * 0.75), centre[1] - int(radius * 0.75)
        cv2.putText(picture, text, beside, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * thick, colour, thick, cv2.LINE_AA)
    return picture


def crop_around(image: Image, row: float, col: float, side: int) -> Picture:
    """Square crop (side, side, 3) around a place; beyond the border it is white."""
    return cut_out(viewable(image), row, col, side)


def cut_out(picture: Picture, row: float, col: float, side: int) -> Picture:
    """The same from a picture that is viewable already."""
    half = side // 2
    padded = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    top, left = max(int(round(row)), 0), max(int(round(col)), 0)
    return np.asarray(padded[top : top + side, left : left + side], np.uint8)


def shrunk(picture: Picture, side: int) -> Picture:
    """A square picture at most `side` pixels wide."""
    if picture.shape[0] <= side:
        return picture
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def sheet(pictures: Sequence[Picture], columns: int, gap: int = 6) -> Picture:
    """Pictures of one size side by side on white."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    page: NDArray[Any] = np.full(
        (rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8
    )
    for k, picture in enumerate(pictures):
        top, left = gap + (k // columns) * (height + gap), gap + (k % columns) * (width + gap)
        page[top : top + height, left : left + width] = picture
    return page
