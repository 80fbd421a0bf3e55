"""Simulated cells of every kind, with their traits."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from cytally.dosimetry.density import normalise
from cytally.dosimetry.scoring.score import no_metaphase
from cytally.dosimetry.selection.model import KINDS, WHOLE
from cytally.dosimetry.selection.traits import Traits, traits_of
from cytally.dosimetry.simulate.breakage import Exposure
from cytally.dosimetry.simulate.cell import simulate_cell
from cytally.dosimetry.simulate.styles import style_named
from cytally.errors import ImageError
from cytally.progress import Progress
from cytally.types import Image

STYLES = ("mixed", "hard", "lobed", "beaded", "pale", "dark")
#: Doses of the cells, Gy.
DOSES = (0.0, 0.0, 1.0, 2.0, 3.0, 4.0)
#: Complete cells for each of one kind that cannot be scored.
MORE = 6


@dataclass(frozen=True)
class Drawn:
    """One simulated cell.

    Attributes
    ----------
    style, kind : str
    dicentrics, pieces : int
    traits : Traits or None
        None where the image is refused before anything is measured.
    """

    style: str
    kind: str
    dicentrics: int
    pieces: int
    traits: Traits | None


def drawn_cells(seed: int, count: int, pool: Executor, progress: Progress) -> list[Drawn]:
    """So many cells of each kind that cannot be scored, and more complete ones."""
    jobs = [
        (STYLES[n % len(STYLES)], kind, n, DOSES[(n // len(STYLES)) % len(DOSES)])
        for kind in KINDS
        for n in range(count * (MORE if kind == WHOLE else 1))
    ]
    found = []
    for done, cell in enumerate(pool.map(partial(drawn, seed), jobs, chunksize=8), start=1):
        found.append(cell)
        progress("drawing cells", done, len(jobs))
    return found


def drawn(seed: int, job: tuple[str, str, int, float]) -> Drawn:
    """One cell of a style, kind, number and dose."""
    style, kind, number, dose = job
    rng = np.random.default_rng([seed, list(KINDS).index(kind), number])
    damage = Exposure(dose).draw(rng)
    made = simulate_cell(style_named(style), damage, rng, kind=kind)
    try:
        density = normalise(Image(made.image.pixels))
        traits = None if no_metaphase(density) else traits_of(density)
    except ImageError:
        traits = None
    dicentrics = sum(name == "dicentric" for name in made.points.names)
    return Drawn(style, kind, dicentrics, len(made.bodies), traits)
