"""Fields whose chromosomes somebody has outlined: M-FISH class maps and label images.

An outline keeps what segmentation has to leave alone, chromosomes that touch, and tells which
chromosome it is, so that a centromere can be held against the karyotype.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.measure import regionprops
from skimage.segmentation import expand_labels

from cytally.dosimetry.chromosomes.segment import Mask, Outline, Segmented, outline_of
from cytally.dosimetry.chromosomes.upright import Upright, cut_out, profile
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.outlined.drawn import Geometry
from cytally.dosimetry.simulate.karyotype import TABLE
from cytally.errors import ImageError
from cytally.types import Image

Float32 = NDArray[np.float32]

#: Class of a pixel where chromosomes overlap (M-FISH class maps of Advanced Digital Imaging Research).
OVERLAP = 255
#: Optical density given to a typical chromosome of a fluorescence image.
_STAIN = 0.45
#: Brightness of single chromosomes is evened out by this power of the difference: dye binds unevenly, Giemsa hardly does.
_EVEN = 0.8
#: Stained is what reaches this part of the chromosomes' own brightness; a halo of so many pixels is not empty slide.
_EDGE, _HALO = 0.45, 5
#: Smallest piece of an outline, and how far an outline grows over what is stained beside it, pixels.
_SPECK, _GROWN = 30, 4
#: An outline is one chromosome if its area lies within these factors of what its class measures in the cell.
_OF_CLASS = (0.45, 1.6)
#: Area over the area of the convex hull, below which a chromosome is too bent to be set upright.
_STRAIGHT = 0.83
#: Part of its border along which a chromosome that is cut out may touch others.
_CONTACT = 0.15
#: Fewer visible centromeres than this, and a field stays as it is.
_FEWEST = 5
#: A centromere must lie within so much of the karyotype's index (share of the length).
_OFF_INDEX = 0.12
#: Narrowest place over the wider part of the narrower arm: above it no constriction is seen.
_CONSTRICTED = 0.87
#: Index below which (acrocentrics) the centromere cannot be told from the end.
_ACROCENTRIC = 0.22


@dataclass(frozen=True)
class Outlined:
    """A field with the outlines of its chromosomes.

    Attributes
    ----------
    image : Image
        Grey; bright chromosomes on dark (fluorescence) or dark ones on bright.
    classes : ndarray of int, shape (h, w)
        0: none; 1 to 22, 23 (X), 24 (Y); 255: overlap.
    """

    image: Image
    classes: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.classes.shape != self.image.shape:
            (height, width), (rows, cols) = self.image.shape, self.classes.shape
            raise ImageError(
                f"expected a class map of the image's size, {height} x {width} pixels, got {rows} x {cols}",
                self.image.source,
            )
        unknown = sorted({int(k) for k in np.unique(self.classes)} - {*range(len(TABLE) + 1), OVERLAP})
        if unknown:
            raise ImageError(
                f"expected classes 0 to {len(TABLE)} and {OVERLAP} (overlap), got {', '.join(map(str, unknown[:5]))}; "
                "is it a map of numbered objects?",
                self.image.source,
            )


def outlined_field(given: Outlined) -> Field:
    """Take a field apart along given outlines.

    Parameters
    ----------
    given : Outlined
        Fluorescence; its brightness becomes optical density of a solid stain.

    Raises
    ------
    ImageError
        Fewer than five chromosomes are outlined.
    """
    field, parts = _taken_apart(given)
    density, size = field.density, field.segmented.size
    single = [part for part in parts if _single(part, parts, size) and _free(part, field.segmented.occupied)]
    segmented = replace(field.segmented, chromosomes=tuple(part.outline() for part in single))
    uprights = tuple(
        held_to_karyotype(cut_out(density, outline, segmented), part.number)
        for outline, part in zip(segmented.chromosomes, single, strict=True)
    )
    able = sum(len(u.centromeres) > 0 for u in uprights) >= _FEWEST
    return Field(density, segmented, uprights if able else (), given.image.source)


def _taken_apart(given: Outlined) -> tuple[Field, list[Part]]:
    """Density, and every outlined piece; nothing is upright yet."""
    outlined = given.classes > 0
    bright = given.image.pixels.astype(np.float32)
    own = bright - _haze(bright, outlined | (bright > np.median(bright[outlined])))
    stained = np.asarray(cv2.GaussianBlur(own, (0, 0), 0.7) > _EDGE * _level(own, outlined))
    parts = components(given.classes, stained)
    if len(parts) < 5:
        raise ImageError(f"{given.image.source}: expected outlines of a metaphase, got {len(parts)} chromosome(s)")
    size = float(np.sqrt(np.median([part.mask.sum() for part in parts])))
    occupied = stained | outlined
    own = bright - _haze(bright, occupied)
    density = np.asarray(_STAIN * own / _level(own, outlined), np.float32)
    return Field(density, Segmented((), occupied, size, _STAIN), (), given.image.source), parts


def geometry(given: Outlined) -> Geometry:
    """Where the chromosomes of an outlined fluorescence field lie, and what else does: to draw others there.

    Raises
    ------
    ImageError
        Fewer than five chromosomes are outlined.
    """
    field, parts = _taken_apart(given)
    chromosomes = np.zeros(given.classes.shape, bool)
    for part in parts:
        rows, cols = slice(part.top, part.top + part.mask.shape[0]), slice(part.left, part.left + part.mask.shape[1])
        chromosomes[rows, cols] |= part.mask
    chromosomes |= given.classes > 0
    rest = np.where(_grown(chromosomes, 2 * _HALO), 0, np.maximum(field.density, 0)).astype(np.float32)
    rest = cv2.GaussianBlur(rest, (0, 0), 1.0)
    outlines = [part.outline() for part in parts]
    return Geometry(
        tuple(part.number for part in parts),
        np.array([outline.middle for outline in outlines]),
        np.array([outline.angle for outline in outlines]),
        rest,
        field.segmented.size,
        given.image.source,
    )


@dataclass(frozen=True)
class Part:
    """One connected outline: its class, and its mask at (top, left)."""

    number: int
    mask: Mask
    top: int
    left: int
    inside: bool

    def outline(self) -> Outline:
        """With the axes of the ellipse of equal moments."""
        return outline_of(self.mask, self.top, self.left)


def components(classes: NDArray[np.uint8], stained: Mask) -> list[Part]:
    """Connected pieces of every class, each grown over the stained pixels next to it; specks left out.

    Parameters
    ----------
    classes : ndarray of uint8, shape (h, w)
    stained : ndarray of bool, shape (h, w)
        Everything bright: outlines are often drawn a little inside.
    """
    labels, numbers = np.zeros(classes.shape, np.int32), [0]
    for number in (int(k) for k in np.unique(classes) if k not in (0, OVERLAP)):
        count, own, stats, _ = cv2.connectedComponentsWithStats((classes == number).view(np.uint8), connectivity=8)
        for k in (k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= _SPECK):
            labels[own == k] = len(numbers)
            numbers.append(number)
    grown = np.where(stained & (classes == 0), expand_labels(labels, _GROWN), labels)
    found = []
    for region in regionprops(grown):
        top, left, bottom, right = region.bbox
        inside = top > 2 and left > 2 and bottom < classes.shape[0] - 2 and right < classes.shape[1] - 2
        found.append(Part(numbers[region.label], np.asarray(region.image, bool), top, left, inside))
    return found


def _single(part: Part, parts: list[Part], size: float) -> bool:
    """Whether a piece is one whole chromosome: not cut, not two homologues in one, not too bent to be set upright."""
    own = max(p.mask.sum() for p in parts if p.number == part.number)
    share = part.mask.sum() / (TABLE[list(TABLE)[part.number - 1]][0] / 2.17 * size**2)
    return bool(
        part.inside
        and part.mask.sum() > _OF_CLASS[0] * own
        and _OF_CLASS[0] < share < _OF_CLASS[1]
        and _straight(part.mask)
    )


def _free(part: Part, occupied: Mask) -> bool:
    """Whether a piece lies apart: cut out of a contact, a chromosome has a torn edge."""
    padded = np.pad(part.mask, 3)
    ring = _grown(padded, 2) & ~padded
    foreign = np.pad(occupied, 3)[part.top : part.top + padded.shape[0], part.left : part.left + padded.shape[1]]
    return bool((foreign & ring).sum() < _CONTACT * ring.sum())


def _straight(mask: Mask) -> bool:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.contourArea(cv2.convexHull(np.concatenate(contours)))
    return bool(mask.sum() > _STRAIGHT * hull)


def held_to_karyotype(body: Upright, number: int, stain: float = _STAIN) -> Upright:
    """The centromere of a chromosome whose identity is known: where it is narrowest near the karyotype's index.

    The short arm may be at either end. Acrocentrics, and chromosomes that show no constriction there, get none.

    Parameters
    ----------
    body : Upright
    number : int
        1 to 22, 23 (X), 24 (Y).
    stain : float
        Density of a typical chromosome: what is fainter than half of it is haze.
    """
    index = TABLE[list(TABLE)[number - 1]][1] / 100
    if index < _ACROCENTRIC:
        return replace(body, centromeres=())
    mass, _, spread = profile(np.minimum(body.density - np.float32(0.45 * stain), np.float32(0.35 * stain)))
    narrow = cv2.GaussianBlur(np.sqrt(mass * spread).astype(np.float32)[:, None], (0, 0), 0.08 * body.width)[:, 0]
    best: tuple[float, float] | None = None
    for share in (index, 1 - index):
        low, high = (int(body.ends[0] + (share + off) * body.length) for off in (-_OFF_INDEX, _OFF_INDEX))
        low, high = max(low, int(body.ends[0]) + 2), min(high, int(body.ends[1]) - 2)
        if high - low < 3:
            continue
        row = low + int(np.argmin(narrow[low:high]))
        arms = narrow[int(body.ends[0]) : row].max(initial=0), narrow[row + 1 : int(body.ends[1])].max(initial=0)
        depth = float(narrow[row] / max(min(arms), 1e-6))
        if row not in (low, high - 1) and depth < _CONSTRICTED and (best is None or depth < best[0]):
            best = depth, float(row)
    return replace(body, centromeres=() if best is None else (best[1],))


def _haze(bright: Float32, occupied: Mask) -> Float32:
    """Brightness of the empty slide (h, w), interpolated under what is stained."""
    free = (~_grown(occupied, _HALO)).astype(np.float32)
    seen, sum_ = (
        sum(share * cv2.GaussianBlur(image, (0, 0), reach) for share, reach in ((1.0, 16.0), (1e-3, 100.0)))
        for image in (free, bright * free)
    )
    return np.asarray(sum_ / (seen + 1e-9), np.float32)


def _level(own: Float32, chromosomes: Mask) -> Float32:
    """Brightness that counts as one chromosome's (h, w): of the nearest outlined ones, partly evened over the cell."""
    count, labels = cv2.connectedComponents(chromosomes.astype(np.uint8))
    levels = np.array([1.0] + [max(float(np.median(own[labels == k])), 1.0) for k in range(1, count)], np.float32)
    middle = float(np.median(levels[1:]))
    levels = middle * (levels / middle) ** _EVEN
    _, nearest = cv2.distanceTransformWithLabels((labels == 0).astype(np.uint8), cv2.DIST_L2, 5)
    zones = np.full(int(nearest.max()) + 1, middle, np.float32)
    zones[nearest[labels > 0]] = levels[labels[labels > 0]]
    return np.asarray(cv2.GaussianBlur(zones[nearest], (0, 0), 2.0), np.float32)


def _grown(mask: Mask, by: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel) > 0)
