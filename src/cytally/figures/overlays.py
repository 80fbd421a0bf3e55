"""Image and Detections -> pictures to look at: an overlay per cell, a crop per detection."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.types import Detections, Image

Picture = NDArray[np.uint8]

#: Colour (red, green, blue) of each class; safe for colour-blind eyes.
COLOURS = {"dicentric": (213, 44, 32), "fragment": (0, 114, 178), "ring": (204, 121, 167)}
_OTHER = (0, 158, 115)
_ROWS = 64


def viewable(image: Image) -> Picture:
    """Any grey or colour image as 8-bit RGB, stretched between its 0.5 and 99.5 percentiles."""
    return _stretched(image.pixels, *_limits(image))


def _limits(image: Image) -> tuple[float, float]:
    low, high = np.percentile(image.pixels[::4, ::4].astype(np.float32), (0.5, 99.5))
    return low, high


def _stretched(pixels: NDArray[np.generic], low: float, high: float) -> Picture:
    """Some rows at a time: floats of a whole field would need half a gigabyte."""
    picture = np.empty((*pixels.shape[:2], 3), np.uint8)
    for start in range(0, len(pixels), _ROWS):
        part = pixels[start : start + _ROWS].astype(np.float32)
        scaled = np.clip((part - low) * (255 / max(float(high - low), 1e-6)), 0, 255)
        picture[start : start + _ROWS] = scaled if scaled.ndim == 3 else scaled[..., None]
    return picture


def overlay(image: Image, found: Detections, radius: float = 30.0) -> Picture:
    """Circles around detections, with the verifiers' probability or else the votes beside them.

    Parameters
    ----------
    image : Image
    found : Detections
        In pixels of the image.
    radius : float
        Of the circles, pixels.
    """
    picture = viewable(image)
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


def tinted(image: Image, values: NDArray[np.floating], strength: float = 0.75) -> Picture:
    """A grey picture in which places of a high value turn from yellow to red.

    Parameters
    ----------
    image : Image
    values : ndarray of shape (h, w)
        In [0, 1], at every pixel of the image.
    strength : float
        How much of the picture a value of 1 covers.
    """
    grey = viewable(image).mean(axis=2, keepdims=True)
    share = (np.clip(values, 0, 1) * strength)[..., None]
    colour = np.concatenate(
        [np.full_like(share, 255), 255 * (1 - share / strength * 0.9), np.zeros_like(share)], axis=2
    )
    return np.asarray(np.rint(grey * (1 - share) + colour * share), np.uint8)


def crop_around(image: Image, row: float, col: float, side: int) -> Picture:
    """Square crop (side, side, 3) around a place; beyond the border it is white."""
    place, border = _square(image.shape, row, col, side)
    return _framed(_stretched(image.pixels[place], *_limits(image)), border)


def cut_out(picture: Picture, row: float, col: float, side: int) -> Picture:
    """The same from a picture that is viewable already."""
    place, border = _square(picture.shape[:2], row, col, side)
    return _framed(picture[place], border)


def _square(shape: tuple[int, ...], row: float, col: float, side: int) -> tuple[tuple[slice, ...], list[int]]:
    """The part of a picture within a square around a place, and how much of it lies above, below, left and right."""
    place, border = [], []
    for middle, size in zip((row, col), shape, strict=True):
        start = max(int(round(middle)), 0) - side // 2
        inside = slice(max(start, 0), max(min(start + side, size), 0))
        before = max(-start, 0)
        place.append(inside)
        border += [before, max(side - before - (inside.stop - inside.start), 0)]
    return tuple(place), border


def _framed(picture: Picture, border: list[int]) -> Picture:
    above, below, left, right = border
    white = (255, 255, 255)
    framed = cv2.copyMakeBorder(picture, above, below, left, right, cv2.BORDER_CONSTANT, value=white)
    return np.asarray(framed, np.uint8)


def shrunk(picture: Picture, side: int) -> Picture:
    """A square picture at most `side` pixels wide."""
    if picture.shape[0] <= side:
        return picture
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def sheet(pictures: Sequence[Picture], columns: int, gap: int = 6) -> Picture:
    """Pictures of one size side by side on white."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    page: Picture = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        top, left = gap + (k // columns) * (height + gap), gap + (k % columns) * (width + gap)
        page[top : top + height, left : left + width] = picture
    return page
