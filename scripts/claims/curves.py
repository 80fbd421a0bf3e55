"""Answers at known doses -> dicentrics per cell under every rule -> calibration curves -> how far they lie from the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.detection.thresholds import member_thresholds
from cytally.dosimetry.curves.fit import dose_at, fit_curve, yield_at
from cytally.dosimetry.training.sources import CLASSES
from cytally.errors import CountsError
from cytally.evaluation.islands import parts

from .answers import BLOCK
from .doses import DOSES, cells_at

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Masks = NDArray[np.bool_]
#: Doses over which a curve is compared with the true one, Gy.
COMPARED = np.linspace(0.0, 4.0, 81)
#: Quantiles of each checkpoint's maxima at the highest dose that are tried.
QUANTILES = tuple(np.round(np.arange(0.05, 0.96, 0.05), 2).tolist())


@dataclass(frozen=True)
class Study:
    """What is known of all cells, in one order.

    Attributes
    ----------
    dose : ndarray of shape (cells,)
    true : ndarray of int, shape (cells, classes)
        Aberrations that the simulator drew and left to be seen.
    islands : for each class, for each cell, arrays (checkpoints, h, w)
    models : int
        Checkpoints.
    """

    dose: Floats
    true: Ints
    islands: tuple[tuple[tuple[NDArray[np.float16], ...], ...], ...]
    models: int

    def tops(self) -> Floats:
        """Highest answer (cells, checkpoints, classes); 0 where a checkpoint answers nothing."""
        result = np.zeros((len(self.dose), self.models, len(CLASSES)))
        for k, cells in enumerate(self.islands):
            for number, cell in enumerate(cells):
                if cell:
                    result[number, :, k] = np.max([each.max(axis=(1, 2)) for each in cell], axis=0)
        return result

    def of(self, chosen: Masks) -> Study:
        """Some of the cells."""
        where = np.flatnonzero(chosen)
        kept = tuple(tuple(cells[k] for k in where) for cells in self.islands)
        return Study(self.dose[chosen], self.true[chosen], kept, self.models)


def read_study(folder: Path, total: int, models: int) -> Study:
    """Every cell of a study, as far as its blocks go."""
    dose, true = [], []
    islands: tuple[list[tuple[NDArray[np.float16], ...]], ...] = tuple([] for _ in CLASSES)
    for each, cells in cells_at(total).items():
        for start in range(0, cells, BLOCK):
            with np.load(folder / f"{each:g}_{start:05d}.npz") as held:
                for number in range(start, start + BLOCK):
                    dose.append(each)
                    true.append(held[f"{number}.true"])
                    for mine, name in zip(islands, CLASSES, strict=True):
                        mine.append(_islands(held, f"{number}.{name}"))
    return Study(np.array(dose), np.array(true), tuple(tuple(each) for each in islands), models)


def _islands(held: np.lib.npyio.NpzFile, key: str) -> tuple[NDArray[np.float16], ...]:
    found = []
    while f"{key}.{len(found)}" in held:
        found.append(held[f"{key}.{len(found)}"])
    return tuple(found)


@dataclass(frozen=True)
class Voting:
    """Checkpoints that vote (preprint eq. 6-7), at one level each or at one for all.

    Attributes
    ----------
    members : ndarray of int, shape (m,)
    levels : ndarray of shape (m, classes)
        T_C, to be exceeded.
    agreement : int
        T_A, to be exceeded.
    beside : bool
        A dicentric counts only in a cell with a fragment (preprint 2.3).
    """

    members: Ints
    levels: Floats
    agreement: int
    beside: bool = False


def counted(study: Study, ways: Sequence[Voting]) -> Ints:
    """Dicentrics (ways, cells) that each way counts."""
    found = np.zeros((len(CLASSES), len(ways), len(study.dose)), np.int64)
    for k, cells in enumerate(study.islands):
        levels = [way.levels[:, k, None, None].astype(np.float16) for way in ways]
        for number, cell in enumerate(cells):
            for values in cell:
                won = [
                    (values[way.members] > level).sum(axis=0) > way.agreement
                    for way, level in zip(ways, levels, strict=True)
                ]
                found[k, :, number] += parts(np.stack(won))
    beside = np.array([way.beside for way in ways])
    return np.where(beside[:, None] & (found[1] == 0), 0, found[0])


def quantile_levels(tops: Floats, dose: Floats, quantile: float) -> Floats:
    """T_C (checkpoints, classes): one quantile of each one's maxima in cells of the highest dose."""
    return member_thresholds(tops[dose == max(DOSES)], [quantile] * len(CLASSES))


@dataclass(frozen=True)
class Curved:
    """A curve through what a rule counts, beside the true one.

    Attributes
    ----------
    yields : ndarray of shape (doses,)
        Dicentrics per cell.
    coefficients : ndarray of shape (3,)
        C, alpha, beta.
    distance : float
        Root mean square over 0 to 4 Gy of the error in dose, Gy, when what the rule counts is read from the true curve.
    """

    yields: Floats
    coefficients: Floats
    distance: float


def curve_of(dose: Floats, counts: Ints, truth: Floats) -> Curved:
    """Fit what was counted, and compare with the coefficients of the truth; infinitely far where nothing grows with dose."""
    cells = np.array([(dose == each).sum() for each in DOSES])
    total = np.array([counts[dose == each].sum() for each in DOSES])
    try:
        found = fit_curve(np.array(DOSES), cells, total).coefficients
    except CountsError:
        return Curved(total / cells, np.full(3, np.nan), float("inf"))
    return Curved(total / cells, found, float(np.sqrt(np.mean(misread(found, truth) ** 2))))


def misread(found: Floats, truth: Floats) -> Floats:
    """Dose that the true curve gives for a rule's yield less the dose, Gy, at each of `COMPARED`."""
    read = [dose_at(float(value), truth) for value in yield_at(COMPARED, found)]
    return np.array(read) - COMPARED


def precision_of_dose(coefficients: Floats, dose: float, cells: int) -> float:
    """Half width, Gy, of 95 % limits of a dose read from a rule's own curve, known exactly, for Poisson counts."""
    _, alpha, beta = coefficients
    mean = float(yield_at(np.array([dose]), coefficients)[0])
    return float(1.96 * np.sqrt(mean / cells) / (alpha + 2 * beta * dose))


def resampled(dose: Floats, often: int, measure: Callable[[Ints], float]) -> tuple[float, float]:
    """95 % limits of a measure of cells drawn anew within each dose."""
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(dose == each) for each in DOSES]
    drawn = [measure(np.concatenate([rng.choice(group, len(group)) for group in groups])) for _ in range(often)]
    low, high = np.quantile(drawn, (0.025, 0.975), method="nearest")  # some may be infinite
    return float(low), float(high)
