"""Flow -> .flo (Middlebury) and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.atomic import write_bytes
from cytally.files.names import shown
from cytally.types import FloatArray

_MAGIC = b"PIEH"


def write_flow(path: Path, flow: FloatArray) -> None:
    """Write a flow (2, rows, cols) of (d_row, d_col) in pixels; the file holds (u, v) = (d_col, d_row), float32."""
    rows, cols = flow.shape[1:]
    values = np.stack([flow[1], flow[0]], axis=-1).astype("<f4")
    write_bytes(path, _MAGIC + np.array([cols, rows], "<i4").tobytes() + values.tobytes(), durable=False)


def read_flow(path: Path) -> NDArray[np.float32]:
    """Read a .flo file as (2, rows, cols): (d_row, d_col) in pixels.

    Raises
    ------
    ImageError
        No .flo file, or one cut off.
    """
    content = path.read_bytes()
    if content[:4] != _MAGIC or len(content) < 12:
        raise ImageError("expected a flow (.flo, Middlebury), got something else", shown(path))
    cols, rows = np.frombuffer(content[4:12], "<i4").tolist()
    if min(rows, cols) < 1 or len(content) != 12 + 8 * rows * cols:
        raise ImageError(
            f"expected a flow of {rows} x {cols} pixels, got {len(content)} bytes; copy it again", shown(path)
        )
    values = np.frombuffer(content[12:], "<f4").reshape(rows, cols, 2)
    return np.stack([values[..., 1], values[..., 0]]).astype(np.float32)
