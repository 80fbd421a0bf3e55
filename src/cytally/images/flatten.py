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
        NaN, or one brightness everywhere (empty or saturated).
    """
    grey = np.asarray(pixels, np.float32)
    grey = grey.mean(axis=2) if grey.ndim == 3 else grey
    if not np.isfinite(grey).all():
        raise ImageError(
            "expected finite intensities, got NaN or infinity; mend the pixels or leave the image out"
        )
    light = cv2.GaussianBlur(
        cv2.resize(grey, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), sigma / 4
    )
    rest = grey - cv2.resize(light, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    low, middle, high = np.percentile(rest[::2, ::2], [10, 50, 90])
    spread = max(float(high - low) / 2.563, float(rest.std()) / 4)
    if spread <= 1e-6 * max(1.0, float(np.abs(grey).max())):
        raise ImageError(
            f"expected cells on a ground, got one brightness ({float(grey.flat[0]):g}) everywhere"
        )
    return np.asarray(np.clip((rest - middle) / spread, -LIMIT, LIMIT), np.float32)
