"""One table, many people: counts in, a dose each."""

from __future__ import annotations

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


def doses_rows(found: Sequence[tuple[Sample, Dose]]) -> list[list[object]]:
    """Headings, then one line per sample, for programs and spreadsheets; None where there is no such number."""
    heading: list[object] = [
        "sample", "cells", "dicentrics", "u", "dose_gy", "lower_gy", "upper_gy", "method", *PARTIAL, "notes",
    ]  # fmt: skip
    rows: list[list[object]] = [
        [
            sample.name, sample.cells, sample.dicentrics, u_of(one), one.estimate, one.lower, one.upper,
            one.method, *partial_cells(one), "; ".join(one.warnings),
        ]
        for sample, one in found
    ]  # fmt: skip
    return [heading, *rows]


#: Headings of the cells of `partial_cells`.
PARTIAL = ("partial_dose_gy", "partial_lower_gy", "partial_upper_gy", "partial_body")


def partial_cells(one: Dose) -> list[float | None]:
    """Partial-body dose with limits in Gy and part of the body; None where there is none.

    By profile likelihood where that was asked for, else by Dolphin's method.
    """
    used = one.contaminated or one.partial
    if used is None:
        return [None] * len(PARTIAL)
    return [used.dose.value, used.dose.lower, used.dose.upper, used.body.value]


def u_of(one: Dose) -> float | None:
    """The statistic u of the distribution over cells, where it is known."""
    return None if one.dispersion is None else one.dispersion.u


def _u(one: Dose) -> str:
    u = u_of(one)
    return "" if u is None or not np.isfinite(u) else f"{u:.2f}"
