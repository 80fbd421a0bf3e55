"""Labels from a stain are often wrong in ways that can be seen: debris, waves, blur, no dye.

Single objects are taken out of a label; a label that is bad as a whole is rejected, always with
its reason. The thesis's own rule (the quarter with fewest nuclei, section 5.2.4) is kept as an
option: it throws good sparse fields away with the bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.segmentation.declump import areas, kept, relabelled, typical_area
from cytally.segmentation.outline import Surroundings
from cytally.types import FloatArray, IntArray

Float32 = NDArray[np.float32]
#: Where nuclei stand out this many times more than a weak stain's, waves beside them hide none.
_FAR_FROM_WEAK = 3.0


@dataclass(frozen=True)
class RejectSettings:
    """When an object is no nucleus and when a label is no good.

    Attributes
    ----------
    bright : float
        What is brighter than this many usual nuclei and smaller than half of one is debris.
    tiny : float
        What is smaller than this share of a typical nucleus is a speck, bright or not: a daughter
        just born has half the area of its mother, and one that the border cuts less.
    faint : float
        Contrast of an object to its ring, in standard deviations of the ground, below which
        only CLAHE raised it (a wave).
    weak : float
        The same for the median nucleus of a field: below it the stain did not take.
    crowded : float
        Largest share of a field that may be nucleus (thesis: more nucleus than background).
    spoilt : float
        Share of the objects' area taken out, specks aside, above which the whole label is rejected:
        where much of what the threshold found is nothing, nuclei will be lost in it.
    blurred : float
        Edges less sharp than this share of the data set's median are out of focus.
    quarter : float
        Share of labels with fewest nucleus pixels to reject (thesis: 0.25); 0 for none.
    """

    bright: float = 5.0
    tiny: float = 0.15
    faint: float = 1.5
    weak: float = 3.0
    crowded: float = 0.5
    spoilt: float = 0.4
    blurred: float = 0.45
    quarter: float = 0.0


@dataclass(frozen=True)
class Assessed:
    """What one label is like, in numbers.

    Attributes
    ----------
    count : int
        Nuclei left.
    debris, waves, specks : int
        Objects taken out; specks are too small to be anything, mostly noise, and tell nothing
        of what is left.
    spoilt : float
        Share of the area of all objects but specks that was taken out.
    share : float
        Of the field that is nucleus.
    contrast : float
        Median contrast of the nuclei, in standard deviations of the ground; NaN without any.
    sharpness : float
        Median over nuclei, see `edge_sharpness`; NaN without any.
    """

    count: int
    debris: int
    waves: int
    specks: int
    spoilt: float
    share: float
    contrast: float
    sharpness: float


@dataclass(frozen=True)
class Cleaned:
    """A label (h, w) without the objects that are no nuclei, and its numbers."""

    labels: IntArray
    assessed: Assessed


def clean(
    stain: NDArray[np.generic], labels: IntArray, settings: RejectSettings, usual_area: float | None = None
) -> Cleaned:
    """Measure every object on the raw stain, and take out debris and waves.

    Parameters
    ----------
    stain : ndarray of shape (h, w)
    labels : ndarray of int32, shape (h, w)
    settings : RejectSettings
    usual_area : float, optional
        Pixels of a typical nucleus of the data set, see `typical_area`; default: of this field,
        which is wrong where there is more debris than nuclei.
    """
    raw, labels = np.asarray(stain, np.float32), relabelled(labels)
    count = int(labels.max(initial=0))
    if count == 0:
        return Cleaned(labels, Assessed(0, 0, 0, 0, 0.0, 0.0, float("nan"), float("nan")))
    area = areas(labels).astype(float)
    around = Surroundings.of(labels)
    inside = around.far == 0
    height = around.means(raw, inside) - around.means(raw, around.ring)
    noise = _ground_noise(raw, labels)
    wave = height < settings.faint * noise
    middle_area = usual_area or typical_area(area[~wave])
    whole = ~wave & (area > 0.5 * middle_area)
    middle_height = float(np.median(height[whole])) if whole.any() else float("inf")
    debris = (height > settings.bright * middle_height) & (area < 0.5 * middle_area)
    speck = area < settings.tiny * middle_area
    keep = ~(wave | debris | speck)
    sharp = edge_sharpness(raw, labels, around)
    left = keep.any()
    return Cleaned(
        kept(labels, np.concatenate([[False], keep])),
        Assessed(
            int(keep.sum()),
            int((debris & ~speck).sum()),
            int((wave & ~debris & ~speck).sum()),
            int(speck.sum()),
            float(area[(wave | debris) & ~speck].sum() / max(area[~speck].sum(), 1.0)),
            float(area[keep].sum() / labels.size),
            float(np.median(height[keep]) / noise) if left else float("nan"),
            float(np.median(sharp[keep])) if left else float("nan"),
        ),
    )


def reasons(found: Sequence[Assessed], settings: RejectSettings) -> list[str]:
    """For each label why it is rejected; "" where it is kept."""
    sharp = np.array([each.sharpness for each in found])
    usual = float(np.nanmedian(sharp)) if np.isfinite(sharp).any() else float("nan")
    share = np.array([each.share for each in found])
    floor = float(np.quantile(share, settings.quarter)) if settings.quarter else -1.0
    return [_reason(each, usual, floor, settings) for each in found]


def _reason(one: Assessed, usual_sharpness: float, floor: float, settings: RejectSettings) -> str:
    removed = one.debris + one.waves
    everything = one.count + removed
    if everything == 0:
        return "no nuclei"
    unsure = not one.contrast > _FAR_FROM_WEAK * settings.weak
    if one.spoilt > settings.spoilt and one.waves >= one.debris and unsure:
        return f"waves: {one.waves} of {everything} objects are no brighter than the ground"
    if one.spoilt > settings.spoilt and one.debris > one.waves:
        return f"debris: {one.debris} of {everything} objects are small and far too bright"
    if one.share > settings.crowded:
        return f"more nucleus than background ({one.share:.0%})"
    if one.contrast < settings.weak:
        return f"weak stain: nuclei {one.contrast:.1f} standard deviations above the ground"
    if one.sharpness < settings.blurred * usual_sharpness:
        return f"out of focus: edges {one.sharpness / usual_sharpness:.0%} as sharp as usual"
    if one.share < floor:
        return f"few nuclei ({one.share:.1%} of the field, in the lowest {settings.quarter:.0%})"
    return ""


def edge_sharpness(raw: Float32, labels: IntArray, around: Surroundings) -> FloatArray:
    """How much steeper each outline is when seen finely (sigma 1) than coarsely (sigma 3), less 1.

    A sharp edge is three times as steep, an edge blurred by b pixels sqrt((9 + b^2) / (1 + b^2))
    times; out of focus it tends to 0, whatever the contrast and the size of the nucleus.
    """
    kernel = np.ones((3, 3), np.uint8)
    grown, shrunk = (change(labels.astype(np.float32), kernel) for change in (cv2.dilate, cv2.erode))
    outline = ((grown != shrunk) & (labels > 0)).ravel()[around.where]
    fine, coarse = (around.means(_slope(raw, sigma), outline) for sigma in (1.0, 3.0))
    return fine / np.maximum(coarse, 1e-6) - 1


def _slope(raw: Float32, sigma: float) -> Float32:
    smooth = cv2.GaussianBlur(raw, (0, 0), sigma)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way, ksize=3) for way in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down), np.float32)


def _ground_noise(raw: Float32, labels: IntArray) -> float:
    """Standard deviation of the ground from pixel to pixel, free of slow changes and of rare bright specks."""
    rest = (raw - cv2.GaussianBlur(raw, (0, 0), 3.0))[labels == 0]
    if not rest.size:
        return 1e-6
    return max(1.4826 * float(np.median(np.abs(rest - np.median(rest)))), 1e-6)
