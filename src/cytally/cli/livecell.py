"""`cytally livecell`: nuclei in phase contrast, from fluorescence labels to counts and tracks."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.main import SKIPPED, cli
from cytally.cli.progress import reporting

if TYPE_CHECKING:
    from cytally.livecell.evidence.folder import LabelSettings
    from cytally.livecell.pipeline import Order
    from cytally.types import Skipped

_FOLDER = click.Path(path_type=Path, file_okay=False)
_THERE = click.Path(path_type=Path, file_okay=False, exists=True)
_PRESETS = click.Choice(["fast", "paper"])


@cli.group()
def livecell() -> None:
    """Living cells: nuclei counted and followed in phase contrast, labelled by their fluorescence.

    \b
    All at once:
      run        phase contrast + some fluorescence -> labels, network, counts, tracks, report
    \b
    Step by step:
      label      fluorescence -> masks of single nuclei; bad ones rejected with their reason
      train      labelled folders -> an ensemble
      evaluate   an ensemble against labels that it has not seen
      count      images -> nuclei per field with limits
      track      a time-lapse -> tracks (Cell Tracking Challenge folder), movie
      review     pages for experts to tick errors on; how far two experts agree
      unstack    TIFF stacks -> single images
      simulate   time-lapses with full truth, to try all of it
    """


def _labelling(command: Any) -> Any:
    """Options that decide how the stain becomes labels."""
    for option in reversed([
        click.option("--diameter", nargs=2, type=float, default=(5.0, 30.0), show_default=True,
                     help="Smallest and largest nucleus in pixels."),
        click.option("--declump", type=click.Choice(["shape", "intensity", "none"]), default="shape",
                     show_default=True, help="Part touching nuclei by outline, by brightness, or not."),
        click.option("--thesis-filter", is_flag=True,
                     help="Also reject the quarter of labels with fewest nucleus pixels."),
        click.option("--pattern", help="Regular expression for file names with groups position, frame and, if wanted, well."),
    ]):  # fmt: skip
        command = option(command)
    return command


def _label_settings(diameter: tuple[float, float], declump: str, thesis_filter: bool) -> LabelSettings:
    from cytally.labels.fluorescence import FluorescenceSettings
    from cytally.livecell.evidence.folder import LabelSettings
    from cytally.livecell.evidence.rejects import RejectSettings

    stain = FluorescenceSettings.for_nuclei(*diameter, declump)
    return LabelSettings(stain, RejectSettings(quarter=0.25 if thesis_filter else 0.0))


@livecell.command()
@click.argument("out", type=_FOLDER)
@click.option("--frames", type=click.IntRange(1), default=24, show_default=True)
@click.option(
    "--nuclei", type=click.IntRange(1), default=40, show_default=True, help="In the field at the start."
)
@click.option(
    "--positions", type=click.IntRange(1), default=1, show_default=True, help="Time-lapses, one per well."
)
@click.option("--shift", type=click.FloatRange(0), default=0.0, show_default=True,
              help="Pixels by which the camera may jump from frame to frame.")  # fmt: skip
@click.option("--offset", nargs=2, type=float, default=(0.0, 0.0), show_default=True,
              help="Rows and columns by which the fluorescence camera looks beside.")  # fmt: skip
@click.option(
    "--size",
    nargs=2,
    type=click.IntRange(64),
    default=(512, 512),
    show_default=True,
    help="Rows and columns.",
)
@click.option(
    "--weak",
    type=click.FloatRange(0, 1),
    default=0.03,
    show_default=True,
    help="Share of nuclei that take little dye.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
def simulate(
    out: Path, frames: int, nuclei: int, positions: int, shift: float, offset: tuple[float, float],
    size: tuple[int, int], weak: float, seed: int,
) -> None:  # fmt: skip
    """Simulate time-lapses: OUT/phase, OUT/fluorescence and OUT/truth.

    Nuclei move, collide, divide and die. Truth is a Cell Tracking Challenge folder
    (man_track000.tif ..., man_track.txt), one per position where there are several.

    \b
    Example:
      cytally livecell simulate lapse --frames 24 --seed 1
    """
    from cytally.livecell.simulate.folder import TimeLapse, write_sequence
    from cytally.livecell.simulate.population import PopulationSettings
    from cytally.livecell.simulate.stain import StainSettings

    with reporting() as report:
        for number in range(positions):
            lapse = TimeLapse(frames, size, shift, offset=offset, seed=seed + 1000 * number,
                              population=PopulationSettings(nuclei), stain=StainSettings(weak=weak))  # fmt: skip
            name = f"{'ABCDEFGH'[number // 12 % 8]}{number % 12 + 1:02d}_1" if positions > 1 else ""
            write_sequence(lapse, out, name, report)
    click.echo(f"{positions} time-lapse{'s' if positions > 1 else ''} of {frames} frames in {out}")


@livecell.command()
@click.argument(
    "stacks", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)
@click.option("--out", required=True, type=_FOLDER)
def unstack(stacks: tuple[Path, ...], out: Path) -> None:
    """Write every plane of TIFF STACKS as an image of its own, as the other commands want them.

    OUT gets NAME_t000.tif ...; where a stack has channels, OUT/ch1, OUT/ch2 ... hold them.

    \b
    Example:
      cytally livecell unstack A01_1.tif A02_1.tif --out plate
      cytally livecell run plate/ch1 --fluorescence plate/ch2 --out runs/plate
    """
    from cytally.images.stacks import planes, stack_shape
    from cytally.images.write import write
    from cytally.types import Image

    with reporting() as report:
        for path in stacks:
            shape, done = stack_shape(path), 0
            for plane in planes(path):
                folder = out / f"ch{plane.channel + 1}" if shape.channels > 1 else out
                folder.mkdir(parents=True, exist_ok=True)
                write(folder / f"{path.stem}_t{plane.time:03d}.tif", Image(plane.pixels))
                done += 1
                report(f"unstacking {path.name}", done, shape.times * shape.channels)
            click.echo(
                f"{path.name}: {shape.times} times, {shape.channels} channel{'s' if shape.channels > 1 else ''}"
            )


@livecell.command()
@click.argument("phase", type=_THERE)
@click.option("--fluorescence", required=True, type=_THERE, help="Stained partners of some or all images.")
@click.option("--out", required=True, type=_FOLDER)
@_labelling
def label(
    phase: Path, fluorescence: Path, out: Path, diameter: tuple[float, float], declump: str,
    thesis_filter: bool, pattern: str | None,
) -> None:  # fmt: skip
    """Make masks of single nuclei from fluorescence, for the images in PHASE.

    OUT gets labels/, labels.csv with the reason of each rejection, and contact.jpg
    to look at: kept labels green, rejected ones red.

    \b
    Example:
      cytally livecell label plate/phase --fluorescence plate/green --out labels
    """
    from cytally.livecell.evidence.folder import SHEET, label_folder

    settings = _label_settings(diameter, declump, thesis_filter)
    with reporting() as report:
        made = label_folder(phase, fluorescence, out, settings, pattern=pattern, report=report)
    click.echo(
        f"{len(made.kept)} labels kept, {len(made.fields) - len(made.kept)} rejected; look at {out / SHEET}"
    )
    if made.offset.row or made.offset.col:
        click.echo(
            f"the fluorescence camera looks {made.offset.row:.1f} rows and {made.offset.col:.1f} columns beside; corrected"
        )
    _say_skipped(made.skipped)


@livecell.command()
@click.argument("folders", nargs=-1, required=True, type=_THERE)
@click.option("--out", required=True, type=_FOLDER, help="Ensemble; calling again continues a killed run.")
@click.option(
    "--preset",
    type=_PRESETS,
    default="fast",
    show_default=True,
    help="Minutes on two cores, or as published on a GPU.",
)
@click.option("--start", type=_THERE, help="Ensemble to begin from: transfer with few pairs.")
@click.option("--epochs", type=click.IntRange(1), help="Most epochs.  [default: the preset's]")
@click.option("--seed", default=1, show_default=True)
def train(
    folders: tuple[Path, ...], out: Path, preset: str, start: Path | None, epochs: int | None, seed: int
) -> None:
    """Train an ensemble on labelled FOLDERS: one cell line, or several mixed.

    A folder is what 'label' wrote, or holds phase/ and labels/ (masks under the same
    names). Whole wells, else positions, are kept apart for validation and test.

    \b
    Example:
      cytally livecell train labels --out ensembles/bj
    """
    from cytally.livecell.learn import PRESETS, learn

    chosen = PRESETS[preset]
    if epochs is not None:
        chosen = replace(chosen, settings=replace(chosen.settings, epochs=epochs))
    with reporting() as report:
        learnt = learn(folders, out, chosen, start=start, seed=seed, report=report)
    notes = learnt.ensemble.card.training
    sizes = ", ".join(f"{len(learnt.split.of(part))} {part}" for part in ("train", "validation", "test"))
    click.echo(
        f"{len(learnt.ensemble.members)} members in {out}; fields: {sizes}, kept apart by {learnt.split.by}"
    )
    click.echo(f"validation: object F1 {notes['validation_f1']:.3f} at IoU 0.5")
    for leak in learnt.split.leaks:
        click.echo(f"  left out of training, shows the same as a test field: {leak}", err=True)


@livecell.command()
@click.argument("folder", type=_THERE)
@click.option("--ensemble", required=True, type=_THERE)
@click.option("--out", type=_FOLDER, help="For evaluation.json and overlays.")
@click.option("--part", type=click.Choice(["all", "test", "validation", "train"]), default="all", show_default=True,
              help="Only fields that the ensemble's training kept for this.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def evaluate(folder: Path, ensemble: Path, out: Path | None, part: str, as_json: bool) -> None:
    """Compare an ensemble with the labels in FOLDER, or with simulated truth.

    Pixels; objects as published (touching counts) and one to one; counts. Overlays:
    green both, red prediction only, blue label only.

    \b
    Example:
      cytally livecell evaluate labels --ensemble ensembles/bj --part test --out runs/test
    """
    from cytally.errors import LabelError
    from cytally.inference.ensemble import load_ensemble
    from cytally.livecell.evidence.folder import read_labelled
    from cytally.livecell.measure.evaluate import as_table, plain
    from cytally.livecell.measure.evaluate import evaluate as compare

    loaded = load_ensemble(ensemble, "livecell")
    fields = read_labelled(folder).kept
    if part != "all":
        wanted = set(loaded.card.training.get("fields", {}).get(part, ()))
        fields = [one for one in fields if one.name.path.name in wanted]
    if not fields:
        raise LabelError(f"{folder}: no labelled field to compare with (part {part!r})")
    with reporting() as report:
        found = compare(fields, loaded, out=out, report=report)
    click.echo(json.dumps(plain(found)) if as_json else as_table(found))


@livecell.command()
@click.argument("images", nargs=-1, required=True)
@click.option("--ensemble", type=_THERE, help="For phase contrast or brightfield.")
@click.option(
    "--stained", is_flag=True, help="IMAGES are fluorescence: no network, the stain itself is thresholded."
)
@click.option("--diameter", nargs=2, type=float, default=(5.0, 30.0), show_default=True,
              help="With --stained: smallest and largest nucleus in pixels.")  # fmt: skip
@click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it.")
@click.option("--hours", default=1.0, show_default=True, help="Between frames, for growth.")
@click.option("--pattern", help="Regular expression for file names with groups position and frame.")
@click.option("--json", "as_json", is_flag=True)
def count(
    images: tuple[str, ...], ensemble: Path | None, stained: bool, diameter: tuple[float, float], out: Path,
    hours: float, pattern: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Count nuclei in IMAGES (folders, files or globs), each with 95 % limits.

    OUT gets counts.csv, masks/ and report.html.

    \b
    Example:
      cytally livecell count plate/phase --ensemble ensembles/bj --out runs/plate --hours 0.5
    """
    order = _order(ensemble, stained, diameter, hours=hours, tracks=False, pattern=pattern)
    _follow(images, out, order, as_json)


