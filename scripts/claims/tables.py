"""Answers -> hits of single checkpoints and of sampled ensembles -> the tables of the preprint, and its claims."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cytally.evaluation.agreement import agreement_matrix, cohen_kappa
from cytally.evaluation.bands import Difference, Scored, at_most, draws_of, paired_difference
from cytally.evaluation.detection import Draws
from cytally.evaluation.islands import Answers, hits_of, tallied

from .answers import models_of, read_answers

#: T_C, to be exceeded.
LIMITS = tuple(np.round(np.arange(0.06, 0.97, 0.02), 2).tolist())
#: T_A of the tables, and of the surface.
AGREEMENTS, ALL_AGREEMENTS = (1, 2, 3, 4), tuple(range(10))
#: Members of an ensemble, and ensembles drawn for bands and for the surface.
MEMBERS, ENSEMBLES, FEW = 10, 100, 20
#: Confidence of the preprint's tables: single models, ensembles.
SINGLE_TC, ENSEMBLE_TC = 0.6, 0.5
#: False detections per cell at which ways are compared: in cells without aberrations, in those with.
SILENT_RATE, ABERRANT_RATE = 0.02, 0.1
Row = dict[str, str | float]


@dataclass(frozen=True)
class Way:
    """Hits of one way of deciding, for every T_C: (cells, models, T_C), and what it raises in silent cells."""

    name: str
    met: NDArray[np.int64]
    false: NDArray[np.int64]
    objects: NDArray[np.int64]
    silent: NDArray[np.int64]

    def at(self, index: NDArray[np.int64]) -> Scored:
        """Each model at its own T_C."""
        chosen = index[None, :, None]
        return Scored(
            np.take_along_axis(self.met, chosen, 2)[..., 0],
            np.take_along_axis(self.false, chosen, 2)[..., 0],
            self.objects,
        )

    def all_at(self, confidence: float) -> Scored:
        """Every model at one T_C."""
        return self.at(np.full(self.met.shape[1], LIMITS.index(confidence)))

    def quiet(self) -> Scored:
        """Every model at the lowest T_C that raises few false ones in silent cells."""
        return self.at(at_most(self.silent.mean(axis=0), SILENT_RATE))

    def equally_false(self) -> Scored:
        """Every model at the lowest T_C that raises few false ones in cells with aberrations."""
        return self.at(at_most(self.false.mean(axis=0), ABERRANT_RATE))

    def as_precise(self, precision: float) -> Scored:
        """All models at the lowest T_C at which their mean precision is at least so high."""
        mean = [self.all_at(limit).precision().mean() for limit in LIMITS]
        return self.all_at(LIMITS[next((k for k, value in enumerate(mean) if value >= precision), len(LIMITS) - 1)])


@dataclass(frozen=True)
class Hits:
    """All ways of one run for one class: single checkpoints, ensembles at each T_A, the surface."""

    singles: Way
    ensembles: dict[int, Way]
    surface: NDArray[np.int64]
    kappa: float
    correlation: float


def hits_of_run(out: Path, run: str, cells: dict[str, int], name: str) -> Hits:
    """Read a run's answers about one class and decide in every way."""
    found = {kind: list(read_answers(out, run, kind, count, name)) for kind, count in cells.items()}
    models = models_of(out, run)
    alone, groups = np.arange(models)[:, None], Draws(MEMBERS, 0, ENSEMBLES).of(models)
    singles = _way(f"{run}, single", found, alone, (0,))[0]
    voted = _way(run, found, groups, AGREEMENTS)
    ensembles = {a: way for a, way in zip(AGREEMENTS, voted, strict=True)}
    surface = sum(tallied(each, LIMITS, groups[:FEW], ALL_AGREEMENTS) for each in found["aberrant"])
    kappa, correlation = alike(found["aberrant"], groups[0])
    return Hits(singles, ensembles, np.asarray(surface), kappa, correlation)


def _way(
    name: str, found: dict[str, list[Answers]], groups: NDArray[np.int64], agreement: tuple[int, ...]
) -> list[Way]:
    objects = np.array([each.objects for each in found["aberrant"]])
    counted = np.stack([tallied(each, LIMITS, groups, agreement) for each in found["aberrant"]])
    met, false, _ = hits_of(counted, objects)
    silent = np.stack([tallied(each, LIMITS, groups, agreement)[..., 1] for each in found["silent"]])
    words = [name if a == 0 else f"{name}, {MEMBERS} votes, T_A {a}" for a in agreement]
    return [Way(w, met[..., k], false[..., k], objects, silent[..., k]) for k, w in enumerate(words)]


