"""selection.html: examples of what can be scored, and of every reason why the rest cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from cytally.dosimetry.selection.choose import SCORABLE, Looked
from cytally.errors import ImageError
from cytally.figures.overlays import viewable
from cytally.figures.pages import embedded, render
from cytally.files.atomic import write_text
from cytally.images.read import read
from cytally.images.write import encode

PAGE = "selection.html"
#: Examples of each group, and how wide they are, pixels.
EXAMPLES, _WIDE = 12, 230


@dataclass(frozen=True)
class Group:
    """Cells of one reason.

    Attributes
    ----------
    name : str
    count : int
    examples : tuple of (caption, picture)
        The least sure first, as they are worth a look.
    """

    name: str
    count: int
    examples: tuple[tuple[str, str], ...]


def write_page(folder: Path, cells: Sequence[Looked], paths: Mapping[str, Path], identity: str) -> Path:
    """Write the page.

    Parameters
    ----------
    folder : Path
    cells : sequence of Looked
    paths : mapping of str to Path
        Where each image lies.
    identity : str
        Of the model.
    """
    groups: dict[str, list[Looked]] = {}
    for cell in cells:
        if cell.skipped is None:
            groups.setdefault(cell.reason or SCORABLE, []).append(cell)
    order = sorted(groups, key=lambda name: (name != SCORABLE, -len(groups[name]), name))
    text = render(
        "cytally.dosimetry",
        "selection.html",
        groups=[Group(name, len(groups[name]), _examples(groups[name], paths)) for name in order],
        looked=sum(len(group) for group in groups.values()),
        scorable=len(groups.get(SCORABLE, ())),
        skipped=[cell.skipped for cell in cells if cell.skipped is not None],
        identity=identity,
    )
    write_text(folder / PAGE, text)
    return folder / PAGE


def _examples(cells: Sequence[Looked], paths: Mapping[str, Path]) -> tuple[tuple[str, str], ...]:
    """Those about which the model was least sure."""
    doubtful = sorted(cells, key=lambda c: (abs((c.probability if c.probability is not None else 1.0) - 0.5), c.image))
    shown = []
    for cell in doubtful[:EXAMPLES]:
        try:
            picture = viewable(read(paths[cell.image]))
        except ImageError:  # it could be read before
            continue
        scale = _WIDE / picture.shape[1]
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        sure = "" if cell.probability is None else f", {cell.probability:.2f}, about {cell.chromosomes} pieces"
        shown.append((f"{cell.image}{sure}", embedded(encode(small[..., ::-1], ".jpg"), "image/jpeg")))
    return tuple(shown)
