"""A detector on unexposed cells: every detection is a false one, or nearly so, and needs no label."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.curves.fit import dose_at
from cytally.dosimetry.detectors.protocol import Detector
from cytally.dosimetry.reporting.run_page import Finding, gallery
from cytally.dosimetry.scoring.cells import ScoredCell, without_repeats
from cytally.dosimetry.scoring.score import score_file
from cytally.dosimetry.simulate.breakage import DICENTRICS
from cytally.figures.pages import render
from cytally.files.atomic import write_bytes, write_text
from cytally.progress import Progress
from cytally.statistics.poisson import garwood
from cytally.types import Skipped
from cytally.wording import counted

#: Dicentrics per cell that unexposed people carry (IAEA 2011, table 5).
BACKGROUND = DICENTRICS[0]
#: Above this the cells are not unexposed, or the detector does not fit them.
_ALARM = 0.02
PAGE, FIGURES = "normal.html", "normal.json"


@dataclass(frozen=True)
class Rate:
    """Detections of one class in cells taken as unexposed.

    Attributes
    ----------
    name : str
    found, cells : int
    per_cell, lower, upper : float
        With exact 95 % limits (Garwood).
    reads_as_gy : float
        Dose that this rate, uncorrected, would read as on the IAEA 60Co curve; NaN for fragments.
    upper_reads_as_gy : float
        The same for the upper limit.
    """

    name: str
    found: int
    cells: int
    per_cell: float
    lower: float
    upper: float
    reads_as_gy: float
    upper_reads_as_gy: float


@dataclass(frozen=True)
class NormalCells:
    """What a detector raised in cells taken as unexposed."""

    rates: tuple[Rate, ...]
    cells: tuple[ScoredCell, ...]
    skipped: tuple[Skipped, ...]

    @property
    def words(self) -> list[str]:
        """What the rates mean, one sentence each."""
        return [sentence(rate) for rate in self.rates]


def evaluate_normal(paths: Mapping[str, Path], detector: Detector, progress: Progress) -> NormalCells:
    """Score cells that are taken as unexposed; the same picture counts once.

    Parameters
    ----------
    paths : mapping of str to Path
        Images by their names; what cannot be scored is listed in the result.
    detector : Detector
    progress : callable
    """
    looked = []
    for number, (name, path) in enumerate(paths.items(), start=1):
        looked.append(score_file(path, name, detector))
        progress("scoring normal cells", number, len(paths))
    every = without_repeats(looked)
    cells = [cell for cell in every if cell.scored]
    skipped = [cell.skipped for cell in every if cell.skipped]
    rates = tuple(rate_of(name, sum(c.detections.count(name) for c in cells), len(cells)) for name in detector.classes)
    return NormalCells(rates, tuple(cells), tuple(skipped))


def rate_of(name: str, found: int, cells: int) -> Rate:
    """A rate with its limits, and what it would read as in dose."""
    if cells == 0:
        return Rate(name, 0, 0, *[float("nan")] * 5)
    limits = garwood(found)
    low, high = limits.lower / cells, limits.upper / cells
    reads = [reads_as(r) if name == "dicentric" else float("nan") for r in (found / cells, high)]
    return Rate(name, found, cells, found / cells, low, high, reads[0], reads[1])


def reads_as(per_cell: float) -> float:
    """Dose in Gy that a rate of false dicentrics, uncorrected, reads as (IAEA 2011, table 5).

    Examples
    --------
    >>> round(reads_as(0.002), 2), round(reads_as(0.02), 2), round(reads_as(0.1), 1)
    (0.08, 0.42, 1.1)
    """
    return dose_at(per_cell, np.array([0.0, *DICENTRICS[1:]]))


def sentence(rate: Rate) -> str:
    """What a rate means, for people."""
    if rate.cells == 0:
        return f"no cell could be scored, so nothing is known about {rate.name}s"
    text = (
        f"{counted(rate.found, rate.name + 's')} in {counted(rate.cells, 'cells')}: {rate.per_cell:.4f} per cell "
        f"({rate.lower:.4f} to {rate.upper:.4f}, 95 %)"
    )
    if rate.name != "dicentric":
        return text
    text += (
        f"; uncorrected this reads as {rate.reads_as_gy:.2f} Gy, at the upper limit as "
        f"{rate.upper_reads_as_gy:.2f} Gy (unexposed people carry about {BACKGROUND:.4f} per cell)"
    )
    if rate.lower > _ALARM:
        text += (
            ". This is far too many for unexposed cells: either they were exposed or the detector does "
            "not fit them; look at the gallery"
        )
    elif rate.found == 0 and rate.upper > _ALARM:
        text += f". More cells would say more: {int(np.ceil(3.69 / 0.005))} without any would keep it below 0.005"
    return text


def write_normal(result: NormalCells, paths: Mapping[str, Path], folder: Path, detector: Detector) -> None:
    """Write normal.json and normal.html, a page with a gallery of all that was raised."""
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / FIGURES, (json.dumps(as_figures(result, detector), indent=1) + "\n").encode())
    pictures = gallery(result.cells, dict(paths))
    write_text(folder / PAGE, page(result, pictures, detector))


def as_figures(result: NormalCells, detector: Detector) -> dict[str, object]:
    """Plain numbers, for JSON."""
    rates = [{k: None if v != v else v for k, v in asdict(rate).items()} for rate in result.rates]
    return {
        "ensemble": detector.name,
        "detector": detector.identity,
        "rates": rates,
        "skipped": [vars(one) for one in result.skipped],
    }


def page(result: NormalCells, pictures: Sequence[Finding], detector: Detector) -> str:
    """The page as HTML."""
    return render(
        "cytally.dosimetry",
        "normal.html",
        result=result,
        gallery=pictures,
        name=detector.name,
        detector=detector.identity,
    )
