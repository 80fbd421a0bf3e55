"""Image -> file, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.types import Image


def write(path: Path, image: Image) -> None:
    """Write PNG, JPEG or BMP; TIFF files become OME-TIFF with the pixel size.

    Raises
    ------
    ImageError
        An ending that is not written, or a full or read-only disk.
    """
    if path.suffix.lower() in (".tif", ".tiff"):
        _write_tiff(path, image)
        return
    pixels = image.pixels[..., ::-1] if image.pixels.ndim == 3 else image.pixels
    write_bytes(path, encode(pixels, path.suffix))


def encode(pixels: NDArray[Any], ending: str) -> bytes:
    """Bytes of an image file; colour in OpenCV's order (blue, green, red)."""
    done, buffer = cv2.imencode(ending, np.ascontiguousarray(pixels))
    if not done:
        raise ImageError(f"cannot write pixels of type {pixels.dtype} as {ending}")
    return buffer.tobytes()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place, then move it there, so that none is ever half."""
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ImageError(f"{path}: cannot be written ({error.strerror}); nothing was left half") from error


def _write_tiff(path: Path, image: Image) -> None:
    size = image.pixel_size_um
    units = {
        "PhysicalSizeX": size,
        "PhysicalSizeY": size,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeYUnit": "µm",
    }
    metadata = {"axes": "YXS" if image.pixels.ndim == 3 else "YX"} | (units if size else {})
    tifffile.imwrite(path, image.pixels, ome=True, metadata=metadata, compression="zlib")
