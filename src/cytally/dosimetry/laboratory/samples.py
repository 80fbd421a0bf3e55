"""One table, many people: counts in, a dose each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytally.dosimetry.calibrate import Curve
from cytally.dosimetry.dose import ACUTE, DEFAULT, PLAIN, Asked, Dose, Exposed, dose, dose_from_totals
from cytally.dosimetry.laboratory.tables import distribution_of, rows_of, totals_of
from cytally.errors import CountsError
from cytally.statistics.detector import DetectorErrors
from cytally.types import IntArray


@dataclass(frozen=True)
class Sample:
    """Counts of one person.

    Attributes
    ----------
    name : str
    cells, dicentrics : int
    distribution : ndarray of int or None
    """

    name: str
    cells: int
    dicentrics: int
    distribution: IntArray | None = None


def read_samples(path: Path) -> list[Sample]:
    """Read samples: CSV or XLSX with `sample` and `cells,dicentrics` or `C0,C1,...`.

    Raises
    ------
    CountsError
        A missing column, a name twice, or counts that contradict each other.
    """
    samples: list[Sample] = []
    for where, row in rows_of(path):
        name = (row.get("sample") or row.get("id") or "").strip()
        if not name:
            raise CountsError(f"{where}: expected a name in the column sample, found none")
        if name in {sample.name for sample in samples}:
            raise CountsError(f"{where}: sample {name!r} is there twice; add its counts up or rename one")
        cells, dicentrics = totals_of(row, where)
        if cells == 0:
            raise CountsError(f"{where}: expected at least one cell, got none")
        counts = distribution_of(row, where)
        samples.append(Sample(name, cells, dicentrics, None if counts is None else np.array(counts)))
    return samples


def dose_of_sample(
    sample: Sample, curve: Curve, *, method: str = DEFAULT, exposed: Exposed = ACUTE,
    errors: DetectorErrors | None = None, asked: Asked = PLAIN,
) -> Dose:  # fmt: skip
    """Dose of one sample; by its distribution over cells where that is known."""
    if sample.distribution is not None:
        return dose(sample.distribution, curve, method=method, exposed=exposed, errors=errors, asked=asked)
    return dose_from_totals(
        sample.dicentrics, sample.cells, curve, method=method, exposed=exposed, errors=errors, asked=asked
    )


def doses_table(found: Sequence[tuple[Sample, Dose]]) -> str:
    """One line per sample and what must be said of it, for people."""
    lines = [f"{'sample':<16}{'cells':>7}{'dic.':>6}{'u':>8}{'dose (Gy)':>11}{'95 %':>22}"]
    for sample, one in found:
        lines.append(
            f"{sample.name:<16}{sample.cells:>7}{sample.dicentrics:>6}{_u(one):>8}{one.estimate:>11.2f}{one.limits:>22}"
        )
        if one.partial is not None:
            lines.append(f"{'':<16}  as partial-body exposure (Dolphin): {one.partial_words}")
        if one.tried_partial:
            lines.append(f"{'':<16}  as partial-body exposure (profile likelihood): {one.contaminated_words}")
        lines += [f"{'':<16}  {warning}" for warning in one.warnings]
    return "\n".join(lines)


def doses_csv(found: Sequence[tuple[Sample, Dose]]) -> str:
    """One line per sample, for programs and spreadsheets; empty where there is no such number."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow([
        "sample", "cells", "dicentrics", "u", "dose_gy", "lower_gy", "upper_gy", "method",
        "partial_dose_gy", "partial_lower_gy", "partial_upper_gy", "partial_body", "notes",
    ])  # fmt: skip
    for sample, one in found:
        partial, used = ["", "", "", ""], one.contaminated or one.partial
        if used is not None:
            partial = [_cell(v) for v in (used.dose.value, used.dose.lower, used.dose.upper, used.body.value)]
        table.writerow([
            sample.name, sample.cells, sample.dicentrics, _u(one), _cell(one.estimate), _cell(one.lower),
            _cell(one.upper), one.method, *partial, "; ".join(one.warnings),
        ])  # fmt: skip
    return buffer.getvalue()


def _u(one: Dose) -> str:
    return "" if one.dispersion is None or not np.isfinite(one.dispersion.u) else f"{one.dispersion.u:.2f}"


def _cell(value: float) -> str:
    return f"{value:.4f}" if np.isfinite(value) else ""