@livecell.command()
@click.argument("images", nargs=-1, required=True)
@click.option("--ensemble", type=_THERE, help="For phase contrast or brightfield.")
@click.option(
    "--stained", is_flag=True, help="IMAGES are fluorescence: no network, the stain itself is thresholded."
)
@click.option("--diameter", nargs=2, type=float, default=(5.0, 30.0), show_default=True,
              help="With --stained: smallest and largest nucleus in pixels.")  # fmt: skip
@click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it.")
@click.option("--hours", default=1.0, show_default=True, help="Between frames, for growth.")
@click.option(
    "--largest-shift",
    default=60,
    show_default=True,
    help="Largest jump of the camera in pixels; 0: it stands.",
)
@click.option("--movie", type=click.Choice(["gif", "mp4", "none"]), default="gif", show_default=True)
@click.option("--pattern", help="Regular expression for file names with groups position and frame.")
@click.option("--json", "as_json", is_flag=True)
def track(
    images: tuple[str, ...], ensemble: Path | None, stained: bool, diameter: tuple[float, float], out: Path,
    hours: float, largest_shift: int, movie: str, pattern: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Count and follow the nuclei of a time-lapse.

    OUT gets tracks/ (masks and res_track.txt of the Cell Tracking Challenge, tracks.csv;
    one folder per position where there are several), a movie, counts.csv and report.html.

    \b
    Example:
      cytally livecell track lapse/phase --ensemble ensembles/bj --out runs/lapse
      cytally livecell track lapse/green --stained --diameter 8 40 --out runs/green
    """
    order = _order(ensemble, stained, diameter, hours=hours, largest_shift=largest_shift,
                   movie=movie.replace("none", ""), pattern=pattern)  # fmt: skip
    _follow(images, out, order, as_json)


@livecell.command()
@click.argument("phase", type=_THERE)
@click.option("--fluorescence", type=_THERE, help="Stained partners of some images, to learn from.")
@click.option("--ensemble", type=_THERE, help="Or an ensemble that was trained before.")
@click.option("--out", required=True, type=_FOLDER, help="Run folder; calling again continues it.")
@click.option("--preset", type=_PRESETS, default="fast", show_default=True)
@click.option("--epochs", type=click.IntRange(1), help="Most epochs.  [default: the preset's]")
@click.option("--hours", default=1.0, show_default=True, help="Between frames, for growth.")
@click.option(
    "--largest-shift",
    default=60,
    show_default=True,
    help="Largest jump of the camera in pixels; 0: it stands.",
)
@click.option("--movie", type=click.Choice(["gif", "mp4", "none"]), default="gif", show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@_labelling
def run(
    phase: Path, fluorescence: Path | None, ensemble: Path | None, out: Path, preset: str, epochs: int | None,
    hours: float, largest_shift: int, movie: str, seed: int, as_json: bool, diameter: tuple[float, float],
    declump: str, thesis_filter: bool, pattern: str | None,
) -> None:  # fmt: skip
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
    order = Order(chosen, ensemble, _label_settings(diameter, declump, thesis_filter), hours=hours,
                  largest_shift=largest_shift, movie=movie.replace("none", ""), pattern=pattern, seed=seed)  # fmt: skip
    with reporting() as report:
        story = run_livecell(phase, fluorescence, out, order, report)
    _say(story, out, as_json)


def _order(ensemble: Path | None, stained: bool, diameter: tuple[float, float], **more: Any) -> Order:
    """What count and track shall do; either an ensemble or the stain finds the nuclei."""
    from cytally.errors import SettingsError
    from cytally.livecell.pipeline import Order

    if (ensemble is None) != stained:
        raise SettingsError("expected either --ensemble or --stained, got both or none")
    return Order(ensemble=ensemble, label=_label_settings(diameter, "shape", False), **more)


def _follow(images: tuple[str, ...], out: Path, order: Order, as_json: bool) -> None:
    from cytally.livecell.pipeline import follow_images

    with reporting() as report:
        story = follow_images(images, out, order, report)
    _say(story, out, as_json)


def _say(story: Any, out: Path, as_json: bool) -> None:
    from cytally.livecell.report import REPORT

    if as_json:
        click.echo(json.dumps({
            "images": len(story.counts), "nuclei": sum(one.count for one in story.counts),
            "skipped": [asdict(one) for one in story.run.skipped],
            "tracks": {name: {"tracks": len(t.rows), "divisions": len(t.divisions)} for name, t in story.tracks},
        }))  # fmt: skip
    else:
        click.echo(f"{sum(one.count for one in story.counts)} nuclei in {len(story.counts)} images")
        for name, tracks in story.tracks:
            click.echo(f"{name}: {len(tracks.rows)} tracks, {len(tracks.divisions)} divisions")
        click.echo(f"report: {out / REPORT}")
    _say_skipped((*(story.labelled.skipped if story.labelled else ()), *story.run.skipped))


def _say_skipped(skipped: tuple[Skipped, ...]) -> None:
    for one in skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if skipped:
        sys.exit(SKIPPED)
