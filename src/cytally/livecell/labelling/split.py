"""Labelled fields -> crops, parted by well or position, with nothing seen twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.errors import LabelError
from cytally.livecell.sequences import FrameName
from cytally.types import FloatArray

PARTS = ("train", "validation", "test")
#: Thumbnails that agree more than this show the same field.
SAME = 0.985
_THUMB = 48
#: Fewer fields cannot be kept apart whole; see `tiles`.
ENOUGH = 3


@dataclass(frozen=True)
class Field:
    """One labelled field: its name, the part it belongs to, and a thumbnail of its image."""

    name: FrameName
    part: str = ""
    thumb: FloatArray | None = None


@dataclass(frozen=True)
class Split:
    """Fields by part.

    Attributes
    ----------
    fields : tuple of Field
    by : {"well", "position", "time", "part of a field"}
        What keeps the parts apart.
    leaks : tuple of str
        Fields taken out of training because a kept one shows the same.
    """

    fields: tuple[Field, ...]
    by: str
    leaks: tuple[str, ...] = ()

    def of(self, part: str) -> list[Field]:
        """Fields of one part."""
        return [field for field in self.fields if field.part == part]


def windows(shape: tuple[int, int], side: int = 512) -> list[tuple[slice, slice]]:
    """As many crops of `side` as fit side by side, spread evenly; the whole where none fits.

    Examples
    --------
    >>> len(windows((1040, 1408)))
    4
    """
    rows, cols = (
        [(0, size)]
        if size < side
        else [(start, start + side) for start in np.linspace(0, size - side, size // side).round().astype(int).tolist()]
        for size in shape
    )
    return [(slice(*row), slice(*col)) for row in rows for col in cols]


def split_fields(names: Sequence[FrameName], seed: int = 1, shares: tuple[float, float] = (0.15, 0.15)) -> Split:
    """Give each field to training, validation or test: whole wells, else whole positions.

    With fewer than three positions the sequence is cut in time, with frames between the parts
    left out; the same cells are then in all parts, and figures are too good. `by` says so.

    Parameters
    ----------
    names : sequence of FrameName
    seed : int
    shares : tuple of float
        Of validation and test.

    Raises
    ------
    LabelError
        Fewer than three fields.
    """
    if len(names) < ENOUGH:
        raise LabelError(
            f"expected at least three labelled fields, one each to learn, validate and test; got {len(names)}"
        )
    wells, positions = {n.well for n in names}, {n.position for n in names}
    if len(wells) >= 3:
        return Split(_by_group(names, [n.well for n in names], seed, shares), "well")
    if len(positions) >= 3:
        return Split(_by_group(names, [n.position for n in names], seed, shares), "position")
    return Split(_by_time(names, shares), "time")


def _by_group(
    names: Sequence[FrameName], keys: Sequence[str], seed: int, shares: tuple[float, float]
) -> tuple[Field, ...]:
    groups = sorted(set(keys))
    order = [groups[k] for k in np.random.default_rng(seed).permutation(len(groups))]
    tests, validations = (max(1, round(share * len(groups))) for share in (shares[1], shares[0]))
    part = {
        key: "test" if k < tests else "validation" if k < tests + validations else "train"
        for k, key in enumerate(order)
    }
    return tuple(Field(name, part[key]) for name, key in zip(names, keys, strict=True))


def _by_time(names: Sequence[FrameName], shares: tuple[float, float]) -> tuple[Field, ...]:
    ordered = sorted(names, key=lambda n: (n.time, n.position))
    count = len(ordered)
    test, validation = (max(1, round(share * count)) for share in (shares[1], shares[0]))
    gap = 1 if count >= 12 else 0
    last = count - test - gap
    result = []
    for k, name in enumerate(ordered):
        if k >= count - test:
            result.append(Field(name, "test"))
        elif last - validation <= k < last:
            result.append(Field(name, "validation"))
        elif k < last - validation - gap:
            result.append(Field(name, "train"))
    return tuple(result)


def thumbnail(pixels: NDArray[np.generic]) -> FloatArray:
    """A small normalised picture (48 * 48,) of a field, by which doubles are known."""
    grey = np.asarray(pixels, np.float32)
    grey = grey.mean(axis=2) if grey.ndim == 3 else grey
    small = cv2.resize(grey, (_THUMB, _THUMB), interpolation=cv2.INTER_AREA).astype(float)
    small -= cv2.GaussianBlur(small, (0, 0), 6)
    return np.asarray((small - small.mean()).ravel() / (np.linalg.norm(small - small.mean()) + 1e-9))


def without_leaks(split: Split) -> Split:
    """Take fields out of training that show the same as one kept for validation or test.

    By content, whatever the files are called: the same frame often lies in a training set and,
    under another name, in a sequence. Parts cut from one sequence in time look alike by nature;
    there only copies count.
    """
    same = SAME if split.by != "time" else 0.9999
    kept = np.array([f.thumb for f in split.fields if f.part != "train" and f.thumb is not None])
    leaks, fields = [], []
    for field in split.fields:
        if field.part == "train" and field.thumb is not None and len(kept) and (kept @ field.thumb).max() > same:
            leaks.append(field.name.path.name)
            fields.append(replace(field, part="leak"))
        else:
            fields.append(field)
    return Split(tuple(fields), split.by, tuple(leaks))
