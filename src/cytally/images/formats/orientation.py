"""How a picture is turned, as TIFF (6.0, tag 274) and EXIF number it."""

from __future__ import annotations

import numpy as np

from cytally.types import Pixels


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Pixels turned as an orientation says.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, 3)
    orientation : int
        1 to 8; 1, and what is no orientation, leaves them as they are.

    Examples
    --------
    >>> upright(np.array([[1, 2]]), 6).tolist(), upright(np.array([[1, 2]]), 3).tolist()
    ([[1], [2]], [[2, 1]])
    """
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
