"""Image -> file, whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.atomic import write_bytes
from cytally.types import Image


def write(path: Path, image: Image) -> None:
    """Write PNG, JPEG or BMP; TIFF files become OME-TIFF with the pixel size.

    Raises
    ------
    ImageError
        An ending that is not written.
    OutputError
        A full or read-only disk.
    """
    if path.suffix.lower() in (".tif", ".tiff"):
        write_bytes(path, _tiff(image), durable=False)
        return
    pixels = image.pixels[..., ::-1] if image.pixels.ndim == 3 else image.pixels
    write_bytes(path, encode(pixels, path.suffix), durable=False)


def encode(pixels: NDArray[Any], ending: str) -> bytes:
    """Bytes of an image file; colour in OpenCV's order (blue, green, red)."""
    done, buffer = cv2.imencode(ending, np.ascontiguousarray(pixels))
    if not done:
        raise ImageError(f"cannot write pixels of type {pixels.dtype} as {ending}")
    return buffer.tobytes()


def _tiff(image: Image) -> bytes:
    size = image.pixel_size_um
    units = {
        "PhysicalSizeX": size,
        "PhysicalSizeY": size,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeYUnit": "µm",
    }
    metadata = {"axes": "YXS" if image.pixels.ndim == 3 else "YX"} | (units if size else {})
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image.pixels, ome=True, metadata=metadata, compression="zlib")
    return buffer.getvalue()
