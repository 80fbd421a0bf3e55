"""`cytally dosimetry report`: a sample's report to hand over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.given import errors_given, typed_dose
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import CELLS, COUNT, D0, HOURS, REPAIR, NamedFile, refuse_unused, was_given

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import Asked, ExposureConditions
    from cytally.dosimetry.estimation.limits.detector_errors import DetectorErrors
    from cytally.dosimetry.reporting.sections import Case

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("run", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--facts", type=_FILE, help="What is known of the sample (TOML).")
@click.option("--dicentrics", type=COUNT, help="Typed count, with --cells.")
@click.option("--cells", type=CELLS, help="Cells scored, with --dicentrics.")
@click.option("--distribution", help="Cells with 0, 1, 2, ... dicentrics, such as 475,20,5.")
@click.option(
    "--method",
    type=click.Choice(["likelihood", "merkle", "merkle95", "delta", "bayes"]),
    default="likelihood",
    show_default=True,
    help="Of the limits.",
)
@click.option("--hours", type=HOURS, default=0.0, help="Duration of the exposure.  [default: acute]")
@click.option(
    "--repair-hours",
    type=REPAIR,
    default=2.0,
    show_default=True,
    help="Mean time in which breaks are repaired.",
)
@click.option("--d0", type=D0, default=2.7, show_default=True, help="Gy; survival of cells, for partial-body doses.")
@click.option("--partial", is_flag=True, help="Also as an exposure of a part of the body, whatever u says.")
@click.option("--recall", "recalled", help="FOUND,MISSED of a validation set (see `dose`).")
@click.option("--false", "false", help="FALSE,CELLS: false dicentrics in cells without aberrations of it.")
@click.option("--beside", help="FALSE,CELLS: false dicentrics in its exposed cells.")
@click.option("--validation", type=_FILE, help="evaluation.csv of `evaluate`, instead of these three.")
@click.option("--any-detector", is_flag=True, help="Accept counts of another detector than the curve's.")
@click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Of the report.")
@click.option(
    "--out",
    required=True,
    multiple=True,
    type=NamedFile(".html", ".pdf", ".docx"),
    help="report.html, report.pdf or report.docx; may be given several times.",
)
def report(
    run: Path | None,
    curve: Path,
    facts: Path | None,
    dicentrics: int | None,
    cells: int | None,
    distribution: str | None,
    method: str,
    hours: float,
    repair_hours: float,
    d0: float,
    partial: bool,
    recalled: str | None,
    false: str | None,
    beside: str | None,
    validation: Path | None,
    any_detector: bool,
    language: str,
    out: tuple[Path, ...],
) -> None:
    """Write a sample's report, after the topics of ISO 19238, from a RUN or from typed counts.

    Sample, exposure history, method, counts and their distribution, curve, dose with
    limits, partial-body exposure where the counts indicate it, what the numbers do not
    mean, signatures. What --facts leaves out is printed as a line to write on. Known
    keys, each with a text: laboratory, accreditation, requested_by, sample, drawn,
    received, reported, exposed, radiation, circumstances, history, tube, culture,
    stain, scored_by, selection, remarks.

    \b
    Examples:
      cytally dosimetry report runs/S17 --curve curve.json --facts S17.toml --out S17.html --out S17.pdf
      cytally dosimetry report --curve curve.json --distribution 475,20,5 --language fr --out rapport.pdf
    """
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import Asked, ExposureConditions
    from cytally.files.atomic import write_bytes

    if sum([run is not None, distribution is not None, dicentrics is not None or cells is not None]) != 1:
        raise click.UsageError("give one of: a run folder, --distribution, or --dicentrics with --cells")
    refuse_unused("repair_hours", unless="--hours", because=not was_given("hours"))
    refuse_unused("any_detector", unless="a run folder", because=run is None)
    refuse_unused("d0", unless="a distribution over cells", because=run is None and distribution is None)
    loaded, exposed = Curve.load(curve), ExposureConditions(hours, repair_hours, d0)
    errors, asked = errors_given(recalled, false, beside, validation), Asked(partial)
    refuse_unused(
        "method",
        unless="counts without a detector's errors (with them: likelihood ratio)",
        because=errors is not None and method != "likelihood",
    )
    if run is not None:
        case = _of_run(run, loaded, method, exposed, errors, any_detector=any_detector, facts=facts, asked=asked)
    else:
        case = _of_counts(loaded, dicentrics, cells, distribution, method, exposed, errors, facts, asked)
    rendered = [(path, _rendered(case, language, path.suffix.lower())) for path in out]
    for path, content in rendered:
        write_bytes(path, content)
        click.echo(f"report: {path}")
    click.echo(str(case.dose))


def _rendered(case: Case, language: str, kind: str) -> bytes:
    from cytally.files.names import shown

    if kind == ".pdf":
        from cytally.dosimetry.reporting.pdf import paper

        return paper(case, language)
    if kind == ".docx":
        from cytally.dosimetry.reporting.docx import document

        return document(case, language)
    from cytally.dosimetry.reporting.html import page

    return shown(page(case, language)).encode()


def _of_run(
    run: Path,
    curve: Curve,
    method: str,
    exposed: ExposureConditions,
    errors: DetectorErrors | None,
    *,
    any_detector: bool,
    facts: Path | None,
    asked: Asked,
) -> Case:
    from cytally.dosimetry.laboratory.series import dose_of_counts
    from cytally.dosimetry.reporting.sample_info import Facts, read_facts
    from cytally.dosimetry.reporting.sections import Case
    from cytally.dosimetry.scoring.run import counts_of, read_run, read_settings
    from cytally.files.names import shown

    settings = read_settings(run)
    cells = read_run(run)
    counts = counts_of(cells, settings.classes, settings.detector)
    found = dose_of_counts(
        counts,
        run,
        cells,
        curve,
        method=method,
        any_detector=any_detector,
        exposed=exposed,
        errors=errors,
        asked=asked,
    )
    known = read_facts(facts) if facts else Facts(sample=shown(run.name))
    return Case(
        known,
        found,
        curve,
        counts.distribution("dicentric"),
        exposed,
        settings.ensemble,
        settings.detector,
        errors,
        len(counts.skipped),
    )


def _of_counts(
    curve: Curve,
    dicentrics: int | None,
    cells: int | None,
    distribution: str | None,
    method: str,
    exposed: ExposureConditions,
    errors: DetectorErrors | None,
    facts: Path | None,
    asked: Asked,
) -> Case:
    from cytally.cli.dosimetry.given import counts_given
    from cytally.dosimetry.reporting.sample_info import Facts, read_facts
    from cytally.dosimetry.reporting.sections import Case

    found = typed_dose(curve, dicentrics, cells, distribution, method, exposed, errors, asked)
    counts = counts_given(distribution) if distribution else None
    known = read_facts(facts) if facts else Facts()
    return Case(known, found, curve, counts, exposed, errors=errors)
