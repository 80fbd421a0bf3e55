"""`cytally dosimetry triage`, `plan`, `compare` and `interlab`: from typed counts alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry import dosimetry, plain

if TYPE_CHECKING:
    from cytally.dosimetry.laboratory.triage import Sorted
    from cytally.types import FloatArray

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("samples", type=_FILE)
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option(
    "--method",
    type=click.Choice(["likelihood", "merkle", "merkle95", "bayes"]),
    default="likelihood",
    show_default=True,
)
@click.option("--out", type=_FILE, help="Also write the table (CSV).")
@click.option("--partial", is_flag=True, help="Also as exposures of a part of the body, whatever u says.")
@click.option("--plot", type=_FILE, help="Also draw all doses (SVG).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def triage(
    samples: Path, curve: Path, method: str, out: Path | None, partial: bool, plot: Path | None, as_json: bool
) -> None:
    """Sort many SAMPLES by dose: below 1 Gy, 1 to 2 Gy, above 2 Gy.

    SAMPLES is a CSV file with sample and cells,dicentrics or C0,C1,...

    \b
    Example:
      cytally dosimetry triage samples.csv --curve curve.json --plot triage.svg
    """
    from cytally.dosimetry.calibrate import Curve
    from cytally.dosimetry.dose import Asked
    from cytally.dosimetry.laboratory.samples import read_samples
    from cytally.dosimetry.laboratory.triage import as_csv, as_table, sort_samples

    found = sort_samples(read_samples(samples), Curve.load(curve), method=method, asked=Asked(partial))
    if out:
        out.write_text(as_csv(found))
    if plot:
        _draw(found, plot)
    click.echo(json.dumps([_plain(one) for one in found]) if as_json else as_table(found))


def _draw(found: list[Sorted], plot: Path) -> None:
    import numpy as np

    from cytally.dosimetry.laboratory.triage import CLASSES
    from cytally.figures.curves import as_svg
    from cytally.figures.triage import triage_figure

    doses = np.array([[one.dose.lower, one.dose.estimate, one.dose.upper] for one in found])
    plot.write_text(
        as_svg(triage_figure([one.sample.name for one in found], doses, [end for end, _ in CLASSES]))
    )


def _plain(one: Sorted) -> dict[str, object]:
    upper = one.dose.upper if one.dose.upper < float("inf") else None
    return {
        "sample": one.sample.name, "cells": one.sample.cells, "dicentrics": one.sample.dicentrics,
        "dose_gy": one.dose.estimate, "lower_gy": one.dose.lower, "upper_gy": upper, "class": one.category,
        "possible": list(one.possible), "enough": one.enough, "warnings": list(one.dose.warnings),
        "partial": plain(asdict(one.dose)["partial"]), "contaminated": plain(asdict(one.dose)["contaminated"]),
    }  # fmt: skip


@dosimetry.command()
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--dose", "gray", type=click.FloatRange(0), default=1.0, show_default=True, help="Gy.")
@click.option(
    "--within", type=click.FloatRange(0, min_open=True), default=0.5, show_default=True, help="+- Gy."
)
@click.option(
    "--false-rate", type=click.FloatRange(0), default=0.0, help="False dicentrics per cell of the detector."
)
@click.option(
    "--samples", type=_FILE,
    help="Samples counted so far: how many more cells each needs. A table with sample and cells,dicentrics.",
)  # fmt: skip
def plan(curve: Path, gray: float, within: float, false_rate: float, samples: Path | None) -> None:
    """How many cells to score, and what a number of cells can tell.

    \b
    Examples:
      cytally dosimetry plan --curve curve.json --dose 1 --within 0.25
      cytally dosimetry plan --curve curve.json --samples samples.csv --within 0.5
    """
    from cytally.dosimetry.calibrate import Curve
    from cytally.statistics.low import cells_needed, characteristic_limits, limits_at

    loaded = Curve.load(curve)
    coefficients = loaded.coefficients
    if samples is not None:
        _plan_each(samples, coefficients, within)
        return
    needed = cells_needed(gray, within, coefficients)
    click.echo(
        f"{gray:g} Gy within +-{within:g} Gy (95 %, the curve taken as known): "
        + (f"{needed} cells" if needed else "not even with a million cells")
    )
    known = loaded.carried  # with what the controls leave open
    background, variance = float(known.coefficients[0]) + false_rate, float(known.covariance[0, 0])
    click.echo(
        f"{'cells':>7}{'dicentrics expected':>21}{'limits (Gy)':>18}{'more than ... mean exposed':>28}"
    )
    for cells in (50, 150, 500, 1000, 3000):
        count, limits = limits_at(gray, cells, coefficients)
        threshold = characteristic_limits(cells, background, variance=variance).threshold
        click.echo(f"{cells:>7}{count:>21}{f'{limits.lower:.2f} to {limits.upper:.2f}':>18}{threshold:>28}")


def _plan_each(samples: Path, coefficients: FloatArray, within: float) -> None:
    """What each sample still needs, at the dose that its count says now."""
    from cytally.dosimetry.laboratory.samples import read_samples
    from cytally.statistics.curves import dose_at
    from cytally.statistics.low import cells_needed

    click.echo(
        f"{'sample':<16}{'cells':>7}{'dic.':>6}{'dose (Gy)':>11}{f'needed for +-{within:g} Gy':>24}{'more':>8}"
    )
    for one in read_samples(samples):
        gray = dose_at(one.dicentrics / one.cells, coefficients)
        needed = cells_needed(gray, within, coefficients)
        wanted = "more than a million" if needed is None else str(needed)
        more = "" if needed is None else str(max(needed - one.cells, 0))
        click.echo(f"{one.name:<16}{one.cells:>7}{one.dicentrics:>6}{gray:>11.2f}{wanted:>24}{more:>8}")


@dosimetry.command()
@click.option("--dicentrics", type=click.IntRange(0))
@click.option("--cells", type=click.IntRange(1))
@click.option(
    "--samples",
    type=_FILE,
    help="Many samples instead: a table with sample and cells,dicentrics or C0,C1,...",
)
@click.option("--control", help="DICENTRICS,CELLS of unexposed people: are the two alike?")
@click.option("--curve", type=_FILE, help="Calibration curve, for --against and its background.")
@click.option(
    "--against", type=click.FloatRange(0, min_open=True), help="Gy: a suspected dose, against 0 Gy."
)
def compare(
    dicentrics: int | None, cells: int | None, samples: Path | None, control: str | None, curve: Path | None,
    against: float | None,
) -> None:  # fmt: skip
    """Compare a low count, or many, with a control or with a suspected dose.

    \b
    Examples:
      cytally dosimetry compare --dicentrics 4 --cells 500 --control 8,5000
      cytally dosimetry compare --dicentrics 0 --cells 1000 --curve curve.json --against 0.25
      cytally dosimetry compare --samples samples.csv --control 8,5000
    """
    if control is None and (curve is None or against is None):
        raise click.UsageError("give --control, or --curve with --against")
    for name, count, among in _compared(dicentrics, cells, samples):
        if name:
            click.echo(f"{name}:")
        if control is not None:
            _against_control(count, among, control)
        if curve is not None and against is not None:
            _against_dose(count, among, curve, against)


def _compared(dicentrics: int | None, cells: int | None, samples: Path | None) -> list[tuple[str, int, int]]:
    """(name, dicentrics, cells) of the typed sample, or of those in a table."""
    if samples is not None and dicentrics is None and cells is None:
        from cytally.dosimetry.laboratory.samples import read_samples

        return [(one.name, one.dicentrics, one.cells) for one in read_samples(samples)]
    if samples is not None or dicentrics is None or cells is None:
        raise click.UsageError("give --dicentrics and --cells, or --samples")
    return [("", dicentrics, cells)]


def _against_dose(dicentrics: int, cells: int, curve: Path, against: float) -> None:
    from cytally.dosimetry.calibrate import Curve
    from cytally.statistics.low import log_odds, odds_words

    known = Curve.load(curve).carried
    covariance = known.covariance if known.few else None  # the manual's odds, unless the controls are few
    logged = log_odds(dicentrics, cells, 0.0, against, known.coefficients, covariance)
    sides = f"{odds_words(logged)} for {0 if logged >= 0 else against:g} Gy"
    click.echo(f"odds of 0 Gy and {against:g} Gy given {dicentrics} dicentrics in {cells} cells: {sides}")


def _against_control(dicentrics: int, cells: int, control: str) -> None:
    from cytally.statistics.low import characteristic_limits
    from cytally.statistics.poisson import two_sample_p

    try:
        known, among = (int(part) for part in control.split(","))
    except ValueError:
        raise click.UsageError(
            f"expected two whole numbers such as 8,5000 for --control, got {control!r}"
        ) from None
    if known < 0 or among < 1:
        raise click.UsageError(f"expected dicentrics >= 0 and cells >= 1 for --control, got {control}")
    p = two_sample_p(dicentrics, cells, known, among)
    limits = characteristic_limits(cells, (known, among))
    words = "differ" if p < 0.05 else "do not differ significantly"
    click.echo(f"{dicentrics} in {cells} and {known} in {among} {words} (exact test, p = {p:.3g})")
    click.echo(
        f"in {cells} cells more than {limits.threshold} dicentrics are above the control; "
        f"{limits.detection:.1f} expected ones are detected with 90 %"
    )


@dosimetry.command()
@click.argument("values", type=_FILE)
@click.option("--reference", type=float, help="The physical dose (Gy).  [default: the robust mean]")
@click.option("--algorithm", type=click.Choice(["A", "B", "QHampel"]), default="A", show_default=True)
def interlab(values: Path, reference: float | None, algorithm: str) -> None:
    """Compare laboratories by z scores (ISO 13528).

    VALUES is a table with laboratory and value (doses or yields); with a column sample too,
    each sample is compared by itself, and a column reference gives its physical dose.

    \b
    Examples:
      cytally dosimetry interlab doses.csv --reference 2.5
      cytally dosimetry interlab exercise.csv
    """
    from cytally.dosimetry.laboratory.exercise import read_exercise
    from cytally.statistics.interlab import ALGORITHMS, verdict, z_scores

    for number, sample in enumerate(read_exercise(values, reference)):
        robust = ALGORITHMS[algorithm](sample.values)
        if sample.name:
            click.echo(("\n" if number else "") + f"sample {sample.name}")
        click.echo(
            f"{len(sample.values)} laboratories, robust mean {robust.location:.3f}, "
            f"robust standard deviation {robust.scale:.3f}"
        )
        scores = z_scores(sample.values, reference=sample.reference, algorithm=algorithm)
        for name, value, z in zip(sample.laboratories, sample.values, scores, strict=True):
            click.echo(f"{name:<20}{value:>9.3f}{z:>8.2f}  {verdict(float(z))}")
