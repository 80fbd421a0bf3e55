"""A real unexposed metaphase, taken apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.chromosomes.segment import Outline, Segmented, segment
from cytally.dosimetry.chromosomes.upright import Upright, cut_out
from cytally.dosimetry.density import optical_density
from cytally.types import Image

Float32 = NDArray[np.float32]

#: Fewer single chromosomes with a visible centromere than this, and a field stays as it is:
#: where chromatids have parted, what looks single may be half a chromosome.
FEWEST = 8
#: Margin kept around the chromosomes of a field, in chromosome sizes.
_MARGIN = 4.0


@dataclass(frozen=True)
class Field:
    """A real unexposed metaphase, taken apart.

    Attributes
    ----------
    density : ndarray of float32, shape (h, w)
    segmented : Segmented
    uprights : tuple of Upright
        One per chromosome of `segmented`; empty where the field must stay as it is.
    source : str
    """

    density: Float32
    segmented: Segmented
    uprights: tuple[Upright, ...]
    source: str

    @staticmethod
    def of(image: Image) -> Field:
        """Take a field apart.

        Raises
        ------
        ImageError
            The image cannot be used, or nothing in it looks like chromosomes.
        """
        density = optical_density(image)
        parts = segment(density, image.source)
        density, parts = _cropped(density, parts)
        uprights = tuple(cut_out(density, outline, parts) for outline in parts.chromosomes)
        able = sum(len(u.centromeres) > 0 for u in uprights) >= FEWEST
        return Field(density, parts, uprights if able else (), image.source)


def _cropped(density: Float32, parts: Segmented) -> tuple[Float32, Segmented]:
    """The part of a field around its chromosomes; far nuclei and empty slide teach little."""
    if not parts.chromosomes:
        return density, parts
    middles = np.array([outline.middle for outline in parts.chromosomes])
    low = np.maximum(np.percentile(middles, 2, axis=0) - _MARGIN * parts.size, 0).astype(int)
    high = (np.percentile(middles, 98, axis=0) + _MARGIN * parts.size).astype(int)
    window = (slice(low[0], high[0]), slice(low[1], high[1]))
    inside = [o for o in parts.chromosomes if (low < o.middle).all() and (o.middle < high).all()]
    moved = tuple(replace(o, top=o.top - low[0], left=o.left - low[1]) for o in inside)
    shape = density[window].shape
    whole = tuple(o for o in moved if _inside(o, shape))
    return density[window].copy(), replace(parts, chromosomes=whole, occupied=parts.occupied[window].copy())


def _inside(outline: Outline, shape: tuple[int, ...]) -> bool:
    far = (outline.top + outline.mask.shape[0], outline.left + outline.mask.shape[1])
    return min(outline.top, outline.left) >= 0 and far[0] <= shape[0] and far[1] <= shape[1]
