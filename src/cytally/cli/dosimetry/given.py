"""Counts, errors and doses on the command line: how they are given, and how they are said."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.options import CELLS, pair, typed_counts, whole_numbers

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import Asked, Dose, ExposureConditions
    from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
    from cytally.types import IntArray


def typed_dose(
    curve: Curve,
    dicentrics: int | None,
    cells: int | None,
    distribution: str | None,
    method: str,
    exposed: ExposureConditions,
    errors: DetectorErrors | None,
    asked: Asked | None = None,
) -> Dose:
    """Dose of counts given on the command line."""
    from cytally.dosimetry.estimation.dose import PLAIN, dose_from_totals
    from cytally.dosimetry.estimation.dose import dose as estimate

    wanted = asked or PLAIN
    if distribution is not None:
        counts = counts_given(distribution)
        return estimate(counts, curve, method=method, exposed=exposed, errors=errors, asked=wanted)
    if dicentrics is None or cells is None:
        raise click.UsageError("--dicentrics and --cells belong together")
    typed_counts(dicentrics, cells, curve.aberration)
    return dose_from_totals(dicentrics, cells, curve, method=method, exposed=exposed, errors=errors, asked=wanted)


def counts_given(distribution: str) -> IntArray:
    """Cells with 0, 1, 2, ... dicentrics as given on the command line."""
    import numpy as np

    from cytally.dosimetry.possible import check_possible_cells
    from cytally.errors import CountsError

    counts = np.array(whole_numbers(distribution, "--distribution", "475,20,5"))
    if counts.sum() > CELLS.max:
        raise click.UsageError(
            f"expected {CELLS.max} cells at most in --distribution, got {counts.sum()} ({distribution})"
        )
    try:
        check_possible_cells(counts)
    except CountsError as error:
        raise click.UsageError(f"--distribution: {error}") from None
    return counts.astype(int)


def errors_given(
    recalled: str | None, false: str | None, beside: str | None, validation: Path | None
) -> DetectorErrors | None:
    """A detector's errors as given on the command line; None where they are not."""
    from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
    from cytally.dosimetry.laboratory.validation import read_validation

    typed = [each for each in (recalled, false, beside) if each is not None]
    if validation is not None:
        if typed:
            raise click.UsageError("give --validation, or --recall, --false and --beside, not both")
        return read_validation(validation)
    if not typed:
        return None
    if recalled is None or false is None:
        raise click.UsageError("--recall and --false belong together: a detector has both kinds of errors")
    found, missed = whole_numbers(recalled, "--recall", "150,50", 2)
    wrong, cells = pair(false, "--false", "6,600", "false dicentrics")
    wrong_beside, exposed = pair(beside, "--beside", "9,300", "false dicentrics") if beside is not None else (0, 0)
    return DetectorErrors(found, missed, wrong, cells, wrong_beside, exposed)


def load_curve(path: Path) -> Curve:
    """Read a curve without loading anything before it is needed."""
    from cytally.dosimetry.curves.calibrate import Curve

    return Curve.load(path)


def dose_words(found: Dose) -> str:
    """A dose and what must be said of it, for the screen."""
    lines = [str(found)]
    if found.protraction < 1:
        lines.append(f"  protracted exposure: quadratic term times {found.protraction:.3f}")
    if found.merkle_limits:
        lines.append(f"  by Merkle's method (83 % and 83 %): {found.merkle_limits} Gy")
    if found.prior:
        lines.append(f"  {found.prior} on the dose")
    if found.partial is not None:
        lines.append(f"  as partial-body exposure (Dolphin): {found.partial_words}")
    if found.tried_partial:
        lines.append(f"  as partial-body exposure (profile likelihood): {found.contaminated_words}")
    return "\n".join([*lines, *(f"  note: {warning}" for warning in found.warnings)])


#: A whole-body dose in JSON and in tables, and in `Dose`.
_IN_GRAY = {"dose": "estimate", "lower": "lower", "upper": "upper"}


def dose_json(found: Dose) -> Any:
    """A dose as plain numbers, for programs."""
    told = asdict(found)
    in_gray = {f"{name}_gy": told.pop(key) for name, key in _IN_GRAY.items()}
    return plain(in_gray | told | {"warnings": list(found.warnings)})


def plain(value: Any) -> Any:
    """For JSON: NaN and infinity have no JSON: null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
