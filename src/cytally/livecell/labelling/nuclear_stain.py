"""Stained nuclei -> a mask of single nuclei, with nobody drawing one.

The chain of Salomon-Sorensen 2023 (section 5.2.3): CLAHE, then what CellProfiler's
IdentifyPrimaryObjects does with an adaptive Otsu threshold. In its order: threshold,
fill holes, label, part clumps, drop what touches the border, drop by size, fill holes,
number again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError, SettingsError
from cytally.segmentation.contrast import standing_out
from cytally.segmentation.declump import Declumping, areas, declump, kept, relabelled, typical_area
from cytally.segmentation.outline import at_half_height
from cytally.segmentation.threshold import adaptive_threshold
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
#: At twice the resolution, on redrawn outlines: an exact distance, hardly smoothed.
_FINE = Declumping(by="shape", smoothing=1.0, suppression=4.0, neck=0.92)
#: Smallest and largest nucleus, of a typical one.
RANGE = (0.4, 1.9)
#: Of the largest diameter: edge of a block of the threshold, and of a disk that two maxima without a waist may fill
#: together, that of two typical nuclei; and the waist (see `Declumping`).
_WINDOW, _TOGETHER, _NECK = 0.84, 0.744, 0.85


@dataclass(frozen=True)
class FluorescenceSettings:
    """All that decides which pixels become nuclei; defaults of the thesis.

    Attributes
    ----------
    block, slope : int, float
        CLAHE: edge of a neighbourhood in pixels, largest gain in contrast. Slope 0: no CLAHE.
    window : int
        Edge of a block of the adaptive threshold, pixels.
    bounds : tuple of float
        Lowest and highest threshold, in [0, 1].
    smoothing : float
        Gaussian sigma in pixels of the image that is compared with the threshold.
    diameters : tuple of float
        Smallest and largest nucleus, as the diameter in pixels of a disk of that area.
    declumping : Declumping
    half_height : float
        Redraw outlines on the raw stain at this height between ground and nucleus; 0 leaves
        them where the threshold put them, as the thesis does.
    border : bool
        Keep nuclei that the image's border cuts (CellProfiler drops them).
    cut : float
        Share of the smallest nucleus's area that one which the border cuts must have.
    fine : float
        Where a typical nucleus has a smaller diameter in pixels, all is done once more at twice
        the resolution, and waists are sought again on the redrawn outlines: between two nuclei of
        nine pixels a waist is one pixel deep. 0: never.
    contrast : float
        What an object must stand out of the noise, in standard deviations, see `contrast.standing_out`:
        an adaptive threshold finds objects in any noise. 0: nothing is dropped.
    """

    block: int = 127
    slope: float = 3.0
    window: int = 20
    bounds: tuple[float, float] = (0.05, 1.0)
    smoothing: float = 0.6
    diameters: tuple[float, float] = (5.0, 30.0)
    declumping: Declumping = field(default_factory=Declumping)
    half_height: float = 0.0
    border: bool = False
    cut: float = 1.0
    fine: float = 0.0
    contrast: float = 9.0

    @staticmethod
    def for_nuclei(smallest: float, largest: float, by: str = "shape") -> FluorescenceSettings:
        """What `livecell label` does for nuclei of a range of diameters in pixels.

        Smoothing and suppression follow the smallest diameter as CellProfiler's do (/ 3.5 and / 1.5), the block
        and the largest object of two maxima the largest one. Outlines at 45 % of the height: nuclei are
        no uniform disks. Nuclei cut by the border stay where half of the smallest is in view. On which
        images this was chosen: docs/livecell.md.
        """
        how = Declumping(
            by=by,
            smoothing=smallest / 3.5,
            suppression=smallest / 1.5,
            neck=_NECK,
            largest=float(np.pi * (_TOGETHER * largest) ** 2 / 4),
        )
        return FluorescenceSettings(
            slope=1.5,
            window=max(2, round(_WINDOW * largest)),
            diameters=(smallest, largest),
            declumping=how,
            half_height=0.45,
            border=True,
            cut=0.5,
            fine=14.0,
        )

    @staticmethod
    def of_size(typical: float, by: str = "shape") -> FluorescenceSettings:
        """The same for nuclei of a typical diameter in pixels: from 0.4 to 1.9 times it."""
        return FluorescenceSettings.for_nuclei(RANGE[0] * typical, RANGE[1] * typical, by)

    @property
    def doubled(self) -> FluorescenceSettings:
        """The same for an image of twice the resolution."""
        how = replace(
            self.declumping,
            smoothing=2 * self.declumping.smoothing,
            suppression=2 * self.declumping.suppression,
            largest=4 * self.declumping.largest,
        )
        return replace(
            self,
            block=2 * self.block,
            window=2 * self.window,
            smoothing=2 * self.smoothing,
            diameters=(2 * self.diameters[0], 2 * self.diameters[1]),
            declumping=how,
        )

    def __post_init__(self) -> None:
        low, high = self.diameters
        if not 0 < low < high:
            raise SettingsError(f"expected diameters as smallest < largest in pixels, got {low} and {high}")
        if self.window < 2 or self.block < 2:
            raise SettingsError(f"expected a window and a block of 2 pixels or more, got {self.window}, {self.block}")


@dataclass(frozen=True)
class NucleusLabels:
    """What the stain shows.

    Attributes
    ----------
    labels : ndarray of int32, shape (h, w)
        Nuclei 1..n, 0 elsewhere.
    prepared : ndarray of uint8, shape (h, w)
        The image after CLAHE, on which the threshold was taken.
    usual : float
        Diameter in pixels of a usual object before sizes were asked for, see `typical_area`; 0 without any.
    oversized : float
        Pixels of objects dropped as too large.
    largest : float
        Diameter in pixels above which they were.
    """

    labels: IntArray
    prepared: NDArray[np.uint8]
    usual: float = 0.0
    oversized: float = 0.0
    largest: float = 0.0

    @property
    def count(self) -> int:
        """Nuclei."""
        return int(self.labels.max(initial=0))


def identify(fluorescence: NDArray[np.generic], settings: FluorescenceSettings | None = None) -> NucleusLabels:
    """Find the nuclei in an image of their stain.

    Parameters
    ----------
    fluorescence : ndarray of shape (h, w)
        Any integer or float type; bright nuclei.
    settings : FluorescenceSettings, optional

    Raises
    ------
    ImageError
        Colour, no contrast at all, NaN, or so small that it holds no two blocks.
    """
    settings = settings or FluorescenceSettings()
    found = _identified(fluorescence, settings)
    if not 0 < found.usual < settings.fine:
        return found
    size = (2 * fluorescence.shape[1], 2 * fluorescence.shape[0])
    large = cv2.resize(np.asarray(fluorescence, np.float32), size, interpolation=cv2.INTER_CUBIC)
    labels = _identified(large, settings.doubled, again=_FINE, scale=2.0).labels
    return replace(found, labels=_halved(labels))


def _identified(
    fluorescence: NDArray[np.generic],
    settings: FluorescenceSettings,
    again: Declumping | None = None,
    scale: float = 1.0,
) -> NucleusLabels:
    """The chain, once, on an image enlarged by `scale`; `again` parts once more after outlines were redrawn."""
    prepared = prepare(fluorescence, settings.block, settings.slope)
    threshold = np.clip(adaptive_threshold(prepared, settings.window), *settings.bounds)
    level = prepared.astype(np.float32) / np.float32(255)
    if settings.smoothing > 0:
        level = cv2.GaussianBlur(level, (0, 0), settings.smoothing)
    mask = fill_holes(level > threshold, settings.diameters[1] ** 2)
    largest = np.pi * settings.diameters[1] ** 2 / 4
    together = min(largest, settings.declumping.largest)
    labels = declump(components(mask), level, replace(settings.declumping, largest=together))
    if settings.half_height > 0:
        labels = at_half_height(labels, fluorescence, level=settings.half_height)
    if again is not None:
        labels = declump(labels, level, replace(again, largest=largest), touching=True)
    if not settings.border:
        labels = without_border(labels)
    if settings.contrast > 0:
        labels = standing_out(fluorescence, labels, settings.diameters, settings.contrast, scale)
    sizes = areas(labels)
    labels = within_sizes(labels, *settings.diameters, sizes, cut=settings.cut)
    usual = 2 * float(np.sqrt(typical_area(sizes) / np.pi))
    dropped = float(sizes[sizes > largest].sum())
    return NucleusLabels(fill_labelled_holes(labels), prepared, usual, dropped, settings.diameters[1])


def _halved(labels: IntArray) -> IntArray:
    """Every second pixel; what falls between all of them is gone."""
    return relabelled(np.ascontiguousarray(labels[::2, ::2]))


def prepare(image: NDArray[np.generic], block: int = 127, slope: float = 3.0) -> NDArray[np.uint8]:
    """Contrast-limited adaptive histogram equalisation in 256 levels (thesis section 3.2.3).

    Levels 0 and 255 are the 0.1 and 99.9 % quantiles: one speck of debris, twenty times as
    bright as a nucleus, would else leave a dozen levels to all nuclei.

    Raises
    ------
    ImageError
        Colour, NaN, or one brightness everywhere (empty or saturated).
    """
    if image.ndim != 2:
        raise ImageError(f"expected one grey fluorescence image, got an array of shape {image.shape}")
    values = np.asarray(image)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("expected finite intensities, got NaN or infinity; mend the pixels or leave the image out")
    low, high = np.percentile(values[::3, ::3], [0.1, 99.9])
    if not high > low:
        low, high = float(values.min()), float(values.max())
    if not high > low:
        raise ImageError(f"expected nuclei on a darker ground, got one brightness ({low:g}) everywhere")
    light = np.clip(values.astype(np.float32), np.float32(low), np.float32(high))
    scaled = cv2.convertScaleAbs(light, alpha=255 / (high - low), beta=-low * 255 / (high - low))
    if slope <= 0:
        return np.asarray(scaled, np.uint8)
    grid = [max(1, -(-size // block)) for size in values.shape]
    return np.asarray(cv2.createCLAHE(slope, (grid[1], grid[0])).apply(scaled), np.uint8)


def components(mask: NDArray[np.bool_]) -> IntArray:
    """8-connected components, numbered from 1."""
    return np.asarray(cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[1], np.int32)


def enclosed(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Ground that no way along 4-neighbours leads out of, to the border."""
    ground = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), np.uint8)
    ground[1:-1, 1:-1] = mask
    cv2.floodFill(ground, None, (0, 0), 2, flags=4)
    return np.equal(ground[1:-1, 1:-1], 0).view(np.uint8)


