"""Phase contrast and fluorescence of the same field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.files.names import shown
from cytally.images.flatten import flatten
from cytally.images.register import Offset, correlation, peak
from cytally.livecell.names.understand import understand
from cytally.livecell.sequences import FrameName, folder_of, way_out
from cytally.types import IntArray, Skipped

Float32 = NDArray[np.float32]
#: The cameras' offset is sought within so many pixels.
LARGEST_OFFSET = 32
#: Labels are moved only by more than so many standard errors.
DOUBT = 3.0
#: Pixels by which cells look thickest beside their nuclei, without any offset (ten simulated fields: 0.3 and 1.0).
BIAS = 1.0
#: Fewer fields are cut in quarters for the bootstrap; how often it draws.
_MANY, _DRAWS = 8, 200
#: Standard deviations by which both pictures of one field are alike. Right pairs (brightfield, phase contrast, other
#: stains; 17 published and 90 simulated fields) reach 3.2 and more, most 7; pictures of two fields mostly stay below 2.7,
#: but reach 5.4 where there are three nuclei and 4.0 where they are crowded.
FITTING, SURELY = 3.0, 5.0
#: Fewer fields than this move no label and reject none for not fitting.
FEWEST = 3
#: Pixels around an offset in which likeness is looked at; larger images are compared at half their size.
_NEAR, _LARGE = 4, 800


@dataclass(frozen=True)
class Pair:
    """The two images of one field at one time."""

    name: FrameName
    fluorescence: Path

    @property
    def phase(self) -> Path:
        """Image in phase contrast."""
        return self.name.path


@dataclass(frozen=True)
class Pairs:
    """What belongs together, and what was left over."""

    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]


def pair_files(
    phase: Sequence[Path],
    fluorescence: Sequence[Path],
    pattern: str | None = None,
    roots: tuple[Path, Path] | None = None,
    *,
    numbered: bool = False,
) -> Pairs:
    """Match the files of two folders: same name, or same position and time, in folders of the same name.

    Words for a channel (phase, green, dapi, w1, c1 ...) in names are passed over. Phase images without
    a stained partner are usual and not told; the other way round they are.

    Raises
    ------
    ImageError
        No pair at all, or two images of one field on the same side.
    """
    within = {
        p: folder_of(p, root) for root, side in zip(roots or (), (phase, fluorescence), strict=False) for p in side
    }
    told = understand([*phase, *fluorescence], pattern, within, numbered=numbered).frames
    names, stains = told[: len(phase)], told[len(phase) :]
    sides = _by_field(names, "phase contrast"), _by_field(stains, "the stain")
    pairs = [Pair(name, sides[1].pop(key).path) for key, name in sides[0].items() if key in sides[1]]
    if not pairs:
        raise ImageError(
            f"expected pairs of images, but no name of {phase[0].parent} fits one of {fluorescence[0].parent} "
            f"(such as {phase[0].name} and {fluorescence[0].name}); give --pattern with groups position and frame"
        )
    left = tuple(Skipped(shown(one.path.name), "no phase-contrast image of this name") for one in sides[1].values())
    return Pairs(tuple(sorted(pairs, key=lambda pair: pair.phase)), left)


def _by_field(names: Sequence[FrameName], side: str) -> dict[tuple[str, int], FrameName]:
    """Images of one side by position and time."""
    found: dict[tuple[str, int], FrameName] = {}
    for name in names:
        key = name.position.casefold(), name.time
        if key in found:
            raise ImageError(
                f"{found[key].path.name} and {name.path.name}: both are {side} of position {name.position!r} "
                f"at time {name.time}{way_out(found[key], name)}"
            )
        found[key] = name
    return found


def activity(phase: NDArray[np.generic]) -> Float32:
    """Where cells are in phase contrast: local spread of the flattened image, (h, w)."""
    flat = np.clip(flatten(phase), -3, 3)
    mean = cv2.GaussianBlur(flat, (0, 0), 5)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur(flat * flat, (0, 0), 5) - mean**2, 0))
    return np.asarray(cv2.GaussianBlur(spread - 0.5 * mean, (0, 0), 3), np.float32)


def likeness(phase: NDArray[np.generic], mask: IntArray, offset: tuple[float, float] = (0.0, 0.0)) -> float:
    """By how much both pictures of a field are more alike than they would be by chance.

    Parameters
    ----------
    phase : ndarray (h, w)
    mask : ndarray (h, w)
        Nuclei of the stained partner.
    offset : (row, col)
        By which the partner's content lies beside.

    Returns
    -------
    float
        Largest correlation coefficient, of either sign, of nuclei with where cells are, with brightness and with
        edges, within 4 pixels of the offset; in standard deviations of the same over all
        (cyclic) shifts larger than `LARGEST_OFFSET`. Infinite without nuclei.
    """
    nuclei, image = (mask > 0).astype(np.float32), phase.astype(np.float32)
    half = 2 if max(image.shape) > _LARGE else 1
    if half > 1:
        size = (image.shape[1] // half, image.shape[0] // half)
        nuclei, image = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (nuclei, image))
    nuclei = cv2.GaussianBlur(nuclei, (0, 0), 3)
    if not float(nuclei.std()):
        return float("inf")
    flat = np.clip(flatten(image), -3, 3)
    soft = cv2.GaussianBlur(flat, (0, 0), 2)
    edges = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    looks = activity(image), cv2.GaussianBlur(flat, (0, 0), 3), cv2.GaussianBlur(edges, (0, 0), 3)
    at = round(offset[0] / half), round(offset[1] / half)
    return max(_beyond_chance(each, nuclei, at) for each in looks)


def _beyond_chance(look: Float32, nuclei: Float32, at: tuple[int, int]) -> float:
    """Largest absolute value of a correlation near an offset, in standard deviations of all far ones."""
    spectra = [np.fft.rfft2(each - each.mean()) for each in (look, nuclei)]
    surface = np.fft.irfft2(np.conj(spectra[0]) * spectra[1], s=look.shape)
    limit = min(LARGEST_OFFSET, min(look.shape) // 4)
    far = np.ones(look.shape, bool)
    around = np.arange(-limit, limit + 1)
    far[np.ix_(around % look.shape[0], around % look.shape[1])] = False
    near = np.arange(-_NEAR, _NEAR + 1)
    there = surface[np.ix_((near + at[0]) % look.shape[0], (near + at[1]) % look.shape[1])]
    return float(np.abs(there).max() / (surface[far].std() + 1e-12))


def channel_offset(phases: Sequence[NDArray[np.generic]], labels: Sequence[IntArray]) -> Offset:
    """By how much the fluorescence camera's picture lies beside the other's.

    Nuclei lie in the middle of cells, on average over many: the correlation of nuclei with
    where the phase image shows cells, summed over all pairs, peaks at the offset.

    Parameters
    ----------
    phases : sequence of ndarray (h, w)
    labels : sequence of ndarray (h, w)
        Nuclei of the stained partners.

    Returns
    -------
    Offset
        Zero, with the certainty found, where no peak stands out.
    """
    limit = _limit(phases)
    total = np.sum([_surface(phase, mask, limit) for phase, mask in zip(phases, labels, strict=True)], axis=0)
    found = peak(total)
    inside = max(abs(found.row), abs(found.col)) < limit - 1
    curved = float(total.max() - np.median(total)) / (float(np.median(np.abs(total - np.median(total)))) + 1e-12)
    return Offset(found.row, found.col, curved) if inside else Offset(0.0, 0.0, curved)


def offset_error(
    phases: Sequence[NDArray[np.generic]], labels: Sequence[IntArray], seed: int = 1
) -> tuple[float, float]:
    """Standard errors (row, col) of `channel_offset`, pixels.

    Pieces are drawn anew with replacement (bootstrap; Efron and Tibshirani 1993, chapter 6): whole fields
    where there are many, else their quarters. To the scatter comes what all pieces have in common:
    nuclei do not lie quite where cells look thickest, see `BIAS`.

    Parameters
    ----------
    phases, labels : sequence of ndarray (h, w)
        As `channel_offset` takes them.
    seed : int
    """
    limit = _limit(phases)
    pieces = [
        (phase[part], mask[part])
        for phase, mask in zip(phases, labels, strict=True)
        for part in (_quarters(mask.shape) if len(phases) < _MANY else [(slice(None), slice(None))])
        if mask[part].any()
    ]
    if len(pieces) < 3:
        return float("inf"), float("inf")
    limit = min(limit, min(min(mask.shape) for _, mask in pieces) // 4)
    surfaces = np.array([_surface(phase, mask, limit) for phase, mask in pieces])
    draws = np.random.default_rng(seed).multinomial(len(pieces), np.full(len(pieces), 1 / len(pieces)), _DRAWS)
    found = [peak(np.tensordot(draw.astype(np.float32), surfaces, 1)) for draw in draws]
    spread = np.std([(each.row, each.col) for each in found], axis=0, ddof=1)
    return float(np.hypot(spread[0], BIAS)), float(np.hypot(spread[1], BIAS))


def beyond_doubt(offset: Offset, error: tuple[float, float]) -> bool:
    """The offset is larger than three standard errors, in rows or in columns."""
    return abs(offset.row) > DOUBT * error[0] or abs(offset.col) > DOUBT * error[1]


def _limit(phases: Sequence[NDArray[np.generic]]) -> int:
    return min(LARGEST_OFFSET, int(min(phases[0].shape[:2])) // 4)


def _surface(phase: NDArray[np.generic], mask: IntArray, limit: int) -> Float32:
    """Correlation of nuclei with where cells are, in its own standard deviations."""
    nuclei = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 3)
    surface = correlation(activity(phase), nuclei, limit, sharp=0.0)
    return np.asarray(surface / max(float(surface.std()), 1e-12), np.float32)


def _quarters(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    rows, cols = shape[0] // 2, shape[1] // 2
    return [(row, col) for row in (slice(0, rows), slice(rows, None)) for col in (slice(0, cols), slice(cols, None))]
