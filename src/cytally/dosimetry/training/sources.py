"""Where training cells come from: the simulator, or folders with labels.csv.

Every source gives cell number n the same way each time, so that a killed
training run finds its cells again; sources can be mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cytally.dosimetry.compose.cell import ComposedCell, Wanted, compose_cell
from cytally.dosimetry.compose.field import Field
from cytally.dosimetry.compose.outlined.drawn import Geometry, drawn_field
from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.simulate.breakage import Damage
from cytally.dosimetry.simulate.cell import SimulatedCell, simulate_cell
from cytally.dosimetry.simulate.styles import TRAINING_MIX, style_named
from cytally.errors import ImageError, LabelError, SettingsError
from cytally.images.inputs import names_below
from cytally.images.read import find_images, read
from cytally.labels.points import read_labels
from cytally.training.examples import CellSource, TrainingCell
from cytally.types import Image, Points

#: Added to the number of a cell that is refused: far from all numbers that are asked for.
_ANOTHER = 1_000_000_007
#: What an ensemble detects.
CLASSES = ("dicentric", "fragment")
#: What training also predicts, because it helps, and an ensemble leaves out.
AUXILIARY = ("monocentric", "centromere")
#: Poisson means of exchanges and excess acentrics in `paper_cells`, and their style.
PAPER_MEANS, PAPER_STYLE = (0.466, 0.234), "mixed"


@dataclass(frozen=True)
class SimulatedSource:
    """Fresh simulated cells with many aberrations, and enough silent ones.

    Attributes
    ----------
    seed : int
    classes : tuple of str
        One channel each; other things are drawn but not labelled.
    silent : float
        Share of cells without any aberration.
    dicentrics, excess, rings : float
        Poisson means in the other cells.
    aberrant : bool
        In the other cells at least one aberration: a cell that drew none draws again.
    unscorable : float
        Share of incomplete, double, prometaphase and smeared cells.
    mix : dict of str to float
        Weight of each style.
    shape : (h, w)
        A little smaller than a camera's, since making cells is what takes the time.
    """

    seed: int
    classes: tuple[str, ...] = CLASSES + AUXILIARY
    silent: float = 0.3
    dicentrics: float = 4.0
    excess: float = 1.5
    rings: float = 0.25
    aberrant: bool = False
    unscorable: float = 0.05
    shape: tuple[int, int] = (768, 832)
    mix: dict[str, float] = field(default_factory=lambda: dict(TRAINING_MIX))

    def simulated(self, index: int) -> SimulatedCell:
        """Cell number `index` before normalisation."""
        rng = np.random.default_rng([self.seed, index])
        names = sorted(self.mix)
        weights = np.array([self.mix[name] for name in names], dtype=float)
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        style = replace(style_named(name), unscorable=self.unscorable)
        counts = Damage()
        if rng.random() >= self.silent:
            counts = self._damage(rng)
        return simulate_cell(style, counts, rng, self.shape)

    def _damage(self, rng: np.random.Generator) -> Damage:
        while True:
            counts = Damage(*(int(rng.poisson(mean)) for mean in (self.dicentrics, self.rings, self.excess)))
            if not self.aberrant or counts != Damage():
                return counts

    def cell(self, index: int) -> TrainingCell:
        """Cell number `index`, normalised; one in four by its pixel size; another where that one is refused."""
        made = self.simulated(index)
        known = index % 4 == 0
        try:
            density = normalise(made.image if known else Image(made.image.pixels))
        except ImageError:  # unscorable ones may have nothing of a chromosome's size
            return self.cell(index + _ANOTHER)
        return training_cell(density, made.evidence, self.classes)


def paper_cells(seed: int) -> SimulatedSource:
    """Cells with the counts of the preprint's training set, in one style, as one laboratory's are.

    Its 5,430 images hold 5,021 dicentrics and 7,540 fragments, at least one aberration each (thesis,
    4.3.1). Poisson means of 0.466 exchanges and 0.234 excess acentrics give, without the cells that
    drew nothing, 0.925 dicentrics and 1.39 fragments an image: each exchange leaves a fragment.
    """
    return SimulatedSource(
        seed,
        CLASSES,
        silent=0.0,
        dicentrics=PAPER_MEANS[0],
        rings=0.0,
        excess=PAPER_MEANS[1],
        aberrant=True,
        unscorable=0.0,
        mix={PAPER_STYLE: 1.0},
    )


@dataclass(frozen=True)
class ComposedSource:
    """Cells composed from real ones that nobody labelled.

    Attributes
    ----------
    fields : tuple of Field
    seed : int
    wanted : Wanted
    """

    fields: tuple[Field, ...]
    seed: int
    wanted: Wanted = field(default_factory=Wanted)
    classes: tuple[str, ...] = CLASSES + AUXILIARY

    def cell(self, index: int) -> TrainingCell:
        """Cell number `index`; where its normal centromeres lie is not known; another where that one is refused."""
        return _composed(self, compose_cell(self.fields, self.wanted, np.random.default_rng([self.seed, index])), index)


@dataclass(frozen=True)
class DrawnSource:
    """Cells composed of chromosomes that are drawn where real ones lay.

    Attributes
    ----------
    geometries : tuple of Geometry
    seed : int
    wanted : Wanted
    """

    geometries: tuple[Geometry, ...]
    seed: int
    wanted: Wanted = field(default_factory=Wanted)
    classes: tuple[str, ...] = CLASSES + AUXILIARY

    def cell(self, index: int) -> TrainingCell:
        """Cell number `index`: another look each time; another cell where that one is refused."""
        rng = np.random.default_rng([self.seed, index])
        here = drawn_field(self.geometries[int(rng.integers(len(self.geometries)))], rng)
        return _composed(self, compose_cell((here,), self.wanted, rng), index)


def _composed(source: ComposedSource | DrawnSource, made: ComposedCell, index: int) -> TrainingCell:
    """A composed cell, normalised; another of its source where it is refused."""
    try:
        density = normalise(made.image)
    except ImageError:
        return source.cell(index + _ANOTHER)
    return training_cell(density, made.points, source.classes, known=CLASSES)


@dataclass(frozen=True)
class FolderSource:
    """Labelled images; number n is image n, round and round.

    Attributes
    ----------
    images : tuple of (Path, Points)
        From `labelled_images`.
    classes : tuple of str
    """

    images: tuple[tuple[Path, Points], ...]
    classes: tuple[str, ...] = CLASSES + AUXILIARY

    def cell(self, index: int) -> TrainingCell:
        """Cell number `index`; the auxiliary channels are not labelled here and teach nothing."""
        path, points = self.images[index % len(self.images)]
        return training_cell(normalise(read(path)), points, self.classes, known=CLASSES)


def labelled_images(folder: Path) -> list[tuple[Path, Points]]:
    """Images of a labelled folder with their labels."""
    if not (folder / "labels.csv").is_file():
        raise LabelError(f"{folder}: expected a labelled folder with labels.csv, found none")
    paths = names_below(folder, find_images(folder))
    labels = read_labels(folder / "labels.csv", list(paths))
    return [(paths[name], labels[name]) for name in paths]


@dataclass(frozen=True)
class MixedSource:
    """Several sources, cell by cell, with weights."""

    sources: tuple[CellSource, ...]
    weights: tuple[float, ...]
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.weights) or not self.sources:
            raise SettingsError(f"expected one weight per source, got {len(self.weights)} for {len(self.sources)}")

    def cell(self, index: int) -> TrainingCell:
        """Cell number `index` of a source chosen by that number."""
        rng = np.random.default_rng([self.seed, index])
        share = np.array(self.weights, dtype=float)
        chosen = int(rng.choice(len(self.sources), p=share / share.sum()))
        return self.sources[chosen].cell(index)


def training_cell(
    density: Density, points: Points, classes: Sequence[str], known: Sequence[str] | None = None
) -> TrainingCell:
    """Labels of the classes, moved into the normalised grid.

    `known` names the classes that were labelled; the loss leaves the others alone.
    """
    keep = [k for k, name in enumerate(points.names) if name in classes]
    places = np.stack([points.row[keep], points.col[keep]], axis=1)
    channels = [classes.index(points.names[k]) for k in keep]
    labelled = [name in (classes if known is None else known) for name in classes]
    return TrainingCell.pack(density.values, density.from_image(places), channels, labelled)
