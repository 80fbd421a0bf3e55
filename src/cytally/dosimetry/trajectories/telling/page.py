"""Figures and sentences on a page, and all files of a folder."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import cv2
import numpy as np

from cytally.dosimetry.trajectories.places import GROUPS, KINDS
from cytally.dosimetry.trajectories.probe import Probes
from cytally.dosimetry.trajectories.study import Trajectories
from cytally.dosimetry.trajectories.telling.numbers import arrays, numbers
from cytally.dosimetry.trajectories.telling.sentences import sentences
from cytally.errors import OutputError
from cytally.figures.latent.clouds import EntropyMap, EpochCloud, clouds_figure, paths_figure
from cytally.figures.latent.shares import SharesBeside, Turning, areas_figure, chance_figure, similarity_figure
from cytally.figures.overlays import viewable
from cytally.figures.pages import embedded, render
from cytally.figures.style import as_svg
from cytally.files.atomic import write_bytes, write_text
from cytally.files.names import shown
from cytally.images.write import encode
from cytally.types import Image

#: Files of the folder; the page is written last.
ARRAYS, NUMBERS, PAGE = "trajectories.npz", "trajectories.json", "trajectories.html"
_PANELS = 6
#: Height of a picture in the strip of layers.
_STRIP = 220


def check_folder(out: Path) -> None:
    """Refuse, before anything is computed, a folder that can be neither written nor made.

    Raises
    ------
    OutputError
        It lies below a file, or nobody may write there.
    """
    there = next(each for each in (out, *out.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise OutputError(f"{shown(out)}: cannot be written (see {shown(there)}); give another --out")


def write_trajectories(found: Trajectories, out: Path) -> None:
    """Write arrays, numbers and page into a folder, each whole or not at all.

    Raises
    ------
    OutputError
        A disk that refuses.
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays(found))
    figures, html = json.dumps(numbers(found), indent=1, allow_nan=False), page(found)
    out.mkdir(parents=True, exist_ok=True)
    write_bytes(out / ARRAYS, buffer.getvalue())
    write_text(out / NUMBERS, figures + "\n")
    write_text(out / PAGE, html)


def page(found: Trajectories) -> str:
    """Everything as HTML that needs no other file."""
    return render(
        "cytally.dosimetry",
        "trajectories.html",
        found=found,
        name=shown(found.run.folder),
        said=sentences(found),
        clouds=_clouds(found),
        paths=_paths(found),
        shares=_shares(found),
        cka=as_svg(similarity_figure(found.followed.cka, found.run.epochs)),
        areas=_areas(found),
        strip=_strip(found.probes, found.run.architecture.multiple),
    )


def shown_epochs(count: int) -> list[int]:
    """Numbers of up to six epochs, evenly from the first to the last.

    Examples
    --------
    >>> shown_epochs(60), shown_epochs(3)
    ([0, 12, 24, 35, 47, 59], [0, 1, 2])
    """
    return [int(k) for k in np.unique(np.linspace(0, count - 1, min(count, _PANELS)).round())]


def _clouds(found: Trajectories) -> str:
    followed = found.followed
    edge = len(followed.map.entropy)
    panels = []
    for number in shown_epochs(len(found.run.epochs)):
        regions = followed.plane.probabilities(number, followed.map.grid).argmax(axis=1).reshape(edge, edge)
        panels.append(EpochCloud(f"epoch {found.run.epochs[number]}", followed.points[number], regions))
    return as_svg(clouds_figure(panels, found.sampled.kinds, KINDS, followed.map.extent))


def _paths(found: Trajectories) -> str:
    followed = found.followed
    around = EntropyMap(followed.map.entropy, followed.map.extent, float(np.log(len(GROUPS))))
    both = [("centroids of this training", followed.paths), ("the same steps in random directions", followed.twin)]
    return as_svg(paths_figure(around, both, followed.centroids.classes, followed.centroids.sizes, GROUPS))


def _shares(found: Trajectories) -> str:
    paths = (("path of all weights", found.weights), ("path of all centroids together", found.followed.path))
    turning = Turning("how the weights turn", found.run.epochs[1:-1], found.weights.walk.cosines)
    return as_svg(chance_figure([SharesBeside(name, p.walk.shares, p.chance.shares) for name, p in paths], turning))


def _areas(found: Trajectories) -> str:
    areas = found.judged.areas
    return as_svg(areas_figure(list(areas), np.array([[a.value, a.low, a.high] for a in areas.values()])))


def _strip(probes: Probes, multiple: int) -> list[dict[str, object]]:
    """The cell, then each layer in colours without the padding to a multiple, all of one size."""
    height, width = probes.density.shape
    size = (round(_STRIP * width / height), _STRIP)
    grey = viewable(Image(-np.asarray(probes.density)))
    cell = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    strip: list[dict[str, object]] = [
        {"name": "the cell", "source": embedded(encode(cell[..., ::-1], ".png"), "image/png")}
    ]
    for one in probes.layers:
        rows = -(-height * one.colours.shape[0] // (height + -height % multiple))
        cols = -(-width * one.colours.shape[1] // (width + -width % multiple))
        enlarged = cv2.resize(one.colours[:rows, :cols], size, interpolation=cv2.INTER_NEAREST)
        source = embedded(encode(enlarged[..., ::-1], ".png"), "image/png")
        strip.append({"name": f"{one.layer}, {one.channels} channels", "source": source})
    return strip
