"""A grey field of any brightness -> contrast about 0, the same for every lamp and camera."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError

Float32 = NDArray[np.float32]
#: Gaussian sigma in pixels of what counts as light and not as cells.
SIGMA = 40.0
#: Contrast beyond this many spreads is cut off: rims of rounded cells, specks.
LIMIT = 6.0
#: Fields that are flattened: edge in pixels, and pixels; floats of several steps must stay below 1 GB.
SMALLEST, LARGEST = 4, 64_000_000
#: Sums of intensities beyond it leave single precision.
_BRIGHTEST = 1e30
_ROWS = 256


def flatten(pixels: NDArray[np.generic], sigma: float = SIGMA) -> Float32:
    """Subtract the uneven light and divide by the spread of what is left.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, 3)
        Any integer or float type; colour becomes its mean.
    sigma : float
        Of the light, pixels.

    Returns
    -------
    ndarray of float32, shape (h, w)
        Median near 0; the spread (from the 10 and 90 % quantiles, as a normal distribution
        would have) is 1; clipped at +-6.

    Raises
    ------
    ImageError
        NaN, one brightness everywhere (empty or saturated), too small or too large.
    """
    _check_shape(pixels.shape)
    with np.errstate(over="ignore"):  # what is too large for single precision becomes infinite, and is refused
        grey = np.array(pixels, np.float32) if pixels.ndim == 2 else pixels.mean(axis=2, dtype=np.float32)
    if not np.isfinite(grey).all():
        raise ImageError("expected finite intensities, got NaN or infinity; mend the pixels or leave the image out")
    largest = max(float(grey.max()), -float(grey.min()))
    if largest > _BRIGHTEST:
        raise ImageError(f"expected intensities below {_BRIGHTEST:g}, got {largest:g}; divide them by a constant")
    first = float(grey.flat[0])
    light = cv2.GaussianBlur(cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), sigma / 4)
    rest = np.subtract(grey, cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR), out=grey)
    low, middle, high = np.percentile(rest[::2, ::2], [10, 50, 90])
    spread = max(float(high - low) / 2.563, float(rest.std()) / 4)
    if spread <= 1e-6 * max(1.0, largest):
        raise ImageError(f"expected cells on a ground, got one brightness ({first:g}) everywhere")
    for row in range(0, len(rest), _ROWS):  # in double precision, some rows at a time
        part = rest[row : row + _ROWS]
        part[:] = np.clip((part - middle) / spread, -LIMIT, LIMIT)
    return np.asarray(rest, np.float32)


def _check_shape(shape: tuple[int, ...]) -> None:
    height, width = shape[:2]
    if min(height, width) < SMALLEST or height * width > LARGEST:
        raise ImageError(
            f"expected a field of {SMALLEST} x {SMALLEST} pixels to {LARGEST // 10**6} megapixels, got {height} x {width}"
        )
