"""Image -> file, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from uuid import UUID

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.types import Image

#: Kinds of numbers that OME-TIFF has, by their letters and bytes in NumPy.
_OME = ("b1", "u1", "u2", "u4", "i1", "i2", "i4", "f4", "f8", "c8", "c16")


def write(path: Path, image: Image, *, hours: float | None = None) -> None:
    """Write PNG, JPEG or BMP; TIFF files become OME-TIFF with the pixel size.

    Parameters
    ----------
    path : Path
    image : Image
    hours : float, optional
        To the next image of a sequence; TIFF files keep it.

    Raises
    ------
    ImageError
        An ending, or a kind of numbers, that is not written.
    OutputError
        A full or read-only disk.
    """
    if path.suffix.lower() in (".tif", ".tiff"):
        write_bytes(path, _tiff(path, image, hours), durable=False)
        return
    pixels = image.pixels[..., ::-1] if image.pixels.ndim == 3 else image.pixels
    write_bytes(path, encode(pixels, path.suffix), durable=False)


def encode(pixels: NDArray[np.generic], ending: str) -> bytes:
    """Bytes of an image file; colour in OpenCV's order (blue, green, red)."""
    done, buffer = cv2.imencode(ending, np.ascontiguousarray(pixels))
    if not done:
        raise ImageError(f"cannot write pixels of type {pixels.dtype} as {ending}")
    return buffer.tobytes()


def _tiff(path: Path, image: Image, hours: float | None) -> bytes:
    kind = image.pixels.dtype
    if f"{kind.kind}{kind.itemsize}" not in _OME:
        raise ImageError(f"{shown(path)}: expected pixels of 8, 16 or 32 bits, got {kind}; save the image with those")
    size = image.pixel_size_um
    axes = "YXS" if image.pixels.ndim == 3 else "YX"
    metadata: dict[str, object] = {"axes": axes, "UUID": _uuid(image, path.name, hours)}
    if size:
        metadata |= {"PhysicalSizeX": size, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": size, "PhysicalSizeYUnit": "µm"}
    if hours:
        metadata |= {"TimeIncrement": hours * 3600, "TimeIncrementUnit": "s"}
    buffer = io.BytesIO()
    look = "minisblack" if image.pixels.ndim == 2 else None  # the library takes single bits for ink on paper
    tifffile.imwrite(buffer, image.pixels, ome=True, metadata=metadata, compression="zlib", photometric=look)
    return buffer.getvalue()


def _uuid(image: Image, name: str, hours: float | None) -> str:
    """The identifier that OME asks for: that of a file, the same wherever and whenever the same is written."""
    content = np.ascontiguousarray(image.pixels)
    about = f"{content.dtype} {content.shape} {image.pixel_size_um} {hours}"
    digest = hashlib.sha256(os.fsencode(name) + about.encode())
    digest.update(content.tobytes())
    return UUID(bytes=digest.digest()[:16], version=5).urn
