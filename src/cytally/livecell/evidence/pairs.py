"""Phase contrast and fluorescence of the same field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import ImageError
from cytally.images.flatten import flatten
from cytally.images.register import Offset, correlation, peak
from cytally.livecell.sequences import FrameName, folder_of, parse_name
from cytally.types import IntArray, Skipped

Float32 = NDArray[np.float32]
#: The cameras' offset is sought within so many pixels.
LARGEST_OFFSET = 32
#: A peak lower than this, in standard deviations of the others, is no offset at all.
CERTAIN = 5.0


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
    phase: Sequence[Path], fluorescence: Sequence[Path], pattern: str | None = None,
    roots: tuple[Path, Path] | None = None,
) -> Pairs:  # fmt: skip
    """Match the files of two folders: same name, or same position and time, in folders of the same name.

    Words for a channel (phase, green, dapi, ch1 ...) in names are passed over. Phase images
    without a stained partner are usual and not told; the other way round they are.

    Raises
    ------
    ImageError
        No pair at all, or two stained images for one field.
    """
    stained: dict[tuple[str, int], Path] = {}
    for path in fluorescence:
        key = _key(_named(path, pattern, roots, 1))
        if key in stained:
            raise ImageError(
                f"{stained[key].name} and {path.name}: both are the stain of position {key[0]!r} at time {key[1]}; give --pattern"
            )
        stained[key] = path
    pairs = []
    for path in sorted(phase):
        name = _named(path, pattern, roots, 0)
        partner = stained.pop(_key(name), None)
        if partner is not None:
            pairs.append(Pair(name, partner))
    if not pairs:
        raise ImageError(
            f"expected pairs of images, but no name of {phase[0].parent} fits one of {fluorescence[0].parent} "
            f"(such as {phase[0].name} and {fluorescence[0].name}); give --pattern with groups position and frame"
        )
    left = tuple(Skipped(path.name, "no phase-contrast image of this name") for path in stained.values())
    return Pairs(tuple(pairs), left)


def _named(path: Path, pattern: str | None, roots: tuple[Path, Path] | None, which: int) -> FrameName:
    return parse_name(path, pattern, folder_of(path, roots[which]) if roots else "")


def _key(name: FrameName) -> tuple[str, int]:
    return name.position, name.time


def activity(phase: NDArray[np.generic]) -> Float32:
    """Where cells are in phase contrast: local spread of the flattened image, (h, w)."""
    flat = np.clip(flatten(phase), -3, 3)
    mean = cv2.GaussianBlur(flat, (0, 0), 5)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur(flat * flat, (0, 0), 5) - mean**2, 0))
    return np.asarray(cv2.GaussianBlur(spread - 0.5 * mean, (0, 0), 3), np.float32)


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
    limit = min(LARGEST_OFFSET, min(phases[0].shape[:2]) // 4)
    total = np.zeros((2 * limit + 1, 2 * limit + 1), np.float32)
    for phase, mask in zip(phases, labels, strict=True):
        nuclei = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 3)
        surface = correlation(activity(phase), nuclei, limit, sharp=0.0)
        total += surface / max(float(surface.std()), 1e-12)
    found = peak(total)
    inside = max(abs(found.row), abs(found.col)) < limit - 1
    curved = float(total.max() - np.median(total)) / (
        float(np.median(np.abs(total - np.median(total)))) + 1e-12
    )
    return Offset(found.row, found.col, curved) if inside else Offset(0.0, 0.0, curved)
