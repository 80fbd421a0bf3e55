"""`cytally dosimetry`: the group, and dose."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.main import cli
from cytally.cli.options import CELLS, COUNT, D0, HOURS, REPAIR, TABLE
from cytally.dosimetry import D0_GY, REPAIR_HOURS

if TYPE_CHECKING:
    from cytally.dosimetry.calibrate import Curve
    from cytally.dosimetry.dose import Asked, Dose, Exposed
    from cytally.statistics.detector import DetectorErrors
    from cytally.types import IntArray

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_STYLES = ("mixed", "dark", "pale", "straight", "separated", "slender", "faint", "hard", "poor")


@cli.group()
def dosimetry() -> None:
    """Dicentric chromosomes and fragments in Giemsa metaphases; yield, curve, dose.

    \b
    The road:
      score      images -> counts, tables, report
      calibrate  counts at known doses -> curve (curve: one that somebody published)
      dose       counts + curve -> dose with 95 % limits
    \b
    A detector that fits your microscope:
      evaluate   false alarms on unexposed cells (--normal); precision and recall on labelled ones
      adapt      fit the shipped detector to your unexposed cells; nothing needs labels
      compose    labelled cells made out of unexposed ones
      simulate   labelled metaphases from nothing
      train      a detector from labelled, composed or simulated cells
    \b
    From typed counts alone:
      triage     many samples sorted by dose
      plan       cells to score for a wanted precision
      compare    a low count with a control, or with a suspected dose
      interlab   laboratories by z scores
    """


@dosimetry.command()
@click.argument("run", required=False, type=_FOLDER)
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--dicentrics", type=COUNT, help="Typed count, with --cells.")
@click.option("--cells", type=CELLS)
@click.option("--distribution", help="Cells with 0, 1, 2, ... dicentrics, such as 475,20,5.")
@click.option(
    "--samples", type=_FILE, help="Many samples: a table with sample and cells,dicentrics or C0,C1,..."
)
@click.option("--out", type=TABLE, help="With --samples: also write the doses (CSV or XLSX).")
@click.option(
    "--method", type=click.Choice(["likelihood", "merkle", "merkle95", "delta", "bayes"]), default="likelihood", show_default=True,
    help="Of the limits: likelihood ratio, Merkle's two regions of 83 % or of 95 %, delta method, posterior density.",
)  # fmt: skip
@click.option("--hours", type=HOURS, default=0.0, help="Duration of the exposure.  [default: acute]")
@click.option(
    "--repair-hours",
    type=REPAIR,
    default=REPAIR_HOURS,
    show_default=True,
    help="Mean time of repair, with --hours.",
)
@click.option(
    "--d0", type=D0, default=D0_GY, show_default=True, help="Gy; survival of cells, for partial-body doses."
)
@click.option("--partial", is_flag=True, help="Also as an exposure of a part of the body, whatever u says.")
@click.option(
    "--prior",
    help="With --method bayes: uniform, uniform:GY (up to a dose), or gamma:SHAPE,MEAN.  [default: uniform]",
)
@click.option(
    "--recall", "recalled", help="FOUND,MISSED dicentrics of a validation set: automatic counts on a curve by eye.",
)  # fmt: skip
@click.option(
    "--false", "false", help="FALSE,CELLS: false dicentrics, and the silent cells they were counted in."
)
@click.option(
    "--beside",
    help="FALSE,CELLS in the exposed cells of --recall: they grow with dose.  [default: as many as in silent ones]",
)
@click.option(
    "--validation", type=_FILE, help="evaluation.csv of `evaluate` on cells of 0 Gy and above, instead of these three.",
)  # fmt: skip
@click.option("--any-detector", is_flag=True, help="Accept counts of another detector than the curve's.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def dose(
    run: Path | None, curve: Path, dicentrics: int | None, cells: int | None, distribution: str | None,
    samples: Path | None, out: Path | None, method: str, hours: float, repair_hours: float, d0: float, partial: bool,
    prior: str | None, recalled: str | None, false: str | None, beside: str | None, validation: Path | None,
    any_detector: bool, as_json: bool,
) -> None:  # fmt: skip
    """Dose with 95 % limits from a RUN, from typed counts, or of many samples in a table.

    Where the distribution over cells is overdispersed (u > 1.96) the partial-body
    dose by Dolphin's contaminated Poisson method is printed beside it. --partial gives it for
    every distribution, with limits by profile likelihood that hold whatever u is; they say too
    whether the whole body may have been exposed.

    A line of --samples that cannot be used is left out and named; then the exit code is 3.

    A curve counted by the same detector has absorbed its errors. For a curve counted
    by eye give --recall, --false and --beside from a validation set, or the evaluation.csv
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
    from cytally.dosimetry.dose import Asked, Exposed
    from cytally.statistics.bayes import Prior

    errors = errors_given(recalled, false, beside, validation)
    exposed = Exposed(hours, repair_hours, d0)
    asked = Asked(partial, Prior.of(prior or "uniform"))
    typed = dicentrics is not None or cells is not None
    if sum([run is not None, distribution is not None, samples is not None, typed]) != 1:
        raise click.UsageError(
            "give one of: a run folder, --distribution, --samples, or --dicentrics with --cells"
        )
    if out is not None and samples is None:
        raise click.UsageError("--out belongs to --samples")
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
    table: Path, out: Path | None, curve: Curve, method: str, exposed: Exposed, errors: DetectorErrors | None,
    asked: Asked, *, as_json: bool,
) -> None:  # fmt: skip
    from cytally.cli.samples import end, left_out, read_said
    from cytally.dosimetry.laboratory.samples import dose_of_sample, doses_rows, doses_table
    from cytally.files.spreadsheets import write_sheet

    read = read_said(table)
    found = [
        (one, dose_of_sample(one, curve, method=method, exposed=exposed, errors=errors, asked=asked))
        for one in read.samples
    ]
    plain_ = [{"sample": one.name} | dose_json(each) for one, each in found]
    click.echo(json.dumps([*plain_, *left_out(read)]) if as_json else doses_table(found))
    if out is not None:
        write_sheet(out, doses_rows(found))
    end(read)


