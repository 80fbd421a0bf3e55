"""Masks over pictures: outlines, agreement in colour, tracks, sheets with captions.

Pictures for files are in OpenCV's order (blue, green, red).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.figures.overlays import sheet, viewable
from cytally.files.names import shown
from cytally.segmentation.regions import centres, inner_boundaries
from cytally.types import FloatArray, Image, IntArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]
GREEN, RED, BLUE = (60, 190, 60), (40, 40, 220), (230, 120, 30)


def outlined(pixels: NDArray[np.generic], labels: IntArray, colour: Colour = GREEN) -> Picture:
    """A grey picture, stretched, with objects outlined."""
    picture = viewable(Image(pixels))[..., ::-1].copy()
    picture[inner_boundaries(labels)] = colour
    return picture


def numbered(pixels: NDArray[np.generic], labels: IntArray) -> Picture:
    """Outlined objects, each with its number beside it, as experts tick them off."""
    picture = outlined(pixels, labels)
    for number, (row, col) in enumerate(centres(labels), start=1):
        place = (int(col) + 6, int(row) - 4)
        for ink, thick in (((0, 0, 0), 2), ((255, 255, 255), 1)):
            cv2.putText(picture, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.35, ink, thick, cv2.LINE_AA)
    return picture


def agreement(predicted: NDArray[np.bool_], truth: NDArray[np.bool_], pixels: NDArray[np.generic]) -> Picture:
    """Green where both say nucleus, red the prediction only, blue the label only (thesis figure 5.6)."""
    picture = viewable(Image(pixels))[..., ::-1].astype(np.float32)
    for where, colour in ((predicted & truth, GREEN), (predicted & ~truth, RED), (truth & ~predicted, BLUE)):
        picture[where] = 0.45 * picture[where] + 0.55 * np.array(colour)
    return picture.astype(np.uint8)


def tracked(pixels: NDArray[np.generic], labels: IntArray, tails: dict[int, FloatArray]) -> Picture:
    """A frame with every track in its colour and the way it came as a tail (n, 2) of (row, col)."""
    picture = viewable(Image(pixels))[..., ::-1].copy()
    edge = inner_boundaries(labels)
    picture[edge] = palette(int(labels.max(initial=0)))[labels[edge]]
    for number, places in tails.items():
        points = np.rint(places[:, ::-1] * 8).astype(np.int32)
        colour = tuple(int(v) for v in palette(number)[number])
        cv2.polylines(picture, [points], False, colour, 1, cv2.LINE_AA, shift=3)
    return picture


def palette(highest: int) -> NDArray[np.uint8]:
    """A bright colour for each number 0..highest; neighbours in number differ in hue."""
    hue = (np.arange(highest + 1) * 67 % 180).astype(np.uint8)
    full = np.stack([hue, np.full_like(hue, 200), np.full_like(hue, 255)], axis=1)[None]
    return np.asarray(cv2.cvtColor(full, cv2.COLOR_HSV2BGR)[0], np.uint8)


def contact_sheet(tiles: Sequence[tuple[Picture, str, Colour]], columns: int = 4, width: int = 360) -> Picture:
    """Pictures of any size with a caption each, framed in its colour."""
    if not tiles:
        return np.full((40, width, 3), 255, np.uint8)
    height = max(round(picture.shape[0] * width / picture.shape[1]) for picture, _, _ in tiles)
    return sheet([_captioned(*tile, width, height) for tile in tiles], min(columns, len(tiles)))


def _captioned(picture: Picture, words: str, colour: Colour, width: int, height: int) -> Picture:
    rows = min(height, round(picture.shape[0] * width / picture.shape[1]))
    small = cv2.resize(picture, (width, rows), interpolation=cv2.INTER_AREA)
    lines = _wrapped(shown(words), width // 6)  # OpenCV crashes on a name that is not text
    page = np.full((height + 14 * 3 + 6, width, 3), 255, np.uint8)
    page[:rows] = small
    cv2.rectangle(page, (0, 0), (width - 1, rows - 1), colour, 3)
    for k, line in enumerate(lines[:3]):
        cv2.putText(
            page,
            line,
            (2, height + 13 + 14 * k),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.37,
            (60, 50, 40),
            1,
            cv2.LINE_AA,
        )
    return page


def _wrapped(words: str, longest: int) -> list[str]:
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + len(word) >= longest:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