def fill_holes(mask: NDArray[np.bool_], largest: float) -> NDArray[np.bool_]:
    """Close holes of less than `largest` pixels; what opens to the border is no hole."""
    holes = enclosed(mask)
    if not holes.any():
        return mask
    _, number, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < largest
    small[0] = False  # all that is no hole
    return np.asarray(mask | np.take(small, number))


def fill_labelled_holes(labels: IntArray) -> IntArray:
    """Give what an object encloses to it."""
    holes = enclosed(labels > 0)
    if not holes.any():
        return labels
    count, number, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=4)
    result = labels.copy()
    for hole in range(1, count):
        left, top, width, height = (int(v) for v in stats[hole, :4])
        window = (slice(top - 1, top + height + 1), slice(left - 1, left + width + 1))
        inside = number[window] == hole
        rim = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~inside
        around = np.unique(labels[window][rim])
        if len(around[around > 0]) == 1:
            result[window][inside] = around.max()
    return result


def without_border(labels: IntArray) -> IntArray:
    """Drop the objects that touch the border of the image; the others are numbered again."""
    keep = np.ones(int(labels.max(initial=0)) + 1, bool)
    keep[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
    return kept(labels, keep)


def within_sizes(
    labels: IntArray, smallest: float, largest: float, sizes: FloatArray | None = None, cut: float = 1.0
) -> IntArray:
    """Drop the objects whose area is that of a disk outside the range of diameters (pixels).

    `sizes` are their areas, (n,), where they are known already. What the border cuts needs only the share
    `cut` of the smallest area.
    """
    area = np.concatenate([[0.0], areas(labels) if sizes is None else sizes])
    least = np.full(len(area), np.pi * smallest**2 / 4)
    least[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] *= cut
    return kept(labels, (area >= least) & (area <= np.pi * largest**2 / 4))