def typed_dose(
    curve: Curve, dicentrics: int | None, cells: int | None, distribution: str | None, method: str,
    exposed: Exposed, errors: DetectorErrors | None, asked: Asked | None = None,
) -> Dose:  # fmt: skip
    """Dose of counts given on the command line."""
    from cytally.dosimetry.dose import PLAIN, dose_from_totals
    from cytally.dosimetry.dose import dose as estimate

    wanted = asked or PLAIN
    if distribution is not None:
        counts = counts_given(distribution)
        return estimate(counts, curve, method=method, exposed=exposed, errors=errors, asked=wanted)
    if dicentrics is None or cells is None:
        raise click.UsageError("--dicentrics and --cells belong together")
    return dose_from_totals(
        dicentrics, cells, curve, method=method, exposed=exposed, errors=errors, asked=wanted
    )


def counts_given(distribution: str) -> IntArray:
    """Cells with 0, 1, 2, ... dicentrics as given on the command line."""
    import numpy as np

    try:
        counts = np.array([int(part) for part in distribution.split(",")])
    except ValueError:
        raise click.UsageError(f"expected whole numbers such as 475,20,5, got {distribution!r}") from None
    if (counts < 0).any() or counts.sum() > CELLS.max:
        raise click.UsageError(f"expected counts >= 0 and {CELLS.max} cells at most, got {distribution}")
    return counts.astype(int)


def errors_given(
    recalled: str | None, false: str | None, beside: str | None, validation: Path | None
) -> DetectorErrors | None:
    """A detector's errors as given on the command line; None where they are not."""
    from cytally.dosimetry.laboratory.validation import read_validation
    from cytally.statistics.detector import DetectorErrors

    typed = [each for each in (recalled, false, beside) if each is not None]
    if validation is not None:
        if typed:
            raise click.UsageError("give --validation, or --recall, --false and --beside, not both")
        return read_validation(validation)
    if not typed:
        return None
    if recalled is None or false is None:
        raise click.UsageError("--recall and --false belong together: a detector has both kinds of errors")
    try:
        pairs = [tuple(map(int, pair.split(","))) for pair in (recalled, false, beside or "0,0")]
        (found, missed), (wrong, cells), (wrong_beside, exposed) = pairs
    except ValueError:
        raise click.UsageError(
            f"expected two whole numbers each, such as --recall 150,50 --false 6,600, got {', '.join(map(repr, typed))}"
        ) from None
    return DetectorErrors(found, missed, wrong, cells, wrong_beside, exposed)


def load_curve(path: Path) -> Curve:
    """Read a curve without loading anything before it is needed."""
    from cytally.dosimetry.calibrate import Curve

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


def dose_json(found: Dose) -> Any:
    """A dose as plain numbers, for programs."""
    return plain(asdict(found) | {"warnings": list(found.warnings)})


def plain(value: Any) -> Any:
    """For JSON: NaN and infinity have no JSON: null."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
