"""`cytally dosimetry report`: a sample's report to hand over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.given import Typed, check_one_source, dose_options, dose_words, load_curve, typed_options
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import NamedFile, refuse_unused

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.estimation.dose import DoseSettings
    from cytally.dosimetry.reporting.sample_info import Facts
    from cytally.dosimetry.reporting.sections import Case

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("run", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--curve", required=True, type=_FILE, help="Calibration curve (JSON).")
@click.option("--facts", type=_FILE, help="What is known of the sample (TOML).")
@typed_options
@dose_options(detector=True)
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
    typed: Typed,
    settings: DoseSettings,
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
    from cytally.files.atomic import write_bytes

    check_one_source(typed, run, names="a run folder, --distribution, or --dicentrics with --cells")
    refuse_unused("any_detector", unless="a run folder", because=run is None)
    refuse_unused("d0", unless="a distribution over cells", because=typed.totals)
    loaded = load_curve(curve)
    case = (
        _of_run(run, loaded, settings, facts) if run is not None else _of_counts(typed, loaded, settings, _known(facts))
    )
    rendered = [(path, _rendered(case, language, path.suffix.lower())) for path in out]
    for path, content in rendered:
        write_bytes(path, content)
        click.echo(f"report: {path}")
    click.echo(dose_words(case.dose))


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


def _of_run(folder: Path, curve: Curve, settings: DoseSettings, facts: Path | None) -> Case:
    from cytally.dosimetry.laboratory.series import FinishedRun
    from cytally.dosimetry.reporting.sections import Case
    from cytally.files.names import shown

    run = FinishedRun.read(folder)
    return Case(
        _known(facts, sample=shown(folder.name)),
        run.dose(curve, settings),
        curve,
        run.counts.distribution("dicentric"),
        run.carrying(settings),
        run.settings.ensemble,
        run.settings.detector,
        len(run.counts.skipped),
    )


def _of_counts(typed: Typed, curve: Curve, settings: DoseSettings, known: Facts) -> Case:
    from cytally.dosimetry.estimation.dose import Totals, dose_of_counts
    from cytally.dosimetry.reporting.sections import Case

    counts = typed.counts(curve.aberration)
    found = dose_of_counts(counts, curve, settings)
    return Case(known, found, curve, None if isinstance(counts, Totals) else counts, settings)


def _known(facts: Path | None, sample: str = "") -> Facts:
    """What a file says of the sample; without one, its name alone."""
    from cytally.dosimetry.reporting.sample_info import Facts, read_facts

    return read_facts(facts) if facts else Facts(sample=sample)
