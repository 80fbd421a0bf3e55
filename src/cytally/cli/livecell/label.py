"""`cytally livecell`: nuclei in phase contrast, from fluorescence labels to counts and tracks."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytally.cli.command import command_line
from cytally.cli.livecell.group import livecell
from cytally.cli.main import FAILED, SKIPPED
from cytally.cli.options import POSITIVE, Finite
from cytally.cli.progress import reporting
from cytally.files.names import shown
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.livecell.labelling.folder import LabelSettings
    from cytally.types import Skipped

_FOLDER = click.Path(path_type=Path, file_okay=False)
_THERE = click.Path(path_type=Path, file_okay=False, exists=True)
_PRESETS = click.Choice(["fast", "paper"])


def labelling(command: Any) -> Any:
    """Options that decide how the stain becomes labels."""
    for option in reversed(
        [
            click.option(
                "--diameter",
                nargs=2,
                type=POSITIVE,
                default=(5.0, 30.0),
                show_default=True,
                help="Smallest and largest nucleus in pixels.",
            ),
            click.option(
                "--declump",
                type=click.Choice(["shape", "intensity", "none"]),
                default="shape",
                show_default=True,
                help="Part touching nuclei by outline, by brightness, or not.",
            ),
            click.option(
                "--thesis-filter", is_flag=True, help="Also reject the quarter of labels with fewest nucleus pixels."
            ),
            click.option(
                "--align/--no-align",
                default=True,
                show_default=True,
                help="Move labels where the fluorescence camera looks beside the other beyond doubt.",
            ),
        ]
    ):
        command = option(command)
    return command


def naming(command: Any) -> Any:
    """Options that decide how names are read."""
    for option in reversed(
        [
            click.option(
                "--pattern",
                help="Regular expression for file names with groups position, frame and, if wanted, well; "
                "see 'livecell names'.",
            ),
            click.option(
                "--numbered/--no-numbered",
                default=None,
                help="Numbers without a word (0001.tif) are times, or not.  [default: for track only]",
            ),
        ]
    ):
        command = option(command)
    return command


def label_settings(
    diameter: tuple[float, float], declump: str, thesis_filter: bool, align: bool = True
) -> LabelSettings:
    """Settings from the options of `labelling`."""
    from cytally.livecell.labelling.folder import LabelSettings
    from cytally.livecell.labelling.nuclear_stain import FluorescenceSettings
    from cytally.livecell.labelling.quality import RejectSettings

    stain = FluorescenceSettings.for_nuclei(*diameter, declump)
    return LabelSettings(stain, RejectSettings(quarter=0.25 if thesis_filter else 0.0), align)


@livecell.command()
@click.argument("out", type=_FOLDER)
@click.option("--frames", type=click.IntRange(1), default=24, show_default=True, help="Of each field.")
@click.option("--nuclei", type=click.IntRange(1), default=40, show_default=True, help="In the field at the start.")
@click.option("--positions", type=click.IntRange(1), default=1, show_default=True, help="Time-lapses, one per well.")
@click.option(
    "--shift",
    type=Finite(0),
    default=0.0,
    show_default=True,
    help="Pixels by which the camera may jump from frame to frame.",
)
@click.option(
    "--offset",
    nargs=2,
    type=Finite(),
    default=(0.0, 0.0),
    show_default=True,
    help="Rows and columns by which the fluorescence camera looks beside.",
)
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
    type=Finite(0, 1),
    default=0.03,
    show_default=True,
    help="Share of nuclei that take little dye.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same bytes.")
def simulate(
    out: Path,
    frames: int,
    nuclei: int,
    positions: int,
    shift: float,
    offset: tuple[float, float],
    size: tuple[int, int],
    weak: float,
    seed: int,
) -> None:
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

    with reporting() as progress:
        for number in range(positions):
            lapse = TimeLapse(
                frames,
                size,
                shift,
                offset=offset,
                seed=seed + 1000 * number,
                population=PopulationSettings(nuclei),
                stain=StainSettings(weak=weak),
            )
            name = f"{'ABCDEFGH'[number // 12 % 8]}{number % 12 + 1:02d}_1" if positions > 1 else ""
            write_sequence(lapse, out, name, progress)
    click.echo(f"{counted(positions, 'time-lapses')} of {counted(frames, 'frames')} in {out}")


@livecell.command()
@click.argument("stacks", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--out", required=True, type=_FOLDER, help="Folder for the result; calling again resumes.")
def unstack(stacks: tuple[Path, ...], out: Path) -> None:
    """Write every plane of TIFF STACKS as an image of its own, as the other commands want them.

    OUT gets NAME_t000.tif ...; where a stack has channels, OUT/ch1, OUT/ch2 ... hold them;
    several series or focal planes show in names (_s01, _z000). Stacks of one name get their
    folder's name before it. Pixel size and time between frames are kept.

    \b
    Example:
      cytally livecell unstack A01_1.tif A02_1.tif --out plate
      cytally livecell run plate/ch1 --fluorescence plate/ch2 --out runs/plate
    """
    from cytally.livecell.names.unstacked import unstack as write_all

    with reporting() as progress:
        found = write_all(stacks, out, progress)
    often = Counter(path.name for path in found)
    for path, parts in found.items():
        stack = shown(path if often[path.name] > 1 else path.name)
        for part in parts:
            own = f" (series {part.number + 1}{f': {part.name}' if part.name else ''})" if len(parts) > 1 else ""
            planes = f", {part.planes} focal planes" if part.planes > 1 else ""
            click.echo(f"{stack}{own}: {counted(part.times, 'times')}, {counted(part.channels, 'channels')}{planes}")


@livecell.command()
@click.argument("folder", type=_THERE)
@click.option("--pattern", help="Regular expression for file names with groups position, frame, well, channel and z.")
@click.option(
    "--numbered/--no-numbered",
    default=True,
    show_default=True,
    help="Numbers without a word are times, as for track.",
)
@click.option("--all", "every", is_flag=True, help="Every image, not only the first and the last.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def names(folder: Path, pattern: str | None, numbered: bool, every: bool, as_json: bool) -> None:
    """Show what is understood of the names in FOLDER: position, well, channel, time, plane, hours.

    IncuCyte, Operetta and Phenix, ImageXpress, MetaMorph, NIS-Elements, ZEN, Micro-Manager, IN
    Cell, CellVoyager, Fiji and others. Exit code 1 where nothing is understood, or two images are of
    one position, channel, time and plane.

    \b
    Example:
      cytally livecell names plate/phase
      cytally livecell names plate --pattern '(?P<position>.*)-(?P<frame>\\d+)'
    """
    from cytally.images.inputs import names_below
    from cytally.images.read import find_images
    from cytally.livecell.names.listing import as_data, as_table, listing
    from cytally.livecell.names.understand import understand
    from cytally.livecell.sequences import folder_of

    paths = find_images(folder)
    told = understand(paths, pattern, {path: folder_of(path, folder) for path in paths}, numbered=numbered)
    names_of = {path: name for name, path in names_below(folder, paths).items()}
    found = listing([(names_of[frame.path], frame) for frame in told.frames], told.notes)
    click.echo(json.dumps(as_data(found)) if as_json else as_table(found, every))
    for problem in found.problems:
        click.echo(f"  {problem}", err=True)
    if not found.understood:
        click.echo("nothing is understood of these names; give --pattern with groups position and frame", err=True)
    if not found.understood or found.doubled:
        sys.exit(FAILED)


@livecell.command()
@click.argument("phase", type=_THERE)
@click.option("--fluorescence", required=True, type=_THERE, help="Stained partners of some or all images.")
@click.option("--out", required=True, type=_FOLDER, help="Folder for the result; calling again resumes.")
@labelling
@naming
def label(
    phase: Path,
    fluorescence: Path,
    out: Path,
    diameter: tuple[float, float],
    declump: str,
    thesis_filter: bool,
    align: bool,
    pattern: str | None,
    numbered: bool | None,
) -> None:
    """Make masks of single nuclei from fluorescence, for the images in PHASE.

    OUT gets labels/, labels.csv with the reason of each rejection, and contact.jpg
    to look at: kept labels green, rejected ones red.

    \b
    Example:
      cytally livecell label plate/phase --fluorescence plate/green --out labels
    """
    from cytally.livecell.labelling.folder import SHEET, label_folder

    settings = label_settings(diameter, declump, thesis_filter, align)
    with reporting() as progress:
        made = label_folder(
            phase, fluorescence, out, settings, pattern=pattern, numbered=bool(numbered), progress=progress
        )
    click.echo(
        f"{counted(len(made.kept), 'labels')} kept, {len(made.fields) - len(made.kept)} rejected; look at {out / SHEET}"
    )
    if made.offset.row or made.offset.col:
        click.echo(
            f"the fluorescence camera looks {made.offset.row:.1f} rows and {made.offset.col:.1f} columns beside; corrected"
        )
    for hint in made.hints:
        click.echo(f"  {hint}", err=True)
    say_skipped(made.skipped)


@livecell.command()
@click.argument("folders", nargs=-1, required=True, type=_THERE)
@click.option("--out", required=True, type=_FOLDER, help="Ensemble; calling again resumes an interrupted run.")
@click.option(
    "--preset",
    type=_PRESETS,
    default="fast",
    show_default=True,
    help="Minutes on two cores, or as published on a GPU.",
)
@click.option("--start", type=_THERE, help="Ensemble to begin from: transfer with few pairs.")
@click.option("--epochs", type=click.IntRange(1), help="Most epochs.  [default: the preset's]")
@click.option("--seed", default=1, show_default=True, help="Same seed, same result.")
def train(folders: tuple[Path, ...], out: Path, preset: str, start: Path | None, epochs: int | None, seed: int) -> None:
    """Train an ensemble on labelled FOLDERS: one cell line, or several mixed.

    A folder is what 'label' wrote, or holds phase/ and labels/ (masks under the same
    names). Whole wells, else positions, are kept apart for validation and test; fewer
    than three images are cut in parts (OUT/tiles).

    \b
    Example:
      cytally livecell train labels --out ensembles/bj
    """
    from cytally.livecell.learn import PRESETS, learn

    chosen = PRESETS[preset]
    if epochs is not None:
        chosen = replace(chosen, settings=replace(chosen.settings, epochs=epochs))
    with reporting() as progress:
        line = command_line(click.get_current_context())
        learnt = learn(folders, out, chosen, start=start, seed=seed, progress=progress, command=line)
    notes = learnt.ensemble.card.training
    sizes = ", ".join(f"{len(learnt.split.of(part))} {part}" for part in ("train", "validation", "test"))
    click.echo(
        f"{counted(len(learnt.ensemble.members), 'members')} in {out}; fields: {sizes}, kept apart by {learnt.split.by}"
    )
    click.echo(f"validation: object F1 {notes['validation_f1']:.3f} at IoU 0.5")
    for leak in learnt.split.leaks:
        click.echo(f"  left out of training, shows the same as a test field: {leak}", err=True)


@livecell.command()
@click.argument("folder", type=_THERE)
@click.option("--ensemble", required=True, type=_THERE, help="Ensemble folder.")
@click.option("--out", type=_FOLDER, help="For evaluation.json and overlays.")
@click.option(
    "--part",
    type=click.Choice(["all", "test", "validation", "train"]),
    default="all",
    show_default=True,
    help="Only fields that the ensemble's training kept for this.",
)
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
    from cytally.livecell.ensemble import load_ensemble
    from cytally.livecell.labelled import read_labelled
    from cytally.livecell.learn import fields_of, learnt_from
    from cytally.livecell.measure.evaluate import as_table, plain
    from cytally.livecell.measure.evaluate import evaluate as compare

    loaded = load_ensemble(ensemble)
    everything = read_labelled(folder).kept
    fields = everything if part == "all" else fields_of(loaded.card, part, everything)
    learnt = learnt_from(loaded.card, fields) if part == "all" else []
    if not fields:
        raise LabelError(
            f"{folder}: no labelled field to compare with (part {part!r}); card.json names those of its training, "
            "and parts of one or two fields lie in tiles/ of the ensemble"
        )
    with reporting() as progress:
        found = compare(fields, loaded, out=out, progress=progress)
    if learnt:
        click.echo(
            f"  {len(learnt)} of these {len(fields)} fields were learnt from or validated on, so that these figures "
            "are too good; --part test takes only what was kept aside",
            err=True,
        )
    click.echo(json.dumps(plain(found)) if as_json else as_table(found))


def say_skipped(skipped: tuple[Skipped, ...]) -> None:
    """Name what was skipped on standard error; then the exit code is 3."""
    for one in skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if skipped:
        sys.exit(SKIPPED)
