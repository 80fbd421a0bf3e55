"""Image -> file, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any
from uuid import UUID

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
        write_bytes(path, _tiff(image, path.name), durable=False)
        return
    pixels = image.pixels[..., ::-1] if image.pixels.ndim == 3 else image.pixels
    write_bytes(path, encode(pixels, path.suffix), durable=False)


def encode(pixels: NDArray[Any], ending: str) -> bytes:
    """Bytes of an image file; colour in OpenCV's order (blue, green, red)."""
    done, buffer = cv2.imencode(ending, np.ascontiguousarray(pixels))
    if not done:
        raise ImageError(f"cannot write pixels of type {pixels.dtype} as {ending}")
    return buffer.tobytes()


def _tiff(image: Image, name: str) -> bytes:
    size = image.pixel_size_um
    units = {
        "PhysicalSizeX": size,
        "PhysicalSizeY": size,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeYUnit": "µm",
    }
    metadata = {"axes": "YXS" if image.pixels.ndim == 3 else "YX", "UUID": _uuid(image, name)} | (units if size else {})
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image.pixels, ome=True, metadata=metadata, compression="zlib")
    return buffer.getvalue()


def _uuid(image: Image, name: str) -> str:
    """The identifier that OME asks for: that of a file, the same wherever and whenever the same is written."""
    content = np.ascontiguousarray(image.pixels)
    digest = hashlib.sha256(os.fsencode(name) + f"{content.dtype} {content.shape} {image.pixel_size_um}".encode())
    digest.update(content.tobytes())
    return UUID(bytes=digest.digest()[:16], version=5).urn
