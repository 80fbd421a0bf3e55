"""`cytally dosimetry`: the group, and dose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.given import (
    dose_json,
    dose_words,
    errors_given,
    load_curve,
    typed_dose,
)
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import CELLS, COUNT, D0, HOURS, REPAIR, TABLE, refuse_unused, was_given
from cytally.dosimetry import D0_GY, REPAIR_HOURS

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import Asked, ExposureConditions
    from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_STYLES = ("mixed", "dark", "pale", "straight", "separated", "slender", "faint", "hard", "poor", "lobed", "beaded")


@dosimetry.command()
@click.argument("run", required=False, type=_FOLDER)
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--dicentrics", type=COUNT, help="Typed count, with --cells.")
@click.option("--cells", type=CELLS, help="Cells scored, with --dicentrics.")
@click.option("--distribution", help="Cells with 0, 1, 2, ... dicentrics, such as 475,20,5.")
@click.option("--samples", type=_FILE, help="Many samples: a table with sample and cells,dicentrics or C0,C1,...")
@click.option("--out", type=TABLE, help="With --samples: also write the doses (CSV or XLSX).")
@click.option(
    "--method",
    type=click.Choice(["likelihood", "merkle", "merkle95", "delta", "bayes"]),
    default="likelihood",
    show_default=True,
    help="Of the limits: likelihood ratio, Merkle's two regions of 83 % or of 95 %, delta method, posterior density.",
)
@click.option("--hours", type=HOURS, default=0.0, help="Duration of the exposure.  [default: acute]")
@click.option(
    "--repair-hours",
    type=REPAIR,
    default=REPAIR_HOURS,
    show_default=True,
    help="Mean time of repair, with --hours.",
)
@click.option("--d0", type=D0, default=D0_GY, show_default=True, help="Gy; survival of cells, for partial-body doses.")
@click.option("--partial", is_flag=True, help="Also as an exposure of a part of the body, whatever u says.")
@click.option(
    "--prior",
    help="With --method bayes: uniform, uniform:GY (up to a dose), or gamma:SHAPE,MEAN.  [default: uniform]",
)
@click.option(
    "--recall",
    "recalled",
    help="FOUND,MISSED dicentrics of a validation set: automatic counts on a curve by manual scoring.",
)
@click.option(
    "--false",
    "false",
    help="FALSE,CELLS: false dicentrics, and the cells without aberrations they were counted in.",
)
@click.option(
    "--beside",
    help="FALSE,CELLS in the exposed cells of --recall: they grow with dose.  [default: as many as in silent ones]",
)
@click.option(
    "--validation",
    type=_FILE,
    help="evaluation.csv of `evaluate` on cells of 0 Gy and above, instead of these three.",
)
@click.option("--any-detector", is_flag=True, help="Accept counts of another detector than the curve's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def dose(
    run: Path | None,
    curve: Path,
    dicentrics: int | None,
    cells: int | None,
    distribution: str | None,
    samples: Path | None,
    out: Path | None,
    method: str,
    hours: float,
    repair_hours: float,
    d0: float,
    partial: bool,
    prior: str | None,
    recalled: str | None,
    false: str | None,
    beside: str | None,
    validation: Path | None,
    any_detector: bool,
    as_json: bool,
) -> None:
    """Dose with 95 % limits from a RUN, from typed counts, or of many samples in a table.

    Where the distribution over cells is overdispersed (u > 1.96) the partial-body
    dose by Dolphin's contaminated Poisson method is printed beside it. --partial gives it for
    every distribution, with limits by profile likelihood that hold whatever u is; they say too
    whether the whole body may have been exposed.

    A line of --samples that cannot be used is left out and named; then the exit code is 3.

    A curve counted by the same detector has absorbed its errors. For a curve counted
    by manual scoring give --recall, --false and --beside from a validation set, or the evaluation.csv
    that `evaluate` wrote of one: their uncertainty is then part of the limits.

    \b
    Examples:
      cytally dosimetry dose runs/S17 --curve curve.json
      cytally dosimetry dose --curve curve.json --dicentrics 25 --cells 500
      cytally dosimetry dose --curve curve.json --distribution 475,20,5
      cytally dosimetry dose --curve curve.json --samples samples.xlsx --out doses.csv
      cytally dosimetry dose --curve curve.json --dicentrics 157 --cells 688 --hours 7
      cytally dosimetry dose --curve curve.json --distribution 400,70,24,5,1 --partial
      cytally dosimetry dose --curve curve.json --dicentrics 3 --cells 50 --method bayes --prior gamma:2,1
      cytally dosimetry dose runs/S17 --curve by-eye.json --recall 150,50 --false 6,600
      cytally dosimetry dose runs/S17 --curve by-eye.json --validation evaluated/evaluation.csv
    """
    from cytally.dosimetry.estimation.dose import Asked, ExposureConditions
    from cytally.dosimetry.estimation.limits.calibrative import Prior

    errors = errors_given(recalled, false, beside, validation)
    refuse_unused("repair_hours", unless="--hours", because=not was_given("hours"))
    refuse_unused(
        "method",
        unless="counts without a detector's errors (with them: likelihood ratio)",
        because=errors is not None and method != "likelihood",
    )
    exposed = ExposureConditions(hours, repair_hours, d0)
    asked = Asked(partial, Prior.of(prior or "uniform"))
    typed = dicentrics is not None or cells is not None
    if sum([run is not None, distribution is not None, samples is not None, typed]) != 1:
        raise click.UsageError("give one of: a run folder, --distribution, --samples, or --dicentrics with --cells")
    if out is not None and samples is None:
        raise click.UsageError("--out belongs to --samples")
    refuse_unused("any_detector", unless="a run folder", because=run is None)
    refuse_unused("d0", unless="a distribution over cells", because=typed)
    loaded = load_curve(curve)
    if samples is not None:
        _doses_of(samples, out, loaded, method, exposed, errors, asked, as_json=as_json)
        return
    if run is not None:
        from cytally.dosimetry.laboratory.series import dose_of_run

        found = dose_of_run(
            run, loaded, method=method, any_detector=any_detector, exposed=exposed, errors=errors, asked=asked
        )
    else:
        found = typed_dose(loaded, dicentrics, cells, distribution, method, exposed, errors, asked)
    click.echo(json.dumps(dose_json(found)) if as_json else dose_words(found))


def _doses_of(
    table: Path,
    out: Path | None,
    curve: Curve,
    method: str,
    exposed: ExposureConditions,
    errors: DetectorErrors | None,
    asked: Asked,
    *,
    as_json: bool,
) -> None:
    from cytally.cli.laboratory.tables import as_json as tables_json
    from cytally.cli.laboratory.tables import end, read_said
    from cytally.dosimetry.laboratory.samples import dose_of_sample, doses_rows, doses_table
    from cytally.files.tables.spreadsheets import write_sheet

    read = read_said(table)
    refuse_unused(
        "d0", unless="distributions over cells", because=all(one.distribution is None for one in read.samples)
    )
    found = [
        (one, dose_of_sample(one, curve, method=method, exposed=exposed, errors=errors, asked=asked))
        for one in read.samples
    ]
    plain_ = [{"sample": one.name} | dose_json(each) for one, each in found]
    click.echo(tables_json(plain_, read) if as_json else doses_table(found))
    if out is not None:
        write_sheet(out, doses_rows(found))
    end(read)
