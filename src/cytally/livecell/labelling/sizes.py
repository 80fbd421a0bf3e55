"""How large nuclei are, measured on the images themselves, and nuclei found at that size.

A first pass looks at objects of 5 to 30 pixels before their sizes are asked for: whatever the range it looks
with, the objects that hold most of the stain are nuclei (docs/livecell.md). A second one finds nuclei of
0.4 to 1.9 times the typical one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.images.masks import grey
from cytally.images.read import read
from cytally.livecell.labelling.nuclear_stain import RANGE, FluorescenceSettings, NucleusLabels, identify
from cytally.progress import Progress
from cytally.segmentation.declump import areas, kept, typical_area
from cytally.types import FloatArray, IntArray

#: What the first pass looks with. On half the resolution, unless nuclei are smaller there than `_SMALL` pixels.
_FIRST = replace(FluorescenceSettings.for_nuclei(5.0, 30.0), fine=0.0)
_SMALL = 16.0
#: Images whose typical nuclei differ by no more than this factor from that of the folder agree with it.
ALIKE = 1.5
#: So many images of a folder are measured for the typical nucleus of all.
SOME = 24
#: Objects below the range that cover this share of what was found are nuclei of a second size, if there are so many.
MIXED, _FEW = 0.15, 10


@dataclass(frozen=True)
class OwnSize:
    """Nuclei of the size that the images show.

    Attributes
    ----------
    by : {"shape", "intensity", "none"}
        How touching nuclei are parted, see `Declumping`.
    typical : float
        Diameter in pixels of a typical nucleus of the folder; an image that differs from it by more than
        `ALIKE` goes by its own. 0: every image does.
    """

    by: str = "shape"
    typical: float = 0.0

    def of(self, own: float) -> float:
        """The typical diameter to find nuclei with in an image in which `own` was measured (0: nothing)."""
        agrees = not own or (self.typical and 1 / ALIKE <= own / self.typical <= ALIKE)
        return self.typical if agrees else own


#: How nuclei are found in their stain: in a range of diameters, or by their own size.
Stain = FluorescenceSettings | OwnSize


@dataclass(frozen=True)
class Sizing:
    """What was measured in a folder.

    Attributes
    ----------
    typical : float
        Diameter of a typical nucleus of all images, pixels; 0 where they do not agree, or show none.
    each : tuple of float
        That of every image that was measured and shows nuclei.
    """

    typical: float
    each: tuple[float, ...] = ()

    @staticmethod
    def of(each: Sequence[float]) -> Sizing:
        """The median where at least half of the images agree with it; diameters of 0 say nothing."""
        there = tuple(round(value, 1) for value in each if value > 0)
        if not there:
            return Sizing(0.0)
        middle = round(float(np.median(there)), 1)
        alike = sum(1 / ALIKE <= value / middle <= ALIKE for value in there)
        return Sizing(middle if 2 * alike >= len(there) else 0.0, there)

    @property
    def said(self) -> str:
        """In words; "" where nothing was measured."""
        among = f"{min(self.each):g} to {max(self.each):g}" if self.each else ""
        if self.typical:
            low, high = (round(factor * self.typical) for factor in RANGE)
            over = f", {among} in {len(self.each)} images" if len(self.each) > 1 else ""
            return f"typical nucleus: {self.typical:g} pixels across (measured{over}); found from {low} to {high}"
        return (
            f"nuclei differ from image to image ({among} pixels across): found in each by its own size" if among else ""
        )


def typical_diameter(fluorescence: NDArray[np.generic]) -> float:
    """Diameter in pixels of a typical nucleus; 0 where nothing stands out.

    The area above which half of the sum of squared areas lies, see `typical_area`: specks weigh nothing.

    Parameters
    ----------
    fluorescence : ndarray of shape (h, w)

    Raises
    ------
    ImageError
        As `identify`.
    """
    return _first(fluorescence)[0].usual


def sized(stain: Stain, paths: Sequence[Path], progress: Progress) -> tuple[Stain, Sizing]:
    """With the typical diameter of a folder, and what was measured; a range that was given stays.

    Up to `SOME` images are measured, evenly chosen; those that cannot be read say nothing.
    """
    if not isinstance(stain, OwnSize):
        return stain, Sizing(0.0)
    chosen = [paths[k] for k in np.unique(np.linspace(0, len(paths) - 1, min(SOME, len(paths))).astype(int))]
    found = []
    for number, path in enumerate(chosen, start=1):
        try:
            found.append(typical_diameter(grey(read(path))))
        except ImageError:  # whoever finds nuclei in it says so
            found.append(0.0)
        progress("measuring nuclei", number, len(chosen))
    measured = Sizing.of(found)
    return replace(stain, typical=measured.typical), measured


def stained_nuclei(fluorescence: NDArray[np.generic], how: Stain) -> NucleusLabels:
    """Find the nuclei in an image of their stain, in the range of diameters given or by their own size.

    By their own size, objects that are too small but hold at least 15 % as much area as what was found, ten or
    more of them, are nuclei of a second size: the image is searched again for these.

    Parameters
    ----------
    fluorescence : ndarray of shape (h, w)
    how : FluorescenceSettings or OwnSize

    Raises
    ------
    ImageError
        As `identify`.
    """
    if isinstance(how, FluorescenceSettings):
        return identify(fluorescence, how)
    first, step = _first(fluorescence)
    typical = how.of(first.usual)
    if not typical:
        return replace(first, labels=np.zeros(fluorescence.shape, np.int32))
    found = identify(fluorescence, FluorescenceSettings.of_size(typical, how.by))
    small = _smaller(first.labels, step, found.labels, RANGE[0] * typical)
    if not small:
        return found
    more = identify(fluorescence, FluorescenceSettings.of_size(small, how.by)).labels
    return replace(found, labels=_beside(found.labels, more))


def _first(fluorescence: NDArray[np.generic]) -> tuple[NucleusLabels, int]:
    """The first pass, and by how much its picture was smaller."""
    raw = np.asarray(fluorescence)
    for step in (2, 1, 4):
        size = [side // step for side in raw.shape[1::-1]]
        if min(size) < 2 * _FIRST.window:
            continue
        small = cv2.resize(raw.astype(np.float32), size, interpolation=cv2.INTER_AREA) if step > 1 else raw
        found = identify(small, _FIRST)
        if found.usual >= _SMALL or (step == 1 and found.usual):
            return replace(found, usual=step * found.usual), step
    return identify(raw, _FIRST), 1


def _smaller(first: IntArray, step: int, found: IntArray, least: float) -> float:
    """Typical diameter of a second size of nuclei below `least`; 0 without one."""
    there = found[step // 2 :: step, step // 2 :: step][: first.shape[0], : first.shape[1]] > 0
    first = first[: there.shape[0], : there.shape[1]]
    size = areas(first)
    taken = np.bincount(first[there], minlength=len(size) + 1)[1:]
    left = size[(taken == 0) & (step**2 * size < np.pi * least**2 / 4)] * step**2
    if len(left) < _FEW or left.sum() < MIXED * np.count_nonzero(found):
        return 0.0
    return _across(left)


def _beside(found: IntArray, more: IntArray) -> IntArray:
    """What was found, and what else there is that does not touch it."""
    count = int(more.max(initial=0))
    touching = np.bincount(more[found > 0], minlength=count + 1) > 0
    free = kept(more, ~touching)
    return np.where(free > 0, free + int(found.max(initial=0)), found).astype(np.int32)


def _across(size: FloatArray) -> float:
    return 2 * float(np.sqrt(typical_area(size) / np.pi))
