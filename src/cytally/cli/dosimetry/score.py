"""`cytally dosimetry simulate` and `score`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from cytally.cli.dosimetry.given import dose_json, dose_words, load_curve
from cytally.cli.dosimetry.group import THRESHOLDS, dosimetry
from cytally.cli.main import SKIPPED
from cytally.cli.options import GRAY, SHARE, gathered
from cytally.cli.progress import reporting
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.dosimetry.pipeline import Outcome
    from cytally.types import Skipped

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_STYLES = ("mixed", "dark", "pale", "straight", "separated", "slender", "faint", "hard", "poor", "lobed", "beaded")


@dosimetry.command()
@click.argument("out", type=_FOLDER)
@click.option("--cells", default=200, show_default=True, help="Number of cells.")
@click.option("--dose", "dose_gy", type=GRAY, default=2.0, show_default=True, help="Dose in Gy (acute 60Co gamma).")
@click.option("--fraction", type=SHARE, default=1.0, show_default=True, help="Irradiated fraction of the blood.")
@click.option(
    "--style",
    type=click.Choice(_STYLES),
    default="mixed",
    show_default=True,
    help="Appearance of the cells (docs/simulator.md).",
)
@click.option("--sample", default="S1", show_default=True, help="Name of the sample.")
@click.option(
    "--unscorable",
    type=SHARE,
    default=0.0,
    show_default=True,
    help="Share of cells that should not be scored.",
)
@click.option("--truth", is_flag=True, help="Also masks, identities, centromeres, centrelines, break points.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
def simulate(
    out: Path,
    cells: int,
    dose_gy: float,
    fraction: float,
    style: str,
    sample: str,
    unscorable: float,
    truth: bool,
    seed: int,
) -> None:
    """Simulate metaphases with full truth into the folder OUT.

    \b
    Example:
      cytally dosimetry simulate cells --cells 200 --dose 2 --seed 1
    """
    from cytally.dosimetry.simulate.breakage import Exposure
    from cytally.dosimetry.simulate.folder import Order, write_folder

    order = Order(cells, Exposure(dose_gy, fraction), style, seed, sample, unscorable, truth)
    with reporting() as progress:
        write_folder(order, out, progress)
    click.echo(f"{counted(cells, 'cells')} in {out}")


class _Extras(TypedDict):
    """What a run gets beside its counts, as `score_folder` takes it."""

    pictures: bool
    entropy: bool
    sampled: int


def _extras(pictures: bool, entropy: bool, sampled: int | None) -> _Extras:
    return _Extras(pictures=pictures, entropy=entropy, sampled=sampled or 0)


_EXTRAS = gathered(
    "extras",
    _extras,
    click.option("--pictures", is_flag=True, help="Write a picture of every cell with its detections."),
    click.option(
        "--entropy",
        is_flag=True,
        help="Write a picture of every cell with what the members do not know; the report shows the least certain."
        " Takes longer, as all members look everywhere.",
    ),
    click.option(
        "--sampled",
        type=click.IntRange(2),
        help="Count again by so many ensembles drawn from the members, such as 100;"
        " their disagreement widens the limits of the dose. Takes longer, as all members look.",
    ),
)


@dosimetry.command()
@click.argument("images", nargs=-1, required=True)
@click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it.")
@click.option("--ensemble", type=_FOLDER, help="Ensemble folder.  [default: the shipped one]")
@THRESHOLDS
@click.option("--co-occurrence/--no-co-occurrence", default=None, help="Count dicentrics only beside a fragment.")
@click.option("--curve", type=_FILE, help="Calibration curve; adds the dose to the report.")
@_EXTRAS
@click.option(
    "--jobs",
    type=click.IntRange(0),
    default=0,
    help="Images scored at a time, in processes of one thread each; the result is the same.  [default: one for each core]",
)
@click.option(
    "--runtime",
    type=click.Choice(("auto", "torch", "openvino")),
    default="auto",
    show_default=True,
    help="What networks run on; auto takes what pays on this processor.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def score(
    images: tuple[str, ...],
    out: Path,
    ensemble: Path | None,
    confidence: float | None,
    agreement: int | None,
    probability: float | None,
    co_occurrence: bool | None,
    curve: Path | None,
    extras: _Extras,
    jobs: int,
    runtime: str,
    as_json: bool,
) -> None:
    """Find dicentrics and fragments in IMAGES (folders, files or globs).

    OUT gets detections.csv, cells.csv, run.json and report.html. An unreadable
    image, and one that is the same bytes as another, is reported and skipped; then
    the exit code is 3. Called again, images that were added or changed are scored,
    and those that are gone leave the run. Files and folders that were not looked at
    (other formats, earlier runs) are counted on the screen.

    \b
    Example:
      cytally dosimetry score slides/S17 --out runs/S17 --pictures
    """
    from cytally.dosimetry.detectors.ensemble import load_ensemble
    from cytally.dosimetry.pipeline import score_folder
    from cytally.images.find import left_out

    loaded = load_ensemble(ensemble, runtime=runtime).with_thresholds(
        confidence=confidence, agreement=agreement, co_occurrence=co_occurrence, probability=probability
    )
    known = load_curve(curve) if curve else None
    with reporting() as progress:
        outcome = score_folder(
            images,
            out,
            loaded,
            curve=known,
            **extras,
            jobs=jobs,
            progress=progress,
        )
    _say_counts(outcome, out, as_json, left_out(images))
    if outcome.sampled is not None:
        click.echo(str(outcome.sampled), err=as_json)
    _say_notes(outcome)
    if outcome.counts.skipped:
        sys.exit(SKIPPED)


def _say_notes(outcome: Outcome) -> None:
    for words in outcome.notes[:20]:
        click.echo(f"  note: {words}", err=True)
    if len(outcome.notes) > 20:
        click.echo(f"  and {len(outcome.notes) - 20} notes more", err=True)


def _say_counts(outcome: Outcome, out: Path, as_json: bool, aside: tuple[Skipped, ...]) -> None:
    counts, found = outcome.counts, outcome.dose
    totals = {name: counts.total(name) for name in counts.per_cell}
    if as_json:
        click.echo(
            json.dumps(
                {
                    "cells": counts.cells,
                    "found": totals,
                    "run": str(out),
                    "detector": counts.detector,
                    "skipped": [asdict(one) for one in counts.skipped],
                    "left_out": [asdict(one) for one in aside],
                    "notes": list(outcome.notes),
                    "dose": dose_json(found) if found else None,
                }
            )
        )
        return
    named = ", ".join(f"{n} {name}{'' if n == 1 else 's'}" for name, n in totals.items())
    click.echo(f"{counted(counts.cells, 'cells')} scored: {named}")
    for one in counts.skipped[:20]:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if len(counts.skipped) > 20:
        click.echo(f"  and {len(counts.skipped) - 20} more; see {out / 'cells.csv'}", err=True)
    _say_aside(aside)
    if found is not None:
        click.echo(dose_words(found))
    click.echo(f"report: {out / 'report.html'}")


def _say_aside(aside: tuple[Skipped, ...]) -> None:
    from cytally.files.names import shown

    if aside:
        click.echo(f"{len(aside)} left out, not images that are read:", err=True)
    for one in aside[:20]:
        click.echo(f"  {shown(one.image)}: {one.reason}", err=True)
    if len(aside) > 20:
        click.echo(f"  and {len(aside) - 20} more", err=True)
