"""`cytally dosimetry triage`, `plan` and `compare`: from typed counts alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.given import (
    Typed,
    check_one_source,
    dose_json,
    dose_options,
    load_curve,
    plain,
    typed_options,
)
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import (
    JSON,
    OUT,
    PICTURE,
    Finite,
    draw,
    pair,
    refuse_unused,
    write_table,
)

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import DoseSettings
    from cytally.dosimetry.laboratory.planning import Need, Planned
    from cytally.dosimetry.laboratory.samples import Sample, SampleTable
    from cytally.dosimetry.laboratory.triage import Sorted

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("samples", type=_FILE)
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@dose_options(methods=("likelihood", "merkle", "merkle95", "bayes"))
@OUT
@click.option("--plot", type=PICTURE, help="Also draw all doses (SVG or PNG).")
@JSON
def triage(
    samples: Path, curve: Path, settings: DoseSettings, out: Path | None, plot: Path | None, as_json: bool
) -> None:
    """Sort many SAMPLES by dose: below 1 Gy, 1 to 2 Gy, above 2 Gy.

    SAMPLES is a table (CSV or XLSX) with sample and cells,dicentrics or C0,C1,... Where the distribution over
    cells is overdispersed (u > 1.96), the dose as a partial-body exposure and its class are given too.

    \b
    Examples:
      cytally dosimetry triage samples.csv --curve curve.json --plot triage.svg
      cytally dosimetry triage samples.xlsx --curve curve.json --hours 6 --out triage.xlsx
    """
    from cytally.cli.laboratory.tables import as_json as tables_json
    from cytally.cli.laboratory.tables import end, read_said, refuse_d0
    from cytally.dosimetry.laboratory.triage import as_rows, as_table, sort_samples

    loaded = load_curve(curve)
    read = read_said(samples, loaded)
    refuse_d0(read)
    found = sort_samples(read.samples, loaded, settings)
    click.echo(tables_json([_plain(one) for one in found], read) if as_json else as_table(found))
    factor = settings.exposure.protraction
    if factor < 1 and not as_json:
        click.echo(f"protracted exposure: quadratic term times {factor:.3f}")
    write_table(out, as_rows(found))
    if plot:
        _draw_doses(found, plot)
    end(read)


def _draw_doses(found: list[Sorted], plot: Path) -> None:
    import numpy as np

    from cytally.dosimetry.laboratory.triage import CLASSES
    from cytally.figures.triage import triage_figure

    doses = np.array([[one.dose.lower, one.dose.estimate, one.dose.upper] for one in found])
    partial = np.full_like(doses, np.nan)
    for row, one in zip(partial, found, strict=True):
        used = one.dose.contaminated or one.dose.partial
        if used is not None:
            row[:] = used.dose.lower, used.dose.value, used.dose.upper
    names, ends = [one.sample.name for one in found], [end for end, _ in CLASSES]
    draw(triage_figure(names, doses, ends, partial), plot)


def _plain(one: Sorted) -> object:
    sorted_as = {
        "class": one.category,
        "possible": list(one.possible),
        "enough": one.enough,
        "partial_class": one.partial_category or None,
    }
    return {"sample": one.sample.name} | dose_json(one.dose) | sorted_as


@dosimetry.command()
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--dose", "gray", type=Finite(0, 100), default=1.0, show_default=True, help="Gy.")
@click.option("--within", type=Finite(0, 100, min_open=True), default=0.5, show_default=True, help="+- Gy.")
@click.option("--false-rate", type=Finite(0, 1), default=0.0, help="False dicentrics per cell of the detector.")
@click.option(
    "--samples",
    type=_FILE,
    help="Samples counted so far: how many more cells each needs. A table with sample and cells,dicentrics.",
)
@OUT
@click.option(
    "--plot",
    type=PICTURE,
    help="Also draw decision threshold and detection limit against cells (SVG or PNG).",
)
@JSON
def plan(
    curve: Path,
    gray: float,
    within: float,
    false_rate: float,
    samples: Path | None,
    out: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """How many cells to score, and what a number of cells can tell.

    \b
    Examples:
      cytally dosimetry plan --curve curve.json --dose 1 --within 0.25
      cytally dosimetry plan --curve curve.json --dose 0.2 --plot plan.svg
      cytally dosimetry plan --curve curve.json --samples samples.csv --within 0.5 --out plan.xlsx
    """
    from cytally.dosimetry.curves.calibrate import Curve

    loaded = Curve.load(curve)
    if samples is not None:
        refuse_unused("plot", "gray", "false_rate", unless="a plan for one dose, without --samples", because=True)
        _plan_each(samples, loaded, within, out, as_json=as_json)
        return
    _plan_one(loaded, gray, within, false_rate, out, as_json=as_json)
    if plot is not None:
        _draw_plan(loaded, gray, false_rate, plot)


def _plan_one(curve: Curve, gray: float, within: float, false_rate: float, out: Path | None, *, as_json: bool) -> None:
    from cytally.dosimetry.assays.low_dose import cells_needed
    from cytally.dosimetry.estimation.notes import assay_notes
    from cytally.dosimetry.laboratory.planning import background_words, plan_cells, plan_rows
    from cytally.wording import counted

    needed = cells_needed(gray, within, curve.coefficients)
    found = plan_cells(gray, curve, false_rate=false_rate)
    notes = assay_notes(gray, gray, curve)
    if as_json:
        told = {
            "dose_gy": gray,
            "within_gy": within,
            "cells_needed": needed,
            "plan": [asdict(p) for p in found],
            "notes": notes,
        }
        click.echo(json.dumps(plain(told)))
        write_table(out, plan_rows(found))
        return
    below = "; it reaches below 0 Gy, so that only the upper limit asks for cells" if within > gray > 0 else ""
    click.echo(
        f"{gray:g} Gy within +-{within:g} Gy (95 %, the curve taken as known): "
        + (counted(needed, "cells") if needed else "not even with a million cells")
        + f"{below}; {background_words(curve, false_rate)}"
    )
    click.echo(_plan_table(found))
    for note in notes:
        click.echo(f"  note: {note}")
    write_table(out, plan_rows(found))


def _plan_table(found: list[Planned]) -> str:
    lines = [
        f"{'cells':>7}{'dicentrics expected':>21}{'limits (Gy)':>18}{'detected with 90 % (Gy)':>25}"
        f"{'more than ... mean exposed':>28}"
    ]
    lines += [
        f"{p.cells:>7}{p.expected:>21}{f'{p.lower:.2f} to {p.upper:.2f}':>18}{p.detection_gy:>25.2f}{p.threshold:>28}"
        for p in found
    ]
    return "\n".join(lines)


def _draw_plan(curve: Curve, gray: float, false_rate: float, plot: Path) -> None:
    import numpy as np

    from cytally.dosimetry.laboratory.planning import plan_cells
    from cytally.figures.laboratory import threshold_figure

    cells = np.unique(np.geomspace(50, 5000, 60).round().astype(int))
    found = plan_cells(gray, curve, cells.tolist(), false_rate=false_rate)
    thresholds = np.array([p.threshold for p in found], dtype=float)
    draw(
        threshold_figure(cells.astype(float), thresholds, np.array([p.detection_gy for p in found]), gray),
        plot,
    )


def _plan_each(samples: Path, curve: Curve, within: float, out: Path | None, *, as_json: bool) -> None:
    """What each sample still needs, at the dose that its count says now."""
    from cytally.cli.laboratory.tables import as_json as tables_json
    from cytally.cli.laboratory.tables import end, read_said
    from cytally.dosimetry.laboratory.planning import needs_of, needs_rows

    read = read_said(samples, curve)
    found = needs_of(read.samples, curve, within)
    heading, *rows = needs_rows(found)
    if as_json:
        names = list(map(str, heading))
        told = [
            dict(zip(names, row, strict=True)) | {"notes": list(one.dose.warnings)}
            for row, one in zip(rows, found, strict=True)
        ]
        click.echo(tables_json(told, read))
    else:
        click.echo(_needs_table(found, within))
    write_table(out, [heading, *rows])
    end(read)


def _needs_table(found: list[Need], within: float) -> str:
    heading = f"{'sample':<16}{'cells':>7}{'dic.':>6}{'dose (Gy)':>11}{f'needed for +-{within:g} Gy':>24}{'more':>8}"
    return "\n".join([heading, *map(_need_line, found)])


def _need_line(one: Need) -> str:
    wanted = "more than a million" if one.cells is None else str(one.cells)
    more = "" if one.more is None else str(one.more)
    line = (
        f"{one.sample.name:<16}{one.sample.cells:>7}{one.sample.dicentrics:>6}{one.dose.estimate:>11.2f}"
        f"{wanted:>24}{more:>8}"
    )
    return "\n".join([line, *(f"{'':<16}  {warning}" for warning in one.dose.warnings)])


@dosimetry.command()
@typed_options
@click.option(
    "--samples",
    type=_FILE,
    help="Many samples instead: a table with sample and cells,dicentrics or C0,C1,...",
)
@click.option("--control", help="DICENTRICS,CELLS of unexposed people: are the two alike?")
@click.option("--curve", type=_FILE, help="Calibration curve, for --against and its background.")
@click.option("--against", type=Finite(0, 100, min_open=True), help="Gy: a suspected dose, against 0 Gy.")
@OUT
@JSON
def compare(
    typed: Typed,
    samples: Path | None,
    control: str | None,
    curve: Path | None,
    against: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare a low count, or many, with a control or with a suspected dose.

    \b
    Examples:
      cytally dosimetry compare --dicentrics 4 --cells 500 --control 8,5000
      cytally dosimetry compare --dicentrics 0 --cells 1000 --curve curve.json --against 0.25
      cytally dosimetry compare --samples samples.csv --control 8,5000 --out compared.xlsx
    """
    from cytally.cli.laboratory.tables import as_json as tables_json
    from cytally.cli.laboratory.tables import end
    from cytally.dosimetry.laboratory.planning import held_rows, held_words, hold

    if control is None and (curve is None or against is None):
        raise click.UsageError("give --control, or --curve with --against")
    if (curve is None) != (against is None):
        raise click.UsageError("--curve and --against belong together")
    known = pair(control, "--control", "8,5000") if control is not None else None
    suspected = (load_curve(curve), against) if curve is not None and against is not None else None
    read, compared = _compared(typed, samples, suspected[0] if suspected is not None else None)
    found = [hold(one, control=known, suspected=suspected) for one in compared]
    if as_json:
        told = [{"sample": one.name} | {k: v for k, v in asdict(one).items() if k != "name"} for one in found]
        click.echo(json.dumps(plain(told[0])) if read is None else tables_json(told, read))
    else:
        click.echo("\n".join(held_words(one, known, suspected) for one in found))
    write_table(out, held_rows(found))
    if read is not None:
        end(read)


def _compared(typed: Typed, samples: Path | None, curve: Curve | None) -> tuple[SampleTable | None, Sequence[Sample]]:
    """The table that was given, if one was, and its samples or the typed one."""
    from cytally.cli.laboratory.tables import read_said
    from cytally.dosimetry.laboratory.samples import Sample

    check_one_source(typed, samples, names="--distribution, --samples, or --dicentrics with --cells")
    if samples is not None:
        read = read_said(samples, curve)
        return read, read.samples
    return None, [Sample.of(typed.counts(curve.aberration if curve is not None else "dicentrics"))]
