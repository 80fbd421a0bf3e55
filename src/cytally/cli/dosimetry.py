"""`cytally dosimetry`: simulate, score, dose."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.main import SKIPPED, cli
from cytally.cli.progress import reporting

if TYPE_CHECKING:
    from cytally.dosimetry.calibrate import Curve
    from cytally.dosimetry.dose import Dose, Exposed
    from cytally.statistics.detector import DetectorErrors
    from cytally.types import Counts, IntArray

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
@click.argument("out", type=_FOLDER)
@click.option("--cells", default=200, show_default=True, help="Number of cells.")
@click.option("--dose", "dose_gy", default=2.0, show_default=True, help="Dose in Gy (acute 60Co gamma).")
@click.option("--fraction", default=1.0, show_default=True, help="Irradiated fraction of the blood.")
@click.option("--style", type=click.Choice(_STYLES), default="mixed", show_default=True)
@click.option("--sample", default="S1", show_default=True, help="Name of the sample.")
@click.option(
    "--unscorable", default=0.0, show_default=True, help="Share of cells that should not be scored."
)
@click.option("--truth", is_flag=True, help="Also masks, identities, centromeres, centrelines, break points.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
def simulate(
    out: Path, cells: int, dose_gy: float, fraction: float, style: str, sample: str,
    unscorable: float, truth: bool, seed: int,
) -> None:  # fmt: skip
    """Simulate metaphases with full truth into the folder OUT.

    \b
    Example:
      cytally dosimetry simulate cells --cells 200 --dose 2 --seed 1
    """
    from cytally.dosimetry.simulate.breakage import Exposure
    from cytally.dosimetry.simulate.folder import Order, write_folder

    order = Order(cells, Exposure(dose_gy, fraction), style, seed, sample, unscorable, truth)
    with reporting() as report:
        write_folder(order, out, report)
    click.echo(f"{cells} cells in {out}")


@dosimetry.command()
@click.argument("images", nargs=-1, required=True)
@click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it.")
@click.option("--ensemble", type=_FOLDER, help="Ensemble folder.  [default: the shipped one]")
@click.option(
    "--confidence",
    type=click.FloatRange(0, 1, True, True),
    help="T_C: let all members vote, without second readers.",
)
@click.option("--agreement", type=click.IntRange(0), help="T_A: let all members vote; votes to be exceeded.")
@click.option(
    "--reading", type=click.FloatRange(0, 1, max_open=True),
    help="Probability that the second readers must exceed.  [default: the card's]",
)  # fmt: skip
@click.option(
    "--co-occurrence/--no-co-occurrence", default=None, help="Count dicentrics only beside a fragment."
)
@click.option("--curve", type=_FILE, help="Calibration curve; adds the dose to the report.")
@click.option("--pictures", is_flag=True, help="Write a picture of every cell with its detections.")
@click.option(
    "--sampled", type=click.IntRange(2), help="Count again by so many ensembles drawn from the members, such as 100;"
    " their disagreement widens the limits of the dose. Takes longer, as all members look.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(0), default=0,
    help="Images scored at a time, in processes of one thread each; the result is the same.  [default: one for each core]",
)  # fmt: skip
@click.option(
    "--runtime", type=click.Choice(("auto", "torch", "openvino")), default="auto", show_default=True,
    help="What networks run on; auto takes what pays on this processor.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def score(
    images: tuple[str, ...], out: Path, ensemble: Path | None, confidence: float | None,
    agreement: int | None, reading: float | None, co_occurrence: bool | None, curve: Path | None,
    pictures: bool, sampled: int | None, jobs: int, runtime: str, as_json: bool,
) -> None:  # fmt: skip
    """Find dicentrics and fragments in IMAGES (folders, files or globs).

    OUT gets detections.csv, cells.csv, run.json and report.html. An unreadable
    image is reported and skipped; then the exit code is 3.

    \b
    Example:
      cytally dosimetry score slides/S17 --out runs/S17 --pictures
    """
    from cytally.dosimetry.pipeline import score_folder
    from cytally.inference.ensemble import load_ensemble

    loaded = load_ensemble(ensemble, runtime=runtime).with_thresholds(
        confidence=confidence, agreement=agreement, co_occurrence=co_occurrence, reading=reading
    )
    known = _load_curve(curve) if curve else None
    with reporting() as report:
        outcome = score_folder(
            images,
            out,
            loaded,
            curve=known,
            pictures=pictures,
            sampled=sampled or 0,
            jobs=jobs,
            report=report,
        )
    _say_counts(outcome.counts, outcome.dose, out, as_json)
    if outcome.sampled is not None:
        click.echo(str(outcome.sampled), err=as_json)
    if outcome.counts.skipped:
        sys.exit(SKIPPED)


@dosimetry.command()
@click.argument("run", required=False, type=_FOLDER)
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--dicentrics", type=click.IntRange(0), help="Typed count, with --cells.")
@click.option("--cells", type=click.IntRange(1))
@click.option("--distribution", help="Cells with 0, 1, 2, ... dicentrics, such as 475,20,5.")
@click.option(
    "--samples", type=_FILE, help="Many samples: a table with sample and cells,dicentrics or C0,C1,..."
)
@click.option("--out", type=_FILE, help="With --samples: also write the doses (CSV).")
@click.option(
    "--method", type=click.Choice(["likelihood", "merkle", "merkle95", "delta", "bayes"]), default="likelihood", show_default=True,
    help="Of the limits: likelihood ratio, Merkle's two regions of 83 % or of 95 %, delta method, posterior density.",
)  # fmt: skip
@click.option("--hours", default=0.0, help="Duration of the exposure.  [default: acute]")
@click.option("--d0", default=2.7, show_default=True, help="Gy; survival of cells, for partial-body doses.")
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
    samples: Path | None, out: Path | None, method: str, hours: float, d0: float, recalled: str | None, false: str | None, beside: str | None,
    validation: Path | None, any_detector: bool, as_json: bool,
) -> None:  # fmt: skip
    """Dose with 95 % limits from a RUN, from typed counts, or of many samples in a table.

    Where the distribution over cells is overdispersed (u > 1.96) the partial-body
    dose by the contaminated Poisson method is printed beside it.

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
      cytally dosimetry dose runs/S17 --curve by-eye.json --recall 150,50 --false 6,600
      cytally dosimetry dose runs/S17 --curve by-eye.json --validation evaluated/evaluation.csv
    """
    from cytally.dosimetry.dose import Exposed

    errors = errors_given(recalled, false, beside, validation)
    exposed = Exposed(hours, d0_gy=d0)
    typed = dicentrics is not None or cells is not None
    if sum([run is not None, distribution is not None, samples is not None, typed]) != 1:
        raise click.UsageError(
            "give one of: a run folder, --distribution, --samples, or --dicentrics with --cells"
        )
    if out is not None and samples is None:
        raise click.UsageError("--out belongs to --samples")
    loaded = _load_curve(curve)
    if samples is not None:
        _doses_of(samples, out, loaded, method, exposed, errors, as_json=as_json)
        return
    if run is not None:
        from cytally.dosimetry.laboratory.series import dose_of_run

        found = dose_of_run(
            run, loaded, method=method, any_detector=any_detector, exposed=exposed, errors=errors
        )
    else:
        found = typed_dose(loaded, dicentrics, cells, distribution, method, exposed, errors)
    click.echo(json.dumps(_dose_json(found)) if as_json else _words(found))


def _doses_of(
    table: Path, out: Path | None, curve: Curve, method: str, exposed: Exposed, errors: DetectorErrors | None,
    *, as_json: bool,
) -> None:  # fmt: skip
    from cytally.dosimetry.laboratory.samples import dose_of_sample, doses_csv, doses_table, read_samples

    found = [
        (one, dose_of_sample(one, curve, method=method, exposed=exposed, errors=errors))
        for one in read_samples(table)
    ]
    if out is not None:
        out.write_text(doses_csv(found))
    plain_ = [{"sample": one.name} | _dose_json(each) for one, each in found]
    click.echo(json.dumps(plain_) if as_json else doses_table(found))


def typed_dose(
    curve: Curve, dicentrics: int | None, cells: int | None, distribution: str | None, method: str,
    exposed: Exposed, errors: DetectorErrors | None,
) -> Dose:  # fmt: skip
    """Dose of counts given on the command line."""
    from cytally.dosimetry.dose import dose as estimate
    from cytally.dosimetry.dose import dose_from_totals

    if distribution is not None:
        return estimate(counts_given(distribution), curve, method=method, exposed=exposed, errors=errors)
    if dicentrics is None or cells is None:
        raise click.UsageError("--dicentrics and --cells belong together")
    return dose_from_totals(dicentrics, cells, curve, method=method, exposed=exposed, errors=errors)


def counts_given(distribution: str) -> IntArray:
    """Cells with 0, 1, 2, ... dicentrics as given on the command line."""
    import numpy as np

    try:
        counts = np.array([int(part) for part in distribution.split(",")])
    except ValueError:
        raise click.UsageError(f"expected whole numbers such as 475,20,5, got {distribution!r}") from None
    if (counts < 0).any():
        raise click.UsageError(f"expected counts >= 0, got {distribution}")
    return counts


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


def _load_curve(path: Path) -> Curve:
    from cytally.dosimetry.calibrate import Curve

    return Curve.load(path)


def _words(found: Dose) -> str:
    lines = [str(found)]
    if found.protraction < 1:
        lines.append(f"  protracted exposure: quadratic term times {found.protraction:.3f}")
    if found.merkle_limits:
        lines.append(f"  by Merkle's method (83 % and 83 %): {found.merkle_limits} Gy")
    if found.partial is not None:
        lines.append(f"  as partial-body exposure: {found.partial_words}")
    return "\n".join([*lines, *(f"  note: {warning}" for warning in found.warnings)])


def _dose_json(found: Dose) -> Any:
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


def _say_counts(counts: Counts, found: Dose | None, out: Path, as_json: bool) -> None:
    totals = {name: counts.total(name) for name in counts.per_cell}
    if as_json:
        click.echo(json.dumps({
            "cells": counts.cells, "found": totals, "run": str(out), "detector": counts.detector,
            "skipped": [asdict(one) for one in counts.skipped],
            "dose": _dose_json(found) if found else None,
        }))  # fmt: skip
        return
    named = ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in totals.items())
    click.echo(f"{counts.cells} cells scored: {named}")
    for one in counts.skipped[:20]:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if len(counts.skipped) > 20:
        click.echo(f"  and {len(counts.skipped) - 20} more; see {out / 'cells.csv'}", err=True)
    if found is not None:
        click.echo(_words(found))
    click.echo(f"report: {out / 'report.html'}")
