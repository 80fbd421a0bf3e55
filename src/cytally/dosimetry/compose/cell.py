"""One composed cell: a real field in which some chromosomes were broken, rejoined and pasted back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.rearrange import Rearrangement
from cytally.dosimetry.compose.restyle import Restyle, restyled
from cytally.types import Image, Points

Float32 = NDArray[np.float32]

#: A field that is composed is chosen this many times as often as one that stays as it is.
_OFTEN = 4
#: Most blur added to a whole cell, in parts of a chromosome's size.
_DEFOCUS = 0.06
#: Grey level of the empty slide in a composed image.
_LIGHT = 40_000.0


@dataclass(frozen=True)
class Wanted:
    """Means of what a composed cell gets.

    Attributes
    ----------
    dicentrics, excess, rings : float
        Poisson means of exchanges, of deletions and of centric rings.
    anew : (int, int)
        Normal chromosomes pasted back by the same steps: least and most.
    lined_up : float
        Poisson mean of pairs laid end to end without joining.
    swapped : float
        Share of what is laid that comes from another field.
    silent : float
        Share of cells without any aberration.
    restyled : float
        Share of cells in another laboratory's look.
    """

    dicentrics: float = 2.5
    excess: float = 1.2
    anew: tuple[int, int] = (6, 18)
    lined_up: float = 0.4
    swapped: float = 0.3
    silent: float = 0.25
    rings: float = 0.15
    restyled: float = 0.0


@dataclass(frozen=True)
class ComposedCell:
    """A picture, its labels, and what was laid where.

    Attributes
    ----------
    image : Image
        uint16 grey.
    points : Points
        Dicentrics, fragments and rings.
    laid : ndarray of float, shape (n, 2)
        Middles of the normal chromosomes pasted back.
    untouched : ndarray of float, shape (m, 2)
        Middles of the single chromosomes that stayed as they were.
    field : str
        Where it comes from.
    """

    image: Image
    points: Points
    laid: NDArray[np.float64]
    untouched: NDArray[np.float64]
    field: str


def compose_cell(fields: tuple[Field, ...], wanted: Wanted, rng: np.random.Generator) -> ComposedCell:
    """Make one labelled cell of unlabelled ones.

    Parameters
    ----------
    fields : tuple of Field
        Unexposed cells; one of them is changed, others may lend chromosomes.
    wanted : Wanted
    rng : numpy.random.Generator
        The same state gives the same cell.
    """
    weight = np.array([_OFTEN if f.uprights else 1 for f in fields], float)
    here = fields[int(rng.choice(len(fields), p=weight / weight.sum()))]
    bench = Rearrangement.of(fields, here, wanted.swapped, rng)
    if rng.random() >= wanted.silent:
        for _ in range(min(int(rng.poisson(wanted.dicentrics)), len(bench.donors) // 4)):
            bench.dicentric()
        for _ in range(int(rng.poisson(wanted.rings))):
            bench.ring()
        for _ in range(int(rng.poisson(wanted.excess))):
            bench.deletion()
    for _ in range(int(rng.poisson(wanted.lined_up))):
        bench.end_to_end()
    for _ in range(int(rng.integers(wanted.anew[0], wanted.anew[1] + 1))):
        bench.normal()
    bench.lay_all()
    untouched = [here.segmented.chromosomes[i].middle for i in bench.donors]
    size, stain = here.segmented.size, here.segmented.stain
    density = bench.sheet.density
    if wanted.restyled > 0 and rng.random() < wanted.restyled:
        density = restyled(density, size, stain, Restyle.draw(rng), rng)
    return ComposedCell(
        picture(_refocused(density, size, rng), here.source),
        _points(bench.labels),
        np.array(bench.laid, float).reshape(-1, 2),
        np.array(untouched, float).reshape(-1, 2),
        here.source,
    )


def _refocused(density: Float32, size: float, rng: np.random.Generator) -> Float32:
    """The whole cell a little out of focus, half of the time; the camera's noise stays."""
    if rng.random() < 0.5:
        return density
    fine = density - cv2.GaussianBlur(density, (0, 0), 0.02 * size + 0.5)
    noise = float(np.median(np.abs(fine))) * 1.48
    soft = cv2.GaussianBlur(density, (0, 0), max(rng.uniform(0, _DEFOCUS) * size, 0.3))
    return np.asarray(soft + rng.standard_normal(density.shape, dtype=np.float32) * np.float32(noise))


def picture(density: Float32, source: str) -> Image:
    """A density (h, w) as a camera would have seen it, 16 bit."""
    grey = cv2.exp(np.asarray(density * np.float32(-np.log(10)), np.float32)) * np.float32(_LIGHT)
    return Image(np.clip(np.rint(grey), 0, 65535).astype(np.uint16), None, f"composed from {source}")


def _points(labels: list[tuple[str, float, float]]) -> Points:
    return Points(
        np.array([row for _, row, _ in labels], float),
        np.array([col for _, _, col in labels], float),
        tuple(name for name, _, _ in labels),
    )
