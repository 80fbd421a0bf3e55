"""The rules of `scripts/curves_compared.py`: each counts the same cells, and becomes a line of its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.dosimetry.detectors.ensemble import load_ensemble
from cytally.dosimetry.simulate.breakage import DICENTRICS
from cytally.dosimetry.training.sources import CLASSES

from .answers import BLOCK
from .curves import (
    QUANTILES,
    Curved,
    Floats,
    Ints,
    Study,
    Voting,
    counted,
    curve_of,
    precision_of_dose,
    quantile_levels,
    resampled,
)
from .doses import DOSES, cells_at

#: T_A of the preprint's figure 10, to be exceeded; T_C of its ensemble and of its single models.
AGREEMENT, ENSEMBLE_TC, SINGLE_TC = 3, 0.5, 0.6
#: Quantiles whose curves lie nearest, as many as in the preprint's figure.
NEAREST = 4
#: Dose, Gy, and cells at which the width of a dose's limits is told.
ASIDE, SCORED = 1.0, 500


@dataclass(frozen=True)
class Line:
    """One rule.

    Attributes
    ----------
    name : str
    curve : Curved
    low, high : float
        Of the distance: 95 % over resampled cells, or 5 to 95 % over sampled ensembles.
    over : str
        What the limits are over.
    """

    name: str
    curve: Curved
    low: float
    high: float
    over: str

    def row(self) -> dict[str, str | float]:
        """For the table."""
        constant, alpha, beta = self.curve.coefficients
        at = dict(zip(DOSES, self.curve.yields, strict=True))
        return {
            "rule": self.name,
            "yield at 0 Gy": f"{at[0.0]:.4f}",
            "at 0.5 Gy": f"{at[0.5]:.4f}",
            "at 1 Gy": f"{at[1.0]:.4f}",
            "at 4 Gy": f"{at[4.0]:.4f}",
            "C": f"{constant:.4f}",
            "alpha": f"{alpha:.4f}",
            "beta": f"{beta:.4f}",
            "error of a dose, Gy": f"{self.curve.distance:.3f}",
            "lower": f"{self.low:.3f}",
            "upper": f"{self.high:.3f}",
            "limits over": self.over,
            f"half width at {ASIDE:g} Gy, {SCORED} cells": f"{precision_of_dose(self.curve.coefficients, ASIDE, SCORED):.3f}",
        }


def truth_line(study: Study, often: int) -> Line:
    """What is really there; its distance is to the curve that cells were drawn from, by chance alone."""
    return _line("truth", study, study.true[:, 0], np.array(DICENTRICS), often)


def _line(name: str, study: Study, counts: Ints, truth: Floats, often: int) -> Line:
    curve = curve_of(study.dose, counts, truth)
    limits = resampled(study.dose, often, lambda cells: curve_of(study.dose[cells], counts[cells], truth).distance)
    return Line(name, curve, *limits, over="cells")


def chosen_quantiles(study: Study, members: Ints) -> list[float]:
    """The quantiles whose curves lie nearest to the truth under co-occurrence, nearest first."""
    tops = study.tops()
    truth = curve_of(study.dose, study.true[:, 0], np.array(DICENTRICS)).coefficients
    levels = [quantile_levels(tops, study.dose, q) for q in QUANTILES]
    counts = counted(study, [Voting(members, level[members], AGREEMENT, beside=True) for level in levels])
    far = [curve_of(study.dose, each, truth).distance for each in counts]
    return [QUANTILES[k] for k in np.argsort(far)[:NEAREST]]


def ensemble_lines(study: Study, truth: Line, levels: Mapping[float, Floats], drawn: int, often: int) -> Iterator[Line]:
    """Single checkpoints and ensembles: one T_C for all, quantiles, quantiles beside a fragment."""
    known, models = truth.curve.coefficients, next(iter(levels.values())).shape[0]
    flat = {level: np.full((models, len(CLASSES)), level) for level in (SINGLE_TC, ENSEMBLE_TC)}
    singles = [Voting(np.array([k]), flat[SINGLE_TC][[k]], 0) for k in range(models)]
    yield _many(f"single checkpoints, T_C {SINGLE_TC}", study, singles, known, "checkpoints")
    rng = np.random.default_rng(1)
    groups = [np.sort(rng.permutation(models)[: models // 2]) for _ in range(drawn)]
    best = next(iter(levels))
    rules = [
        (f"ensembles, T_C {ENSEMBLE_TC}", flat[ENSEMBLE_TC], False),
        (f"ensembles, T_C {ENSEMBLE_TC}, beside a fragment", flat[ENSEMBLE_TC], True),
        (f"ensembles, quantile {best:g}", levels[best], False),
        (f"ensembles, quantile {best:g}, beside a fragment", levels[best], True),
    ]
    for name, level, beside in rules:
        yield _many(name, study, [Voting(g, level[g], AGREEMENT, beside) for g in groups], known, "ensembles")
    members = np.arange(1, models, 2)
    for beside in (False, True):
        ways = [Voting(members, level[members], AGREEMENT, beside) for level in levels.values()]
        for quantile, counts in zip(levels, counted(study, ways), strict=True):
            words = f"one ensemble, quantile {quantile:g}{', beside a fragment' if beside else ''}"
            yield _line(words, study, counts, known, often)


def _many(name: str, study: Study, ways: list[Voting], truth: Floats, over: str) -> Line:
    """Mean curve of several ways, and how their distances scatter."""
    curves = [curve_of(study.dose, counts, truth) for counts in counted(study, ways)]
    low, middle, high = np.quantile([each.distance for each in curves], (0.05, 0.5, 0.95), method="nearest")
    yields, coefficients = (np.mean([getattr(c, part) for c in curves], axis=0) for part in ("yields", "coefficients"))
    return Line(name, Curved(yields, coefficients, float(middle)), float(low), float(high), over)


def shipped_lines(folder: Path, study: Study, truth: Line, asked: NDArray[np.bool_], often: int) -> Iterator[Line]:
    """The shipped detector: its verifier alone, weighed as it ships, and under the rule of co-occurrence."""
    card = load_ensemble().card.thresholds
    strict = np.asarray(card.hard_rule_probability or card.probability)
    limits = np.asarray(card.probability)
    said = np.array([_raised(cell, limits, strict) for cell in read_candidates(folder, len(asked))])[asked]
    for k, name in enumerate(("verifier alone", "verifier, weighed (as shipped)", "verifier, beside a fragment")):
        yield _line(f"shipped: {name}", study, said[:, k], truth.curve.coefficients, often)


def _raised(cell: Mapping[str, NDArray[np.generic]], limits: Floats, strict: Floats) -> tuple[int, int, int]:
    """Dicentrics by each of the three rules."""
    own = cell["class"]
    alone, weighed = ((cell[key] > limits[own]) & (own == 0) for key in ("probability", "weighed"))
    sure = cell["probability"] > strict[own]
    ruled = int((sure & (own == 0)).sum()) if (sure & (own == 1)).any() else 0
    return int(alone.sum()), int(weighed.sum()), ruled


def read_candidates(folder: Path, cells: int) -> Iterator[dict[str, NDArray[np.generic]]]:
    """What the shipped detector says of every cell of a study."""
    for dose, count in cells_at(cells).items():
        for start in range(0, count, BLOCK):
            with np.load(folder / f"{dose:g}_{start:05d}.npz") as held:
                for number in range(start, start + BLOCK):
                    yield {key: held[f"{number}.{key}"] for key in ("true", "class", "probability", "weighed", "is")}
