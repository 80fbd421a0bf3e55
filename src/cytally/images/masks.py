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
from cytally.images.read import read
from cytally.types import Image, IntArray


def write_mask(path: Path, labels: IntArray) -> None:
    """Write a mask of numbered objects as 16-bit TIFF, whole or not at all.

    Raises
    ------
    LabelError
        More objects than 16 bits can number.
    """
    if labels.size and labels.max() > 65535:
        raise LabelError(
            f"{path}: expected at most 65535 objects in a mask, got {labels.max()}; cut the image"
        )
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, labels.astype(np.uint16), compression="zlib")
    write_bytes(path, buffer.getvalue(), durable=False)  # it can be made again


def read_mask(path: Path) -> IntArray:
    """A mask of numbered objects, from numbers or from 0 and 255 (or 1), whose parts that touch are one.

    Raises
    ------
    LabelError
        Colour, or not whole numbers.
    """
    pixels = read(path).pixels
    if pixels.ndim != 2 or pixels.dtype.kind not in "uib":
        raise LabelError(
            f"{path}: expected a grey mask of whole numbers, got {pixels.dtype} of shape {pixels.shape}"
        )
    values = np.unique(pixels)
    if len(values) <= 2 and values[-1] in (1, 255):
        return np.asarray(cv2.connectedComponents((pixels > 0).astype(np.uint8), connectivity=8)[1], np.int32)
    return np.asarray(pixels, np.int32)


def grey(image: Image) -> NDArray[np.generic]:
    """Pixels without colour; the strongest channel of a coloured picture of one stain."""
    return np.asarray(image.pixels.max(axis=2)) if image.pixels.ndim == 3 else image.pixels