def alike(found: list[Answers], group: NDArray[np.int64]) -> tuple[float, float]:
    """Mean pairwise kappa of the members' votes on candidate places, and mean correlation of their heatmaps there.

    A candidate is an island in which any member exceeds T_C 0.5; where all are silent they agree trivially.
    """
    votes, values = [], []
    for island in (island for cell in found for island in cell.islands):
        member = island.values[group].astype(np.float32)
        if (member > ENSEMBLE_TC).any():
            votes.append(member.max(axis=(1, 2)) > ENSEMBLE_TC)
            values.append(member.reshape(len(group), -1))
    if not votes:
        return float("nan"), float("nan")
    votes_of, maps = np.stack(votes, axis=1).astype(int), np.concatenate(values, axis=1)
    pairs = list(combinations(range(len(group)), 2))
    kappa = np.nanmean([cohen_kappa(agreement_matrix(votes_of[a], votes_of[b])) for a, b in pairs])
    correlation = np.corrcoef(maps)
    return float(kappa), float(np.mean([correlation[a, b] for a, b in pairs]))


def performance(name: str, hits: dict[str, Hits]) -> Iterator[Row]:
    """Rows of Tables 1 and 2 for one class."""
    for run, each in hits.items():
        ways = [(each.singles, SINGLE_TC), (each.singles, ENSEMBLE_TC)]
        ways += [(way, ENSEMBLE_TC) for way in each.ensembles.values()]
        for way, confidence in ways:
            yield _row(name, run, way.name, f"T_C {confidence}", way.all_at(confidence), way)
        for way in (each.singles, *each.ensembles.values()):
            yield _row(name, run, way.name, f"{SILENT_RATE} false per silent cell", way.quiet(), way)
            yield _row(name, run, way.name, f"{ABERRANT_RATE} false per cell", way.equally_false(), way)


def _row(name: str, run: str, way: str, rule: str, scored: Scored, of: Way) -> Row:
    row: Row = {"class": name, "run": run, "way": way, "rule": rule, "objects": int(scored.objects.sum())}
    measures = {
        "precision": scored.precision(),
        "recall": scored.recall(),
        "f1": scored.f1(),
        "fdr": 1 - scored.precision(),
        "false_per_cell": scored.false_per_cell(),
    }
    for measure, values in measures.items():
        low, high = np.quantile(values, (0.05, 0.95))
        row |= {measure: values.mean(), f"{measure}_q5": low, f"{measure}_q95": high}
    return row


def differences(name: str, hits: dict[str, Hits], draws: int = 2000) -> Iterator[Row]:
    """Each claim of one class at each rule: difference of precision and of recall with 95 % limits."""
    weights = draws_of(len(next(iter(hits.values())).singles.objects), draws)
    for claim, rule, first, second in _compared(hits):
        p = paired_difference(first, second, Scored.precision, weights)
        r = paired_difference(first, second, Scored.recall, weights)
        yield {"class": name, "claim": claim, "rule": rule} | _limits("precision", p) | _limits("recall", r)


def _limits(measure: str, found: Difference) -> Row:
    return {measure: found.value, f"{measure}_lower": found.lower, f"{measure}_upper": found.upper}


def _compared(hits: dict[str, Hits]) -> Iterator[tuple[str, str, Scored, Scored]]:
    runs = list(hits)
    for one, two in combinations(runs, 2):
        a, b = hits[one].singles, hits[two].singles
        claim = f"{two} against {one}, single checkpoints"
        yield claim, f"T_C {SINGLE_TC}", a.all_at(SINGLE_TC), b.all_at(SINGLE_TC)
        yield claim, f"{SILENT_RATE} false per silent cell", a.quiet(), b.quiet()
        yield claim, f"{ABERRANT_RATE} false per cell", a.equally_false(), b.equally_false()
    for run, agreement in product(runs, AGREEMENTS):
        alone, together = hits[run].singles, hits[run].ensembles[agreement]
        claim, voted = f"{run}: ensemble, T_A {agreement}, against its checkpoints", together.all_at(ENSEMBLE_TC)
        yield claim, f"T_C {ENSEMBLE_TC} against {SINGLE_TC}", alone.all_at(SINGLE_TC), voted
        yield claim, "equal precision", alone.as_precise(voted.precision().mean()), voted
        yield claim, f"{SILENT_RATE} false per silent cell", alone.quiet(), together.quiet()
        yield claim, f"{ABERRANT_RATE} false per cell", alone.equally_false(), together.equally_false()
