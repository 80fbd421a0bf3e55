"""`cytally livecell count`, `track` and `run`: what ends in a report."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.livecell.group import livecell
from cytally.cli.livecell.options import (
    FOLDER,
    FOLLOWING,
    LABELLING,
    LEARNING,
    READING,
    THERE,
    diameters,
    label_settings,
    preset_for,
)
from cytally.cli.options import JSON, together
from cytally.cli.progress import reporting, say_skipped
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.livecell.counting.plan import Reading
    from cytally.livecell.pipeline import Order
    from cytally.livecell.report import Story

#: Images, and what finds the nuclei in them.
_FINDING = together(
    click.argument("images", nargs=-1, required=True),
    click.option("--ensemble", type=THERE, help="For phase contrast or brightfield."),
    click.option(
        "--stained", is_flag=True, help="IMAGES are fluorescence: no network, the stain itself is thresholded."
    ),
    diameters("With --stained: smallest and largest nucleus"),
    click.option("--out", required=True, type=FOLDER, help="Run folder; calling again continues it."),
    JSON,
)


@livecell.command()
@_FINDING
@READING
def count(
    images: tuple[str, ...],
    ensemble: Path | None,
    stained: bool,
    diameter: tuple[float, float],
    out: Path,
    hours: float | None,
    skip_sizes: bool,
    pattern: str | None,
    numbered: bool | None,
    as_json: bool,
) -> None:
    """Count nuclei in IMAGES (folders, files or globs), each with 95 % limits.

    OUT gets counts.csv, masks/ and report.html.

    \b
    Example:
      cytally livecell count plate/phase --ensemble ensembles/bj --out runs/plate --hours 0.5
    """
    reading = _names(pattern, bool(numbered), hours, skip_sizes)
    order = replace(_order(ensemble, stained, diameter, reading), tracks=False)
    _follow(images, out, order, as_json)


@livecell.command()
@_FINDING
@READING
@FOLLOWING
def track(
    images: tuple[str, ...],
    ensemble: Path | None,
    stained: bool,
    diameter: tuple[float, float],
    out: Path,
    hours: float | None,
    skip_sizes: bool,
    largest_shift: int,
    movie: str,
    pattern: str | None,
    numbered: bool | None,
    as_json: bool,
) -> None:
    """Count and follow the nuclei of a time-lapse.

    Numbered files (0001.tif ...) are taken for its frames; 'livecell names' shows how names are
    read. OUT gets tracks/ (masks and res_track.txt of the Cell Tracking Challenge, tracks.csv;
    one folder per position where there are several), a movie, counts.csv and report.html.

    \b
    Example:
      cytally livecell track lapse/phase --ensemble ensembles/bj --out runs/lapse
      cytally livecell track lapse/green --stained --diameter 8 40 --out runs/green
    """
    reading = _names(pattern, numbered is not False, hours, skip_sizes)
    order = replace(
        _order(ensemble, stained, diameter, reading),
        largest_shift=largest_shift,
        must_track=True,
        movie=movie.replace("none", ""),
    )
    _follow(images, out, order, as_json)


@livecell.command()
@click.argument("phase", type=THERE)
@click.option("--fluorescence", type=THERE, help="Stained partners of some images, to learn from.")
@click.option("--ensemble", type=THERE, help="Or an ensemble that was trained before.")
@click.option("--out", required=True, type=FOLDER, help="Run folder; calling again continues it.")
@LEARNING
@FOLLOWING
@JSON
@LABELLING
@READING
def run(
    phase: Path,
    fluorescence: Path | None,
    ensemble: Path | None,
    out: Path,
    preset: str,
    epochs: int | None,
    hours: float | None,
    skip_sizes: bool,
    largest_shift: int,
    movie: str,
    seed: int,
    as_json: bool,
    diameter: tuple[float, float],
    declump: str,
    thesis_filter: bool,
    align: bool,
    pattern: str | None,
    numbered: bool | None,
) -> None:
    """Do all of it: label, learn, count, follow, and write report.html.

    PHASE is a folder of phase-contrast (or brightfield) images; --fluorescence one with
    stained partners of some of them. Nobody clicks.

    \b
    Example:
      cytally livecell simulate lapse --positions 6
      cytally livecell run lapse/phase --fluorescence lapse/fluorescence --out runs/lapse
    """
    from cytally.livecell.pipeline import Order, run_livecell

    order = Order(
        preset_for(preset, epochs, seed),
        ensemble,
        label_settings(diameter, declump, thesis_filter, align),
        reading=_names(pattern, bool(numbered), hours, skip_sizes),
        largest_shift=largest_shift,
        movie=movie.replace("none", ""),
    )
    with reporting() as progress:
        story = run_livecell(phase, fluorescence, out, order, progress)
    _say(story, out, as_json)


def _names(pattern: str | None, numbered: bool, hours: float | None, skip_sizes: bool) -> Reading:
    from cytally.livecell.counting.plan import Reading

    return Reading(pattern, numbered, hours, skip_sizes)


def _order(ensemble: Path | None, stained: bool, diameter: tuple[float, float], reading: Reading) -> Order:
    """What count and track share; either an ensemble or the stain finds the nuclei."""
    from cytally.errors import SettingsError
    from cytally.livecell.pipeline import Order

    if (ensemble is None) != stained:
        raise SettingsError("expected either --ensemble or --stained, got both or none")
    return Order(ensemble=ensemble, label=label_settings(diameter), reading=reading)


def _follow(images: tuple[str, ...], out: Path, order: Order, as_json: bool) -> None:
    from cytally.livecell.pipeline import follow_images

    with reporting() as progress:
        story = follow_images(images, out, order, progress)
    _say(story, out, as_json)


def _say(story: Story, out: Path, as_json: bool) -> None:
    from cytally.livecell.report import REPORT

    for hint in story.hints:
        click.echo(f"  {hint}", err=True)
    nuclei = sum(one.count for one in story.counts)
    if as_json:
        found = {
            "images": len(story.counts),
            "nuclei": nuclei,
            "skipped": [asdict(one) for one in story.run.skipped],
            "remarks": story.hints,
            "tracks": {name: {"tracks": len(t.rows), "divisions": len(t.divisions)} for name, t in story.tracks},
        }
        click.echo(json.dumps(found))
    else:
        click.echo(f"{counted(nuclei, 'nuclei')} in {counted(len(story.counts), 'images')}")
        for name, tracks in story.tracks:
            click.echo(f"{name}: {counted(len(tracks.rows), 'tracks')}, {counted(len(tracks.divisions), 'divisions')}")
        click.echo(f"report: {out / REPORT}")
    say_skipped((*(story.labelled.skipped if story.labelled else ()), *story.run.skipped))
