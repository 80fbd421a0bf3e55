"""What a metaphase looks like as a whole: pieces, clusters, nuclei, how long and how sharp its chromosomes are."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.density import NOMINAL_SIZE, Density
from cytally.types import FloatArray

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

#: Stained is what reaches this part of the chromosomes' density; grey is what lies below it and above the ground.
_STAINED, _GREY = 0.4, (0.12, 0.3)
#: Gaps between sister chromatids that are closed, pixels.
_GAP = 5
#: Area of a piece over that of the typical chromosome: smaller ones are specks; larger ones are several, or a nucleus.
_SPECK, _SEVERAL, _NUCLEUS = 0.12, 2.6, 8.0
#: A nucleus fills its convex hull, and is about as wide as long.
_FULL, _ROUND = 0.9, 1.6
#: Area over that of the convex hull, below which a piece is bent, forked or crossed.
_SOLID = 0.75
#: Pieces farther from the middle of the others than this many times their median distance belong to no cell.
_FAR = 3.5


@dataclass(frozen=True)
class Traits:
    """A metaphase in numbers, in units of its own typical chromosome where lengths matter.

    Attributes
    ----------
    objects : int
        Chromosome-like objects, chromatids that part counted as they lie (`Density.objects`).
    single : int
        Pieces that can be one chromosome.
    clusters : int
        Pieces that are several.
    clustered : float
        Their area over that of a typical chromosome.
    nuclei : int
        Round bodies far larger than a chromosome.
    slenderness : float
        Median length over width of single pieces.
    width : float
        Median width of single pieces, normalised pixels.
    sharpness : float
        Steepness of the edges of single pieces: median gradient over height, per normalised pixel.
    haze : float
        Grey around the chromosomes, neither stained nor ground: its area over theirs.
    spread : float
        Radius of the circle with the area of the pieces' convex hull, in sizes of a chromosome.
    groups : tuple of int
        Objects in each of two groups that lie apart (`stained.groups_apart`).
    """

    objects: int
    single: int
    clusters: int
    clustered: float
    nuclei: int
    slenderness: float
    width: float
    sharpness: float
    haze: float
    spread: float
    groups: tuple[int, ...]

    @property
    def share_clustered(self) -> float:
        """Part of the chromosomes' area that lies in clusters; 1 where nothing is single."""
        return self.clustered / (self.single + self.clustered) if self.single + self.clustered else 1.0


def traits_of(density: Density) -> Traits:
    """Measure a normalised cell.

    Parameters
    ----------
    density : Density
        From `normalise`.
    """
    smooth = cv2.GaussianBlur(density.values, (0, 0), 1.0)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_GAP, _GAP))
    united = cv2.morphologyEx((smooth > _STAINED).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    _, labels, stats, middles = cv2.connectedComponentsWithStats(united)
    pieces = _pieces(labels, stats)
    typical = _typical(pieces)
    relative = pieces[:, 1] / typical
    nuclei = (relative > _NUCLEUS) & (pieces[:, 4] > _FULL) & (pieces[:, 2] < _ROUND * pieces[:, 3])
    chromosomes = (relative > _SPECK) & ~nuclei
    chromosomes &= _together(middles[pieces[:, 0].astype(int), ::-1], chromosomes)
    several = chromosomes & ((relative > _SEVERAL) | ((pieces[:, 4] < _SOLID) & (relative > 1.2)))
    single = chromosomes & ~several
    kept = np.isin(labels, pieces[chromosomes, 0].astype(int))
    alone = np.isin(labels, pieces[single, 0].astype(int))
    return Traits(
        density.objects,
        int(single.sum()),
        int(several.sum()),
        float(relative[several].sum()),
        int(nuclei.sum()),
        _median(pieces[single, 2] / np.maximum(pieces[single, 3], 1)),
        _median(pieces[single, 3]),
        _sharpness(density.values, alone),
        _haze(smooth, kept, np.isin(labels, pieces[nuclei, 0].astype(int))),
        _spread(middles[pieces[chromosomes, 0].astype(int)], typical),
        density.groups,
    )


def _pieces(labels: NDArray[np.int32], stats: NDArray[np.int32]) -> FloatArray:
    """Rows (label, area, length, width, area over hull) of all stained pieces larger than a speck of four pixels."""
    rows = []
    for label in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] > 4).tolist()[1:]:
        left, top, width, height, area = (int(v) for v in stats[label])
        mask = (labels[top : top + height, left : left + width] == label).astype(np.uint8)
        contour = max(cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=len)
        hull = float(cv2.contourArea(cv2.convexHull(contour))) + len(contour) / 2 + 1
        places = np.argwhere(mask).astype(float)
        values = np.linalg.eigvalsh(np.cov((places - places.mean(axis=0)).T) + np.eye(2) / 12)
        rows.append((label, area, 4 * np.sqrt(values[1]), 4 * np.sqrt(values[0]), min(area / hull, 1.0)))
    return np.array(rows, float).reshape(-1, 5)


def _typical(pieces: FloatArray) -> float:
    """Median area of pieces about as large as the size to which cells are normalised; that size where there are none."""
    near = pieces[(pieces[:, 1] > 0.25 * NOMINAL_SIZE**2) & (pieces[:, 1] < 3 * NOMINAL_SIZE**2), 1]
    return float(np.median(near)) if len(near) else NOMINAL_SIZE**2


def _together(middles: FloatArray, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pieces lie with the chosen ones."""
    if not chosen.any():
        return chosen
    away = np.linalg.norm(middles - np.median(middles[chosen], axis=0), axis=1)
    return np.asarray(away <= _FAR * max(float(np.median(away[chosen])), NOMINAL_SIZE))


def _sharpness(values: Float32, alone: Mask) -> float:
    """Median over the rim of single pieces of the steepest gradient nearby, over the height of their bodies."""
    if not alone.any():
        return 0.0
    across = [cv2.Sobel(values, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1))]
    steep = cv2.dilate(np.hypot(*across), np.ones((5, 5), np.uint8))
    inner = cv2.erode(alone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return float(np.median(steep[alone & ~inner]) / max(float(np.median(values[alone])), 0.05))


def _haze(smooth: Float32, kept: Mask, nuclei: Mask) -> float:
    """Grey area within two chromosomes' sizes of the chromosomes, nuclei and rims left out, over their area."""
    if not kept.any():
        return 0.0
    side = int(2 * NOMINAL_SIZE) | 1
    near = cv2.dilate(kept.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    rims = cv2.dilate((kept | nuclei).astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    grey = (smooth > _GREY[0]) & (smooth < _GREY[1]) & near & ~rims
    return float(grey.sum() / kept.sum())


def _spread(middles: FloatArray, typical: float) -> float:
    if len(middles) < 3:
        return 0.0
    area = float(cv2.contourArea(cv2.convexHull(middles.astype(np.float32))))
    return float(np.sqrt(area / np.pi) / np.sqrt(typical))


def _median(values: FloatArray) -> float:
    return float(np.median(values)) if len(values) else 0.0
