"""Networks of each uncertainty method made from the runs that are there, and what each method answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cytally.dosimetry.training.average import training_images
from cytally.dosimetry.training.sources import CLASSES, paper_cells
from cytally.errors import RunError
from cytally.evaluation.bands import Scored, at_most
from cytally.evaluation.islands import Answers, Island, hits_of, tallied
from cytally.files.atomic import write_bytes
from cytally.files.runs import read_record
from cytally.inference.card import sha256_of
from cytally.nets.unet import UNet
from cytally.training.checkpoints import member_path, save_tensors, weights_of
from cytally.training.examples import Targets
from cytally.training.posterior.gaussian import gaussian_of
from cytally.training.posterior.normalisation import Weights, load_averaged
from cytally.training.tasks.heatmaps import PAPER_SMALL

from .answers import architecture_of_run, checkpoints_of
from .tables import LIMITS, Row

#: Networks of an ensemble or drawn ones.
MANY = 10
#: Bins of the calibration error.
BINS = 10
#: Of the diagonal's standard deviation: half of the variance, as in the code of SWAG's authors and, with the other half from the
#: deviations, in eq. 1.51.
DIAGONAL = 0.5**0.5


@dataclass(frozen=True)
class Method:
    """Which networks answer together, and what they cost.

    Attributes
    ----------
    name : str
    members : tuple of Path
        Their heatmaps are averaged (thesis eq. 1.53).
    trainings : int
        Runs that must have been trained to their end.
    """

    name: str
    members: tuple[Path, ...]
    trainings: int


def methods_of(runs: dict[str, Path], last: int, out: Path) -> list[Method]:
    """Every method that these runs allow; averaged and drawn networks are written where they are missing."""
    found: list[Method] = []
    ends, means, spaced, drawn = [], [], [], []
    for name, run in runs.items():
        checkpoints = checkpoints_of(run, last)
        made = averaged(run, checkpoints, out / "networks" / name)
        some = tuple(checkpoints[k] for k in np.linspace(0, last - 1, MANY).round().astype(int))
        ends.append(checkpoints[-1])
        means.append(made["mean"][0])
        spaced.append(some)
        drawn.append(made["low rank"])
        found += [
            Method(f"last checkpoint, {name}", (checkpoints[-1],), 1),
            Method(f"SWA of {last}, {name}", made["mean"], 1),
            Method(f"SWAG diagonal, {MANY} draws, {name}", made["diagonal"], 1),
            Method(f"SWAG low rank, {MANY} draws, {name}", made["low rank"], 1),
            Method(f"{MANY} checkpoints of the last {last}, {name}", some, 1),
        ]
    for count in range(2, len(runs) + 1):
        each = MANY // count
        found += [
            Method(f"deep ensemble of {count}", tuple(ends[:count]), count),
            Method(f"deep ensemble of {count} SWA", tuple(means[:count]), count),
            Method(f"multi-SWAG, {count} x {each}", tuple(p for d in drawn[:count] for p in d[:each]), count),
            Method(f"{count} x {each} checkpoints", tuple(p for s in spaced[:count] for p in s[::count][:each]), count),
        ]
    return found


def averaged(run: Path, checkpoints: tuple[Path, ...], folder: Path) -> dict[str, tuple[Path, ...]]:
    """SWA and SWAG's draws of one run, each in a folder that reads like a run."""
    gaussian, seed = gaussian_of(checkpoints), int(str(dict(read_record(run).settings)["seed"]))
    settings, how = replace(PAPER_SMALL, seed=seed), architecture_of_run(run)
    images = list(training_images(paper_cells(seed), settings, Targets(len(CLASSES), how.step)))
    rng = np.random.default_rng(seed)
    draws = {
        "mean": [gaussian.mean],
        "diagonal": [gaussian.draw(rng, low_rank=False, scale=DIAGONAL) for _ in range(MANY)],
        "low rank": [gaussian.draw(rng) for _ in range(MANY)],
    }
    made, told = {}, folder / "drawn_from.json"
    hashes = json.dumps([sha256_of(path) for path in checkpoints])
    if not told.is_file() or told.read_text() != hashes:
        shutil.rmtree(folder, ignore_errors=True)  # of other checkpoints
    for kind, weights in draws.items():
        where = folder / kind.replace(" ", "_")
        made[kind] = tuple(member_path(where, k) for k in range(1, len(weights) + 1))
        for path, each in zip(made[kind], weights, strict=True):
            if not path.is_file():
                where.mkdir(parents=True, exist_ok=True)
                shutil.copy(run / "run.json", where)
                write_network(run, each, images, path)
    write_bytes(told, hashes.encode())
    return made


