"""Image -> single nuclei: in phase contrast by vote and a watershed from the cores; or by the stain."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import watershed

from cytally.detection.vote import binary_votes
from cytally.images.flatten import flatten
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import look_everywhere
from cytally.livecell.ensemble import count_error
from cytally.livecell.labelling.nuclear_stain import RANGE, FluorescenceSettings, components
from cytally.livecell.labelling.sizes import OwnSize, Stain, stained_nuclei
from cytally.segmentation.declump import relabelled
from cytally.types import IntArray

Float32 = NDArray[np.float32]
#: Nuclei smaller than this many pixels are specks of the map.
SMALLEST = 16
#: At a level that keeps ghosts out the outlines of dim and dividing nuclei are too tight to be followed:
#: where votes at a level lower by the first make a nucleus larger by the second, it is as large as that.
_LOWER, _LARGER = 0.25, 1.4
#: Begins the identity of `ByStain`.
STAIN = "stain-"
#: Follows where nuclei are found by their own size, with the typical diameter after it.
_OWN = "own-"
#: Changes when the same settings find something else.
_RECIPE = "2"
#: Relative error of counts by the stain, root of the mean square over 20 published images with masks, the
#: size measured or given: 0.078 and 0.077 (`scripts/measure_labels.py --counts`), and a little for images unlike these.
STAIN_ERROR = 0.10
#: A larger share of the stained area than this dropped as too large makes the range of diameters doubtful.
DROPPED = 0.3
#: Reflected pixels around the image, so that a nucleus at the border is seen in company.
_MARGIN = 32


@dataclass(frozen=True)
class Nuclei:
    """What an ensemble found in one image.

    Attributes
    ----------
    labels : ndarray of int32, shape (h, w)
        Nuclei 1..n by the vote of all members.
    each : tuple of int
        Nuclei that each member alone would have found.
    components : int
        Connected components of the voted mask, clumps not parted (the thesis's count).
    member_areas : tuple of int
        Nucleus pixels by each member.
    loose : ndarray of int32, shape (h, w)
        The same nuclei under the same numbers, those that are outlined too tightly grown: what is
        followed. Dim and dividing nuclei are found there that hardly show themselves elsewhere.
    oversized : int
        Pixels of objects that were dropped as too large.
    """

    labels: IntArray
    each: tuple[int, ...]
    components: int
    member_areas: tuple[int, ...]
    loose: IntArray
    oversized: int = 0

    @property
    def count(self) -> int:
        """Nuclei."""
        return int(self.labels.max(initial=0))

    @property
    def area(self) -> int:
        """Nucleus pixels."""
        return int(np.count_nonzero(self.labels))


class Finder(Protocol):
    """Whatever finds nuclei: an ensemble in phase contrast, or the stain itself."""

    @property
    def identity(self) -> str:
        """Changes when what is found may change."""
        ...

    @property
    def count_error(self) -> float | None:
        """Relative error of its counts (root of the mean square), None where nobody measured it."""
        ...

    def find(self, pixels: NDArray[np.generic]) -> Nuclei:
        """Nuclei of one image."""
        ...


@dataclass(frozen=True)
class ByEnsemble:
    """Nuclei in phase contrast."""

    ensemble: Ensemble

    @property
    def identity(self) -> str:
        """Of the detector: what it finds, and what the limits of its counts come from."""
        error = self.count_error
        return self.ensemble.card.identity + ("" if error is None else f", count error {error:.6g}")

    @property
    def count_error(self) -> float | None:
        """On validation fields, as the training noted it."""
        return count_error(self.ensemble.card)

    def find(self, pixels: NDArray[np.generic]) -> Nuclei:
        """Vote of the members."""
        return find_nuclei(pixels, self.ensemble)


@dataclass(frozen=True)
class ByStain:
    """Nuclei in fluorescence, without any network."""

    settings: Stain

    @property
    def identity(self) -> str:
        """Of the settings."""
        text = json.dumps(asdict(self.settings), sort_keys=True)
        digest = hashlib.sha256((_RECIPE + text).encode()).hexdigest()[:10]
        return STAIN + (f"{_OWN}{self.settings.typical:.1f}-" if isinstance(self.settings, OwnSize) else "") + digest

    @staticmethod
    def measured(identity: str) -> float | None:
        """The typical diameter in the identity of a run by own size, so that it is continued with that; else None."""
        begins, _, rest = identity.partition(STAIN + _OWN)
        return float(rest.partition("-")[0]) if rest and not begins else None

    @property
    def largest(self) -> float:
        """Diameter in pixels above which objects are dropped; 0 where each image has its own."""
        if isinstance(self.settings, FluorescenceSettings):
            return self.settings.diameters[1]
        return RANGE[1] * self.settings.typical

    @property
    def count_error(self) -> float:
        """On published images with masks, where the range of diameters fits; see `STAIN_ERROR`."""
        return STAIN_ERROR

    def find(self, pixels: NDArray[np.generic]) -> Nuclei:
        """What `livecell.labelling.sizes.stained_nuclei` finds; see there."""
        found = stained_nuclei(pixels, self.settings)
        labels = found.labels
        whole = int(components(labels > 0).max(initial=0))
        return Nuclei(
            labels,
            (int(labels.max(initial=0)),),
            whole,
            (int(np.count_nonzero(labels)),),
            labels,
            round(found.oversized),
        )


def size_hint(dropped: float, stayed: float, largest: float) -> str:
    """Says when a good part of what is stained was dropped as too large; "" where it was not.

    Parameters
    ----------
    dropped, stayed : float
        Pixels of objects that are larger than `largest`, and of the others.
    largest : float
        Diameter, pixels.
    """
    if dropped <= DROPPED * (dropped + stayed) or dropped == 0:
        return ""
    return (
        f"{dropped / (dropped + stayed):.0%} of the stained area was dropped because its objects are larger than "
        f"{f'{largest:.0f} pixels' if largest else 'fits the other nuclei'}; "
        "the counts are of the rest: give --diameter a range that holds them"
    )


def predict(pixels: NDArray[np.generic], ensemble: Ensemble) -> Float32:
    """Maps (members, 2, h, w) of nucleus and core, in [0, 1]."""
    flat = np.pad(flatten(pixels), _MARGIN, mode="reflect")
    inner = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    return np.stack([look_everywhere(flat, member)[:, *inner] for member in ensemble.members])


def find_nuclei(pixels: NDArray[np.generic], ensemble: Ensemble) -> Nuclei:
    """Nuclei of a phase-contrast image."""
    return vote(predict(pixels, ensemble), ensemble)


def vote(maps: Float32, ensemble: Ensemble) -> Nuclei:
    """Nuclei from the members' maps.

    Parameters
    ----------
    maps : ndarray of shape (members, 2, h, w)
    ensemble : Ensemble
        Its thresholds: a pixel is nucleus, or core, with more than T_A votes.
    """
    limits = np.asarray(ensemble.card.thresholds.confidence)
    votes = binary_votes(maps, limits)
    agreement = ensemble.card.thresholds.agreement
    mean = maps.mean(axis=0)
    labels = part(votes[0] > agreement[0], votes[1] > agreement[1], mean[1])
    whole = components(labels > 0)
    reach = binary_votes(maps[:, :1], limits[:, :1] - _LOWER)[0] > agreement[0]
    alone = [part(m[0] > t[0], m[1] > t[1], m[1]) for m, t in zip(maps, limits, strict=True)]
    return Nuclei(
        labels,
        tuple(int(one.max(initial=0)) for one in alone),
        int(whole.max(initial=0)),
        tuple(int(np.count_nonzero(one)) for one in alone),
        loosened(labels, reach, mean[0]),
    )


def loosened(labels: IntArray, reach: NDArray[np.bool_], height: Float32) -> IntArray:
    """Nuclei whose outline is too tight, grown over `reach`; the others as they are.

    Parameters
    ----------
    labels : ndarray of int32, shape (h, w)
    reach : ndarray of bool, shape (h, w)
        Nucleus pixels at a lower level.
    height : ndarray of shape (h, w)
        Probability of nucleus; borders run along its valleys.
    """
    grown = watershed(-height, labels, mask=reach | (labels > 0)).astype(np.int32)
    before, after = (np.bincount(each.ravel(), minlength=int(labels.max(initial=0)) + 1) for each in (labels, grown))
    tight = after > _LARGER * before
    return np.where(tight[grown], grown, labels)


def part(nucleus: NDArray[np.bool_], core: NDArray[np.bool_], height: Float32) -> IntArray:
    """Single nuclei: one for each core, grown over the nucleus pixels; a nucleus without core is one.

    Parameters
    ----------
    nucleus, core : ndarray of bool, shape (h, w)
    height : ndarray of shape (h, w)
        Probability of core; borders run along its valleys.

    Returns
    -------
    ndarray of int32, shape (h, w)
        1..n; objects below 16 pixels are left out.
    """
    seeds = _without_specks(components(core & nucleus), SMALLEST // 4)
    regions = components(nucleus)
    cored = np.zeros(int(regions.max(initial=0)) + 1, bool)
    cored[regions[seeds > 0]] = True
    cored[0] = False
    bare = np.where(cored[regions], 0, regions)
    labels = watershed(-height, seeds, mask=cored[regions]) if seeds.any() else np.zeros_like(regions)
    joined = np.where(bare > 0, bare + int(labels.max(initial=0)), labels)
    return relabelled(_without_specks(joined.astype(np.int32), SMALLEST))


def _without_specks(labels: IntArray, smallest: int) -> IntArray:
    area = np.bincount(labels.ravel())
    keep = area >= smallest
    keep[0] = False
    return np.asarray(np.where(keep[labels], labels, 0), np.int32)
