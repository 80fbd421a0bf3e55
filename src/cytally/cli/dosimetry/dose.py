"""`cytally dosimetry dose`: counts and a curve -> a dose with limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.given import (
    Typed,
    check_one_source,
    dose_json,
    dose_options,
    dose_words,
    load_curve,
    typed_options,
)
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import JSON, TABLE, refuse_unused, write_table

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import DoseSettings

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("run", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@typed_options
@click.option("--samples", type=_FILE, help="Many samples: a table with sample and cells,dicentrics or C0,C1,...")
@click.option("--out", type=TABLE, help="With --samples: also write the doses (CSV or XLSX).")
@dose_options(prior=True, detector=True)
@JSON
def dose(
    run: Path | None,
    curve: Path,
    typed: Typed,
    samples: Path | None,
    out: Path | None,
    settings: DoseSettings,
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
    check_one_source(typed, run, samples, names="a run folder, --distribution, --samples, or --dicentrics with --cells")
    if out is not None and samples is None:
        raise click.UsageError("--out belongs to --samples")
    refuse_unused("any_detector", unless="a run folder", because=run is None)
    refuse_unused("d0", unless="a distribution over cells", because=typed.totals)
    loaded = load_curve(curve)
    if samples is not None:
        _doses_of(samples, out, loaded, settings, as_json=as_json)
        return
    if run is not None:
        from cytally.dosimetry.laboratory.series import dose_of_run

        found = dose_of_run(run, loaded, settings)
    else:
        from cytally.dosimetry.estimation.dose import dose_of_counts

        found = dose_of_counts(typed.counts(loaded.aberration), loaded, settings)
    click.echo(json.dumps(dose_json(found)) if as_json else dose_words(found))


def _doses_of(table: Path, out: Path | None, curve: Curve, settings: DoseSettings, *, as_json: bool) -> None:
    from cytally.cli.laboratory.tables import as_json as tables_json
    from cytally.cli.laboratory.tables import end, read_said, refuse_d0
    from cytally.dosimetry.laboratory.samples import doses_of, doses_rows, doses_table

    read = read_said(table, curve)
    refuse_d0(read)
    found = doses_of(read.samples, curve, settings)
    plain_ = [{"sample": one.name} | dose_json(each) for one, each in found]
    click.echo(tables_json(plain_, read) if as_json else doses_table(found))
    write_table(out, doses_rows(found))
    end(read)
