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
    THERE,
    diameters,
    label_settings,
    reading,
)
from cytally.cli.options import JSON, gathered, together
from cytally.cli.progress import reporting, say_skipped
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.livecell.counting.plan import Reading
    from cytally.livecell.labelling.folder import LabelSettings
    from cytally.livecell.learn import Preset
    from cytally.livecell.pipeline import Order
    from cytally.livecell.report import Story


def _order(ensemble: Path | None, stained: bool, diameter: tuple[float, float] | None) -> Order:
    """What finds the nuclei: either an ensemble or the stain."""
    from cytally.errors import SettingsError
    from cytally.livecell.pipeline import Order

    if (ensemble is None) != stained:
        raise SettingsError("expected either --ensemble or --stained, got both or none")
    return Order(ensemble=ensemble, label=label_settings(diameter))


#: A command gets `images`, `order` (what finds the nuclei in them), `out` and `as_json`.
_FINDING = together(
    click.argument("images", nargs=-1, required=True),
    gathered(
        "order",
        _order,
        click.option("--ensemble", type=THERE, help="For phase contrast or brightfield."),
        click.option(
            "--stained", is_flag=True, help="IMAGES are fluorescence: no network, the stain itself is thresholded."
        ),
        diameters("With --stained: smallest and largest nucleus"),
    ),
    click.option("--out", required=True, type=FOLDER, help="Run folder; calling again continues it."),
    JSON,
)


@livecell.command()
@_FINDING
@reading()
def count(images: tuple[str, ...], order: Order, out: Path, reading: Reading, as_json: bool) -> None:
    """Count nuclei in IMAGES (folders, files or globs), each with 95 % limits.

    OUT gets counts.csv, masks/ and report.html.

    \b
    Example:
      cytally livecell count plate/phase --ensemble ensembles/bj --out runs/plate --hours 0.5
    """
    _follow(images, out, replace(order, tracks=False, reading=reading), as_json)


@livecell.command()
@_FINDING
@reading(numbered=True)
@FOLLOWING
def track(
    images: tuple[str, ...],
    order: Order,
    out: Path,
    reading: Reading,
    largest_shift: int,
    movie: str,
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
    drawn = movie.replace("none", "")
    order = replace(order, reading=reading, largest_shift=largest_shift, must_track=True, movie=drawn)
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
@reading()
def run(
    phase: Path,
    fluorescence: Path | None,
    ensemble: Path | None,
    out: Path,
    preset: Preset,
    settings: LabelSettings,
    reading: Reading,
    largest_shift: int,
    movie: str,
    as_json: bool,
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

    drawn = movie.replace("none", "")
    order = Order(preset, ensemble, settings, reading=reading, largest_shift=largest_shift, movie=drawn)
    with reporting() as progress:
        story = run_livecell(phase, fluorescence, out, order, progress)
    _say(story, out, as_json)


def _follow(images: tuple[str, ...], out: Path, order: Order, as_json: bool) -> None:
    from cytally.livecell.pipeline import follow_images

    with reporting() as progress:
        story = follow_images(images, out, order, progress)
    _say(story, out, as_json)


def _say(story: Story, out: Path, as_json: bool) -> None:
    from cytally.livecell.report import REPORT

    measured = story.measured or (story.labelled.measured if story.labelled is not None else "")
    if measured:
        click.echo(f"  {measured}", err=True)
    for hint in story.hints:
        click.echo(f"  {hint}", err=True)
    nuclei = sum(one.count for one in story.counts)
    if as_json:
        found = {
            "images": len(story.counts),
            "nuclei": nuclei,
            "skipped": [asdict(one) for one in story.run.skipped],
            "remarks": story.hints,
            "measured": measured,
            "tracks": {name: {"tracks": len(t.rows), "divisions": len(t.divisions)} for name, t in story.tracks},
        }
        click.echo(json.dumps(found))
    else:
        click.echo(f"{counted(nuclei, 'nuclei')} in {counted(len(story.counts), 'images')}")
        for name, tracks in story.tracks:
            click.echo(f"{name}: {counted(len(tracks.rows), 'tracks')}, {counted(len(tracks.divisions), 'divisions')}")
        click.echo(f"report: {out / REPORT}")
    say_skipped((*(story.labelled.skipped if story.labelled else ()), *story.run.skipped))
