"""`cytally livecell count`, `track` and `run`: what ends in a report."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.livecell.group import livecell
from cytally.cli.livecell.label import label_settings, labelling, naming, say_skipped
from cytally.cli.options import POSITIVE
from cytally.cli.progress import reporting
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.livecell.counting.plan import Reading
    from cytally.livecell.pipeline import Order

_FOLDER = click.Path(path_type=Path, file_okay=False)
_THERE = click.Path(path_type=Path, file_okay=False, exists=True)
_PRESETS = click.Choice(["fast", "paper"])


def _finding(command: Any) -> Any:
    """Images, and what finds the nuclei in them."""
    for option in reversed(
        [
            click.argument("images", nargs=-1, required=True),
            click.option("--ensemble", type=_THERE, help="For phase contrast or brightfield."),
            click.option(
                "--stained", is_flag=True, help="IMAGES are fluorescence: no network, the stain itself is thresholded."
            ),
            click.option(
                "--diameter",
                nargs=2,
                type=POSITIVE,
                default=(5.0, 30.0),
                show_default=True,
                help="With --stained: smallest and largest nucleus in pixels.",
            ),
            click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it."),
            click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        ]
    ):
        command = option(command)
    return command


def _reading(command: Any) -> Any:
    """How names are read, and what is known of times and sizes."""
    for option in reversed(
        [
            click.option(
                "--hours",
                type=POSITIVE,
                help="Between one frame number and the next, for growth.  [default: what names or images say]",
            ),
            click.option(
                "--skip-sizes", is_flag=True, help="Leave out frames of another size than the rest of their position."
            ),
        ]
    ):
        command = option(command)
    return naming(command)


@livecell.command()
@_finding
@_reading
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
    order = _order(ensemble, stained, diameter, tracks=False, reading=reading)
    _follow(images, out, order, as_json)


@livecell.command()
@_finding
@_reading
@click.option(
    "--largest-shift",
    default=60,
    show_default=True,
    help="Largest jump of the camera in pixels; 0: it stands.",
)
@click.option(
    "--movie",
    type=click.Choice(["gif", "mp4", "none"]),
    default="gif",
    show_default=True,
    help="Of the tracks.",
)
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
    order = _order(
        ensemble,
        stained,
        diameter,
        largest_shift=largest_shift,
        must_track=True,
        movie=movie.replace("none", ""),
        reading=reading,
    )
    _follow(images, out, order, as_json)


@livecell.command()
@click.argument("phase", type=_THERE)
@click.option("--fluorescence", type=_THERE, help="Stained partners of some images, to learn from.")
@click.option("--ensemble", type=_THERE, help="Or an ensemble that was trained before.")
@click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it.")
@click.option("--preset", type=_PRESETS, default="fast", show_default=True, help="Network and training.")
@click.option("--epochs", type=click.IntRange(1), help="Most epochs.  [default: the preset's]")
@click.option(
    "--largest-shift",
    default=60,
    show_default=True,
    help="Largest jump of the camera in pixels; 0: it stands.",
)
@click.option(
    "--movie",
    type=click.Choice(["gif", "mp4", "none"]),
    default="gif",
    show_default=True,
    help="Of the tracks.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same result.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@labelling
@_reading
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
    from cytally.livecell.learn import PRESETS
    from cytally.livecell.pipeline import Order, run_livecell

    chosen = PRESETS[preset]
    if epochs is not None:
        chosen = replace(chosen, settings=replace(chosen.settings, epochs=epochs))
    reading = _names(pattern, bool(numbered), hours, skip_sizes)
    order = Order(
        chosen,
        ensemble,
        label_settings(diameter, declump, thesis_filter, align),
        reading=reading,
        largest_shift=largest_shift,
        movie=movie.replace("none", ""),
        seed=seed,
    )
    with reporting() as progress:
        story = run_livecell(phase, fluorescence, out, order, progress)
    _say(story, out, as_json)


def _names(pattern: str | None, numbered: bool, hours: float | None, skip_sizes: bool) -> Reading:
    from cytally.livecell.counting.plan import Reading

    return Reading(pattern, numbered, hours, skip_sizes)


def _order(ensemble: Path | None, stained: bool, diameter: tuple[float, float], **more: Any) -> Order:
    """What count and track shall do; either an ensemble or the stain finds the nuclei."""
    from cytally.errors import SettingsError
    from cytally.livecell.pipeline import Order

    if (ensemble is None) != stained:
        raise SettingsError("expected either --ensemble or --stained, got both or none")
    return Order(ensemble=ensemble, label=label_settings(diameter, "shape", False), **more)


def _follow(images: tuple[str, ...], out: Path, order: Order, as_json: bool) -> None:
    from cytally.livecell.pipeline import follow_images

    with reporting() as progress:
        story = follow_images(images, out, order, progress)
    _say(story, out, as_json)


def _say(story: Any, out: Path, as_json: bool) -> None:
    from cytally.livecell.report import REPORT

    for hint in story.hints:
        click.echo(f"  {hint}", err=True)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "images": len(story.counts),
                    "nuclei": sum(one.count for one in story.counts),
                    "skipped": [asdict(one) for one in story.run.skipped],
                    "remarks": story.hints,
                    "tracks": {
                        name: {"tracks": len(t.rows), "divisions": len(t.divisions)} for name, t in story.tracks
                    },
                }
            )
        )
    else:
        click.echo(
            f"{counted(sum(one.count for one in story.counts), 'nuclei')} in {counted(len(story.counts), 'images')}"
        )
        for name, tracks in story.tracks:
            click.echo(f"{name}: {counted(len(tracks.rows), 'tracks')}, {counted(len(tracks.divisions), 'divisions')}")
        click.echo(f"report: {out / REPORT}")
    say_skipped((*(story.labelled.skipped if story.labelled else ()), *story.run.skipped))
