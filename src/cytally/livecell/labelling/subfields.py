"""One or two labelled fields -> parts of them, so that even these can teach, validate and test.

Parts are written as images and masks of their own, and everything after them treats them as
fields. A strip between them is left out; a nucleus larger than that may still have a piece on
either side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from cytally.errors import LabelError
from cytally.images.masks import read_mask, write_mask
from cytally.images.read import read
from cytally.images.write import write
from cytally.livecell.labelled import IMAGES, LABELS, LabelledField, read_labelled
from cytally.livecell.labelling.split import Field, Split
from cytally.segmentation.declump import relabelled

#: Parts along the shorter and the longer side, the strip between them, and the least edge of one; pixels.
GRID, STRIP, LEAST = (2, 3), 24, 96


def in_tiles(kept: Sequence[LabelledField], folder: Path) -> list[LabelledField]:
    """Cut each field in six parts, written to `folder`/phase and `folder`/labels.

    Parts without a nucleus stay: they are ground to learn from.

    Raises
    ------
    LabelError
        A field too small for that.
    """
    for place in (folder / IMAGES, folder / LABELS):
        place.mkdir(parents=True, exist_ok=True)
        for old in place.glob("*_part?.tif"):
            old.unlink()
    for index, each in enumerate(kept):
        image, labels = read(each.name.path), read_mask(each.label)
        stem = f"{index}_{each.name.path.stem}" if len(kept) > 1 else each.name.path.stem
        for number, window in enumerate(_windows(labels.shape)):
            name = f"{stem}_part{number}.tif"
            write(folder / IMAGES / name, replace(image, pixels=image.pixels[window]))
            write_mask(folder / LABELS / name, relabelled(labels[window]))
    return read_labelled(folder).kept


def split_tiles(tiles: Sequence[LabelledField]) -> Split:
    """The parts with most nuclei but one and but two validate and test, all others are learnt from.

    Raises
    ------
    LabelError
        Fewer than three parts hold a nucleus.
    """
    ordered = sorted(tiles, key=lambda tile: -tile.nuclei)
    if len(ordered) < 3 or ordered[2].nuclei == 0:
        raise LabelError(
            f"expected nuclei in at least three of {len(tiles)} parts of the labelled fields, to learn, validate and test; "
            f"got them in {sum(tile.nuclei > 0 for tile in tiles)}; give more fields, or look at the contact sheet for what was taken out"
        )
    part = {1: "validation", 2: "test"}
    return Split(tuple(Field(tile.name, part.get(k, "train")) for k, tile in enumerate(ordered)), "part of a field")


def _windows(shape: tuple[int, ...]) -> list[tuple[slice, slice]]:
    across = GRID if shape[0] <= shape[1] else GRID[::-1]
    sides = []
    for size, count in zip(shape, across, strict=True):
        edges = np.rint(np.linspace(-STRIP / 2, size + STRIP / 2, count + 1)).astype(int).tolist()
        sides.append([slice(a + STRIP // 2, b - STRIP // 2) for a, b in pairwise(edges)])
    if min(part.stop - part.start for side in sides for part in side) < LEAST:
        raise LabelError(
            f"expected three labelled fields, or one of {GRID[0] * (LEAST + STRIP)} x {GRID[1] * (LEAST + STRIP)} pixels "
            f"to cut in parts; got {shape[0]} x {shape[1]}"
        )
    return [(row, col) for row in sides[0] for col in sides[1]]
