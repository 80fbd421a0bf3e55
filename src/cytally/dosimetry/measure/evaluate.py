"""A detector on labelled cells: precision, recall, false detections per cell by dose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytally.detection.vote import co_occurring, detect
from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.candidates import judged, propose
from cytally.dosimetry.detectors.cooccurrence import confirmed
from cytally.dosimetry.measure.gallery import PAGE, Exhibits, page
from cytally.dosimetry.training.sources import labelled_images
from cytally.errors import ImageError
from cytally.evaluation.detection import Draws, Labelled, Sweep, sweep
from cytally.evaluation.matching import TRUTH_LEVEL, Hits, match_components, match_one_to_one
from cytally.figures.curves import BandedCurve, precision_recall_figure
from cytally.figures.style import as_svg
from cytally.files.atomic import write_bytes, write_text
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes
from cytally.images.inputs import names_below
from cytally.images.read import read
from cytally.inference.ensemble import Ensemble
from cytally.inference.votes import cast_votes, predict
from cytally.labels.known import TABLE, UNKNOWN, KnownCells, read_known
from cytally.labels.points import SIGMA, check_inside, spots
from cytally.progress import Progress, silent
from cytally.statistics.poisson import garwood
from cytally.types import Detections, FloatArray, Points, Skipped

#: A one-to-one hit lies within this many normalised pixels (about a chromosome's width).
RADIUS = 20.0


@dataclass
class Tally:
    """Hits of one class, and false detections by dose."""

    by_components: Hits = field(default_factory=Hits)
    one_to_one: Hits = field(default_factory=Hits)
    beside_fragment: Hits = field(default_factory=Hits)


@dataclass
class Evaluation:
    """What `evaluate` measured.

    Attributes
    ----------
    tallies : dict
        (dose or None, class) -> Tally.
    cells : dict
        dose -> number of cells.
    sweep : Sweep or None
    skipped : list of Skipped
    exhibits : Exhibits
        Pictures of what was missed, wrongly raised and found.
    """

    classes: tuple[str, ...]
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    cells: dict[str, int] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    sweep: Sweep | None = None
    exhibits: Exhibits = field(default_factory=Exhibits)

    def total(self, name: str, kind: str) -> Hits:
        """Hits of a class over all doses."""
        return sum((getattr(t, kind) for (_, n), t in self.tallies.items() if n == name), Hits())


@dataclass(frozen=True)
class LabelledCell:
    """An image that can be evaluated: normalised, with its labels and its dose."""

    density: Density
    points: Points
    dose: str


def labelled_cells(folder: Path, skipped: list[Skipped]) -> Iterator[LabelledCell]:
    """Read a labelled folder cell by cell; unreadable images are added to `skipped`."""
    found = labelled_images(folder)
    names = names_below(folder, [path for path, _ in found])
    labelled = dict(zip(names, found, strict=True))
    table = folder / TABLE
    known = read_known(table, labelled) if table.is_file() else KnownCells({})
    skipped += [Skipped(TABLE, words) for words in known.strangers]
    for name, (path, points) in labelled.items():
        try:
            image = read(path)
            check_inside(points, image.shape, name)
            yield LabelledCell(normalise(image), points, known.rows.get(name, {}).get("dose_gy") or UNKNOWN)
        except ImageError as error:
            skipped.append(Skipped(name, shown(error.beside(shown(path)))))


def evaluate(
    cells: Iterator[LabelledCell],
    total: int,
    ensemble: Ensemble,
    skipped: list[Skipped],
    progress: Progress = silent,
    *,
    sweeping: bool = True,
) -> Evaluation:
    """Measure an ensemble on labelled cells.

    Parameters
    ----------
    cells : iterator of LabelledCell
    total : int
        Their number, for the report.
    ensemble : Ensemble
    skipped : list of Skipped
        Filled by the iterator.
    sweeping : bool
        Also sweep T_C for single members and sampled ensembles.
    """
    result = Evaluation(ensemble.classes, skipped=skipped)

    def looked_at() -> Iterator[Labelled]:
        """Tally each cell; give its maps on to the sweep."""
        for number, cell in enumerate(cells, start=1):
            places = tuple(cell.density.from_image(cell.points.of(name)) for name in ensemble.classes)
            _tally(result, cell, places, ensemble)
            progress("evaluating", number, total)
            if sweeping:
                yield Labelled(predict(cell.density.values, ensemble), places)

    if sweeping:
        size = max(len(ensemble.members) // 2, 1)
        result.sweep = sweep(looked_at(), Draws(size, size // 2), stride=ensemble.card.stride)
    else:
        for _ in looked_at():
            pass
    return result


def _tally(result: Evaluation, cell: LabelledCell, places: Sequence[FloatArray], ensemble: Ensemble) -> None:
    found, kept, won = _decided(cell.density.values, ensemble)
    result.cells[cell.dose] = result.cells.get(cell.dose, 0) + 1
    for channel, name in enumerate(ensemble.classes):
        tally = result.tallies.setdefault((cell.dose, name), Tally())
        truth = spots(places[channel], won[channel].shape, ensemble.card.stride, SIGMA)
        tally.by_components += match_components(won[channel], truth)
        for kind, detections in (("one_to_one", found), ("beside_fragment", kept)):
            hits = match_one_to_one(_places(detections, name), places[channel], RADIUS)
            setattr(tally, kind, getattr(tally, kind) + hits)
        result.exhibits.add(cell.density.values, name, _places(found, name), places[channel], RADIUS)


def _places(found: Detections, name: str) -> FloatArray:
    chosen = np.array([each == name for each in found.names], dtype=bool)
    return np.stack([found.row[chosen], found.col[chosen]], axis=1)


def _decided(values: NDArray[np.float32], ensemble: Ensemble) -> tuple[Detections, Detections, list[NDArray[np.bool_]]]:
    """Detections, those under co-occurrence, and the binary decision of each class.

    What verifiers confirmed has no outline: it is drawn as large as a label.
    """
    thresholds, stride = ensemble.card.thresholds, ensemble.card.stride
    shape = (-(-values.shape[0] // stride), -(-values.shape[1] // stride))
    if ensemble.verifiers:
        read = judged(values, propose(values, ensemble), ensemble)
        found = confirmed(read, ensemble)
        kept = co_occurring(confirmed(read, ensemble.with_thresholds(co_occurrence=True)))
        drawn = [spots(_places(found, name), shape, stride, SIGMA) for name in ensemble.classes]
        return found, kept, [heat > TRUTH_LEVEL for heat in drawn]
    cast = cast_votes(values, ensemble)
    found = detect(cast.votes, cast.maps, thresholds.agreement, ensemble.classes, stride)
    won = [cast.votes[k] > limit for k, limit in enumerate(thresholds.agreement)]
    return found, co_occurring(found), won


def summary(result: Evaluation) -> dict[str, Any]:
    """All figures as plain numbers, for JSON and for tables."""
    lines = []
    for dose in sorted(result.cells, key=lambda d: (d == UNKNOWN, float(d) if d != UNKNOWN else 0.0)):
        for name in result.classes:
            tally = result.tallies[(dose, name)]
            lines.append(
                {
                    "dose_gy": dose,
                    "cells": result.cells[dose],
                    "class": name,
                    **_figures(tally, result.cells[dose]),
                }
            )
    overall = [
        {
            "class": name,
            **{kind: _hits(result.total(name, kind)) for kind in ("by_components", "one_to_one", "beside_fragment")},
        }
        for name in result.classes
    ]
    return {
        "cells": sum(result.cells.values()),
        "overall": overall,
        "by_dose": lines,
        "skipped": [vars(one) for one in result.skipped],
    }


def _hits(hits: Hits) -> dict[str, float | int | None]:
    return {
        "true": hits.true,
        "false": hits.false,
        "missed": hits.missed,
        "precision": _clean(hits.precision),
        "recall": _clean(hits.recall),
    }


def _clean(value: float) -> float | None:
    """NaN has no place in JSON."""
    return round(value, 4) if value == value else None


def _figures(tally: Tally, cells: int) -> dict[str, Any]:
    figures: dict[str, Any] = _hits(tally.one_to_one)
    limits = garwood(tally.one_to_one.false)
    figures["false_per_cell"] = round(tally.one_to_one.false / cells, 5)
    figures["false_limits"] = [round(limits.lower / cells, 5), round(limits.upper / cells, 5)]
    figures["false_per_cell_beside_fragment"] = round(tally.beside_fragment.false / cells, 5)
    return figures


def write_evaluation(result: Evaluation, folder: Path, ensemble: Ensemble) -> dict[str, Any]:
    """Write evaluation.json, evaluation.csv, evaluation.html and precision_recall.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = summary(result) | {"ensemble": ensemble.card.name, "detector": ensemble.card.identity}
    write_bytes(folder / "evaluation.json", (json.dumps(figures, indent=1) + "\n").encode())
    columns = [k for k in figures["by_dose"][0] if k != "false_limits"] if figures["by_dose"] else ["class"]
    lines = [["" if line[k] is None else str(line[k]) for k in columns] for line in figures["by_dose"]]
    write_bytes(folder / "evaluation.csv", csv_bytes([columns, *lines]))
    totals = {name: result.total(name, "one_to_one") for name in result.classes}
    write_text(folder / PAGE, page(figures, totals, result.exhibits, result.skipped))
    if result.sweep is not None:
        write_bytes(folder / "precision_recall.svg", as_svg(precision_recall_figure(panels(result))).encode())
    return figures


def panels(result: Evaluation) -> list[BandedCurve]:
    """Single members and sampled ensembles of half their number, for each class."""
    assert result.sweep is not None
    shown = []
    for kind, words in (("singles", "single members"), ("ensembles", "sampled ensembles")):
        for channel, name in enumerate(result.classes):
            band = result.sweep.band(kind, channel)
            shown.append(
                BandedCurve(
                    f"{name}, {words}",
                    np.array(result.sweep.confidences),
                    band.precision,
                    band.precision_band,
                    band.recall,
                    band.recall_band,
                )
            )
    return shown
