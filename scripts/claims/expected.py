"""Candidates at known doses -> yields by counting, by corrected counting and by the mixture of all candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.errors import RunError
from cytally.statistics.shares import ExpectedYield, LikelihoodRatio, expected_yield, likelihood_ratio

from .curve_rules import read_candidates
from .doses import DOSES, cells_at

Floats = NDArray[np.float64]
Row = dict[str, str | float]
WAYS = ("counted", "corrected", "expected")


@dataclass(frozen=True)
class Cell:
    """The dicentric candidates of one cell.

    Attributes
    ----------
    dose : float
    true : int
        Dicentrics that are there.
    score : ndarray of shape (n,)
        What the verifier says of each candidate, by itself.
    weighed : ndarray of shape (n,)
        The same in the light of what else the cell holds: what the shipped detector decides by.
    real : ndarray of bool, shape (n,)
    """

    dose: float
    true: int
    score: Floats
    weighed: Floats
    real: NDArray[np.bool_]


def read_cells(folder: Path, total: int) -> list[Cell]:
    """All cells of a study."""
    doses = [dose for dose, count in cells_at(total).items() for _ in range(count)]
    cells = []
    for dose, held in zip(doses, read_candidates(folder, total), strict=True):
        mine = held["class"] == 0
        scores = [held[key][mine].astype(float) for key in ("probability", "weighed")]
        cells.append(Cell(dose, int(held["true"][0]), *scores, held["is"][mine].astype(bool)))
    return cells


@dataclass(frozen=True)
class Knowledge:
    """What the labelled cells teach.

    Attributes
    ----------
    ratio : LikelihoodRatio
    proposed : float
        Share of the dicentrics that become candidates at all.
    limit : float
        Shipped threshold on the weighed probability.
    false, recall : float
        Of the count above it: false ones per cell over all doses, share of the dicentrics found.
    """

    ratio: LikelihoodRatio
    proposed: float
    limit: float
    false: float
    recall: float

    def raised(self, cells: Sequence[Cell]) -> int:
        """How many candidates are counted."""
        return sum(int((cell.weighed > self.limit).sum()) for cell in cells)


def knowledge_of(cells: Sequence[Cell], limit: float) -> Knowledge:
    """Learn from labelled cells.

    Raises
    ------
    RunError
        Too few of them to learn anything.
    """
    true = sum(cell.true for cell in cells)
    scores, real = (np.concatenate([getattr(cell, part) for cell in cells]) for part in ("score", "real"))
    if not real.any() or real.all():
        raise RunError(f"expected real and false candidates, got {real.sum()} of {real.size}; ask for more --cells")
    raised = np.concatenate([cell.weighed for cell in cells]) > limit
    return Knowledge(
        likelihood_ratio(scores, real),
        real.sum() / true,
        limit,
        float((raised & ~real).sum() / len(cells)),
        float((raised & real).sum() / true),
    )


@dataclass(frozen=True)
class Halves:
    """Cells of even and of odd number by dose, each with what the other half teaches."""

    cells: tuple[dict[float, list[Cell]], dict[float, list[Cell]]]
    taught: tuple[Knowledge, Knowledge]

    @staticmethod
    def of(groups: tuple[dict[float, list[Cell]], dict[float, list[Cell]]], limit: float) -> Halves:
        """Learn from each half."""
        even, odd = (knowledge_of([c for group in half.values() for c in group], limit) for half in groups)
        return Halves(groups, (odd, even))

    def yields(self, dose: float) -> dict[str, float]:
        """Dicentrics per cell at a dose in each way, and what there is."""
        both = [(half[dose], known) for half, known in zip(self.cells, self.taught, strict=True)]
        total = sum(len(cells) for cells, _ in both)
        corrected = sum(max(known.raised(c) - known.false * len(c), 0.0) / known.recall for c, known in both)
        found = self.expected(dose)
        return {
            "true": sum(cell.true for cells, _ in both for cell in cells) / total,
            "counted": sum(known.raised(cells) for cells, known in both) / total,
            "corrected": corrected / total,
            "expected": found.value,
            "lower": found.lower,
            "upper": found.upper,
        }

    def expected(self, dose: float) -> ExpectedYield:
        """By the mixture of all candidates of both halves."""
        both = [(half[dose], known) for half, known in zip(self.cells, self.taught, strict=True)]
        ratios = [known.ratio.of(np.concatenate([cell.score for cell in cells])) for cells, known in both]
        proposed = float(np.mean([known.proposed for _, known in both]))
        return expected_yield(np.concatenate(ratios), sum(len(cells) for cells, _ in both), proposed)


def told(cells: Sequence[Cell], often: int) -> list[Row]:
    """A row for each dose: cells of even number are told by what odd ones teach, and the other way round."""
    limit = float((load_ensemble().card.thresholds.probability or [1.0])[0])
    groups = {dose: [cell for cell in cells if cell.dose == dose] for dose in DOSES}
    halves = tuple({dose: group[start::2] for dose, group in groups.items()} for start in (0, 1))
    found, rng = Halves.of((halves[0], halves[1]), limit), np.random.default_rng(0)
    drawn = []
    for _ in range(often):
        even, odd = ({dose: _again(group, rng) for dose, group in half.items()} for half in halves)
        drawn.append(Halves.of((even, odd), limit))
    rows: list[Row] = []
    for dose, group in groups.items():
        apart = [each.yields(dose) for each in drawn]
        row: Row = {"dose": f"{dose:g}", "cells": str(len(group)), **found.yields(dose)}
        row |= {f"scatter, {way}": float(np.std([each[way] - each["true"] for each in apart])) for way in WAYS}
        rows.append(row)
    return rows


def _again(cells: Sequence[Cell], rng: np.random.Generator) -> list[Cell]:
    return [cells[k] for k in rng.integers(len(cells), size=len(cells))]


def expected_figure(rows: Sequence[Row]) -> Figure:
    """Error of each way, per cell, over the dose, with one standard deviation of resampled cells."""
    figure = Figure(figsize=(7.2, 4), layout="constrained")
    axis = figure.subplots()
    dose, true = (np.array([float(row[name]) for row in rows]) for name in ("dose", "true"))
    for k, way in enumerate(WAYS):
        found, scatter = (np.array([float(row[name]) for row in rows]) for name in (way, f"scatter, {way}"))
        axis.errorbar(dose + 0.03 * (k - 1), found - true, scatter, fmt="o-", ms=4, lw=1, capsize=2, label=way)
    axis.axhline(0, color="k", lw=0.8)
    axis.set(xlabel="dose, Gy", ylabel="error, dicentrics per cell")
    axis.legend()
    axis.grid(alpha=0.3)
    return figure