def write_network(run: Path, weights: Weights, images: list[Tensor], path: Path) -> None:
    """A network with these weights, its normalisation counted anew."""
    network = UNet(architecture_of_run(run))
    load_averaged(network, weights, images)
    save_tensors(path, weights_of(network, torch.float32))


@dataclass(frozen=True)
class Measured:
    """What a method gives for one class, by cell where limits are wanted."""

    scored: Scored
    chances: NDArray[np.float64]
    true: NDArray[np.bool_]
    cells: NDArray[np.int64]

    def brier(self) -> float:
        """Mean squared difference of probability and truth over candidate places."""
        return float(np.mean((self.chances - self.true) ** 2))

    def calibration_error(self) -> float:
        """Expected calibration error over ten bins of equal width (Guo 2017)."""
        bins = np.minimum((self.chances * BINS).astype(int), BINS - 1)
        total = 0.0
        for k in range(BINS):
            inside = bins == k
            if inside.any():
                total += inside.mean() * abs(self.chances[inside].mean() - self.true[inside].mean())
        return float(total)


def measured(aberrant: list[Answers], silent: list[Answers], members: list[list[int]], rate: float) -> list[Measured]:
    """Each method at the lowest T_C with so few false detections per silent cell, and its candidates' probabilities.

    Candidates are the places where any network of any method answers at all: the same for every method.
    """
    exposed = [together(cell, members) for cell in aberrant]
    quiet = [together(cell, members) for cell in silent]
    alone = np.arange(len(members))[:, None]
    objects = np.array([cell.objects for cell in exposed])
    counted = np.stack([tallied(cell, LIMITS, alone, (0,)) for cell in exposed])[:, :, :, 0]
    raised = np.stack([tallied(cell, LIMITS, alone, (0,)) for cell in quiet])[:, :, :, 0, 1]
    met, false, _ = hits_of(counted, objects)
    chosen = at_most(raised.mean(axis=0), rate)
    places = [(k, island) for k, cell in enumerate((*exposed, *quiet)) for island in cell.islands]
    if not places:
        raise RunError("no network answers above 0.05 anywhere in these cells; let the runs go on")
    chances = np.stack([island.values.max(axis=(1, 2)) for _, island in places], axis=1).astype(float)
    true, cells = np.array([i.truth.any() for _, i in places]), np.array([k for k, _ in places])
    return [
        Measured(Scored(met[:, [m], c], false[:, [m], c], objects), chances[m], true, cells)
        for m, c in enumerate(chosen)
    ]


def together(cell: Answers, members: list[list[int]]) -> Answers:
    """One map for each method: the mean of its members'."""
    islands = []
    for island in cell.islands:
        maps = np.stack([island.values[group].astype(np.float32).mean(axis=0) for group in members])
        islands.append(Island(maps.astype(np.float16), island.truth))
    return Answers(tuple(islands), cell.objects)


def rows_of(name: str, methods: list[Method], found: list[Measured]) -> Iterator[Row]:
    """A line for each method."""
    for method, each in zip(methods, found, strict=True):
        yield {
            "class": name,
            "method": method.name,
            "networks": len(method.members),
            "trainings": method.trainings,
            "recall": float(each.scored.recall()[0]),
            "precision": float(each.scored.precision()[0]),
            "brier": each.brier(),
            "ece": each.calibration_error(),
        }
