"""Masks of numbered objects on disk, and images without their colour."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import LabelError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.images.read import read
from cytally.types import Image, IntArray

#: More objects than any field has; measurements make a list as long as the largest number.
LARGEST_NUMBER = 2**24 - 1


def write_mask(path: Path, labels: IntArray) -> None:
    """Write a mask of numbered objects as 16-bit TIFF, whole or not at all.

    Raises
    ------
    LabelError
        More objects than 16 bits can number.
    """
    if labels.size and labels.max() > 65535:
        raise LabelError(f"{path}: expected at most 65535 objects in a mask, got {labels.max()}; cut the image")
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, labels.astype(np.uint16), compression="zlib")
    write_bytes(path, buffer.getvalue(), durable=False)  # it can be made again


def read_numbers(path: Path) -> IntArray:
    """Numbers of a mask as stored, (h, w); a palette or an inverted look is not applied.

    Raises
    ------
    LabelError
        Colour, not whole numbers, negative ones, or larger ones than objects can have.
    ImageError
        No readable image.
    """
    pixels = read(path, as_numbers=True).pixels
    if pixels.ndim != 2 or pixels.dtype.kind not in "uib":
        raise LabelError(
            f"{shown(path)}: expected a grey mask of whole numbers, got {pixels.dtype} of shape {pixels.shape}"
        )
    low, high = int(pixels.min()), int(pixels.max())
    if low < 0 or high > LARGEST_NUMBER:
        raise LabelError(
            f"{shown(path)}: expected numbers of objects from 0 to {LARGEST_NUMBER}, got {low if low < 0 else high}; "
            "is it a mask?"
        )
    return np.asarray(pixels, np.int32)


def read_mask(path: Path) -> IntArray:
    """A mask of numbered objects, from numbers or from 0 and 255 (or 1), whose parts that touch are one.

    Raises
    ------
    LabelError
        Colour, or not whole numbers.
    ImageError
        No readable image.
    """
    numbers = read_numbers(path)
    values = np.unique(numbers)
    if len(values) <= 2 and values[-1] in (1, 255):
        return np.asarray(cv2.connectedComponents((numbers > 0).astype(np.uint8), connectivity=8)[1], np.int32)
    return numbers


def grey(image: Image) -> NDArray[np.generic]:
    """Pixels without colour; the strongest channel of a coloured picture of one stain."""
    return np.asarray(image.pixels.max(axis=2)) if image.pixels.ndim == 3 else image.pixels
