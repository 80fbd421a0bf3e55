"""A detector on labelled cells: precision, recall, false detections per cell by dose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytally.dosimetry.density import Density, normalise
from cytally.dosimetry.detectors.protocol import Detector, Heatmaps
from cytally.dosimetry.measure.gallery import PAGE, Exhibits, page
from cytally.dosimetry.training.sources import labelled_images
from cytally.errors import ImageError
from cytally.evaluation.detection import Draws, Labelled, Sweep, sweep
from cytally.evaluation.matching import Hits, match_components, match_one_to_one
from cytally.figures.curves import BandedCurve, precision_recall_figure
from cytally.figures.style import as_svg
from cytally.files.atomic import write_bytes, write_text
from cytally.files.names import shown
from cytally.files.tables.csv import csv_bytes
from cytally.images.inputs import names_below
from cytally.images.read import read
from cytally.labels.known import TABLE, UNKNOWN, KnownCells, read_known
from cytally.labels.points import SIGMA, check_inside, spots
from cytally.progress import Progress, silent
from cytally.statistics.poisson import garwood
from cytally.types import FloatArray, Points, Skipped

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
    detector: Detector,
    skipped: list[Skipped],
    progress: Progress = silent,
    *,
    sweeping: bool = True,
) -> Evaluation:
    """Measure a detector on labelled cells.

    Parameters
    ----------
    cells : iterator of LabelledCell
    total : int
        Their number, for the report.
    detector : Detector
    skipped : list of Skipped
        Filled by the iterator.
    sweeping : bool
        Also sweep T_C for single members and sampled ensembles, where it has heatmaps.
    """
    result = Evaluation(detector.classes, skipped=skipped)

    def looked_at() -> Iterator[Labelled]:
        """Tally each cell; give its maps on to the sweep."""
        for number, cell in enumerate(cells, start=1):
            places = tuple(cell.density.from_image(cell.points.of(name)) for name in detector.classes)
            _tally(result, cell, places, detector)
            progress("evaluating", number, total)
            if sweeping and isinstance(detector, Heatmaps):
                yield Labelled(detector.heatmaps(cell.density), places)

    if sweeping and isinstance(detector, Heatmaps):
        size = max(detector.voters // 2, 1)
        result.sweep = sweep(looked_at(), Draws(size, size // 2), stride=detector.stride)
    else:
        for _ in looked_at():
            pass
    return result


def _tally(result: Evaluation, cell: LabelledCell, places: Sequence[FloatArray], detector: Detector) -> None:
    seen = detector.explain(cell.density)
    result.cells[cell.dose] = result.cells.get(cell.dose, 0) + 1
    for channel, name in enumerate(detector.classes):
        tally = result.tallies.setdefault((cell.dose, name), Tally())
        truth = spots(places[channel], seen.outlines[channel].shape, seen.stride, SIGMA)
        tally.by_components += match_components(seen.outlines[channel], truth)
        for kind, detections in (("one_to_one", seen.found), ("beside_fragment", seen.co_occurring)):
            hits = match_one_to_one(detections.of(name), places[channel], RADIUS)
            setattr(tally, kind, getattr(tally, kind) + hits)
        result.exhibits.add(cell.density.values, name, seen.found.of(name), places[channel], RADIUS)


def summary(result: Evaluation) -> dict[str, object]:
    """All figures as plain numbers, for JSON."""
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
        "by_dose": rows_by_dose(result),
        "skipped": [vars(one) for one in result.skipped],
    }


def rows_by_dose(result: Evaluation) -> list[dict[str, object]]:
    """Figures of each dose and class as plain numbers, for JSON and for the table."""
    return [
        {
            "dose_gy": dose,
            "cells": result.cells[dose],
            "class": name,
            **_figures(result.tallies[(dose, name)], result.cells[dose]),
        }
        for dose in sorted(result.cells, key=lambda d: (d == UNKNOWN, float(d) if d != UNKNOWN else 0.0))
        for name in result.classes
    ]


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


def _figures(tally: Tally, cells: int) -> dict[str, object]:
    figures: dict[str, object] = {**_hits(tally.one_to_one)}
    limits = garwood(tally.one_to_one.false)
    figures["false_per_cell"] = round(tally.one_to_one.false / cells, 5)
    figures["false_limits"] = [round(limits.lower / cells, 5), round(limits.upper / cells, 5)]
    figures["false_per_cell_beside_fragment"] = round(tally.beside_fragment.false / cells, 5)
    return figures


def write_evaluation(result: Evaluation, folder: Path, detector: Detector) -> dict[str, object]:
    """Write evaluation.json, evaluation.csv, evaluation.html and precision_recall.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = summary(result) | {"ensemble": detector.name, "detector": detector.identity}
    write_bytes(folder / "evaluation.json", (json.dumps(figures, indent=1) + "\n").encode())
    rows = rows_by_dose(result)
    columns = [k for k in rows[0] if k != "false_limits"] if rows else ["class"]
    lines = [["" if row[k] is None else str(row[k]) for k in columns] for row in rows]
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
