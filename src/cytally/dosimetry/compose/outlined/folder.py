"""Images of a folder and their class maps -> fields to compose from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.outlined.fields import OVERLAP, Outlined, outlined_field
from cytally.dosimetry.density import bright_on_dark
from cytally.errors import ImageError, InputError, LabelError
from cytally.files.names import shown
from cytally.images.masks import grey, read_numbers
from cytally.images.read import find_images, read
from cytally.progress import Progress
from cytally.types import Image, Skipped


def read_outlined(folder: Path, outlines: Path, skipped: list[Skipped], progress: Progress) -> tuple[Field, ...]:
    """Take the fields of a folder apart along the class maps of another, or of the same, folder.

    Parameters
    ----------
    folder : Path
        Fluorescence images (DAPI) of unexposed metaphases.
    outlines : Path
        A class map for each, of the same name up to the ending; in the M-FISH set, whose images end in D,
        the same name with K in place of D.
    skipped : list of Skipped
        Gets the images that cannot be used, with the reason.
    progress : callable

    Raises
    ------
    ImageError
        No image has a class map.
    """
    pairs, alone = _paired(folder, outlines)
    if not pairs:
        raise ImageError(
            f"{shown(folder)}: expected images with class maps of the same name in {shown(outlines)} "
            "(or ending in K where the image ends in D), found none"
        )
    skipped += [Skipped(shown(path.name), f"no class map of its name in {shown(outlines)}") for path in alone]
    found = []
    for number, (path, map_) in enumerate(pairs, start=1):
        try:
            found.append(outlined_field(_outlined(path, map_)))
        except InputError as error:
            skipped.append(Skipped(shown(path.name), error.beside(shown(path))))
        progress("taking fields apart", number, len(pairs))
    return tuple(found)


def _paired(folder: Path, outlines: Path) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Images with their class maps, and images that have none; a class map is no image."""
    maps = {path.stem: path for path in find_images(outlines)}
    same = folder.resolve() == outlines.resolve()
    pairs, alone = [], []
    for path in find_images(folder):
        partner = maps.get(f"{path.stem[:-1]}K") if path.stem.endswith("D") else None
        partner = partner or (None if same else maps.get(path.stem))
        if partner is not None:
            pairs.append((path, partner))
        else:
            alone.append(path)
    used = {map_ for _, map_ in pairs}
    return pairs, [path for path in alone if path not in used]


def _outlined(path: Path, map_: Path) -> Outlined:
    image = read(path)
    pixels = np.asarray(grey(image))
    if not bright_on_dark(pixels.astype(np.float32)):
        raise ImageError(
            "expected fluorescence, bright chromosomes on a dark ground, got dark ones on a bright ground; "
            "Giemsa images are taken apart without outlines: give them a folder of their own, without --outlines",
            shown(path),
        )
    numbers = read_numbers(map_)
    if int(numbers.max()) > OVERLAP:
        raise LabelError(
            f"expected classes 0 to 24 and {OVERLAP} (overlap), got {int(numbers.max())}; "
            "is it a map of numbered objects?",
            shown(map_),
        )
    return Outlined(Image(pixels, None, shown(path)), numbers.astype(np.uint8))
