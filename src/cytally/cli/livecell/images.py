"""`cytally livecell simulate`, `unstack` and `names`: images, and what their names say."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import click

from cytally.cli.livecell.group import livecell
from cytally.cli.livecell.options import FOLDER, THERE
from cytally.cli.main import FAILED
from cytally.cli.options import JSON, Finite
from cytally.cli.progress import reporting
from cytally.files.names import shown
from cytally.wording import counted


@livecell.command()
@click.argument("out", type=FOLDER)
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
@click.option("--out", required=True, type=FOLDER, help="Folder for the result; calling again resumes.")
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
@click.argument("folder", type=THERE)
@click.option("--pattern", help="Regular expression for file names with groups position, frame, well, channel and z.")
@click.option(
    "--numbered/--no-numbered",
    default=True,
    show_default=True,
    help="Numbers without a word are times, as for track.",
)
@click.option("--all", "every", is_flag=True, help="Every image, not only the first and the last.")
@JSON
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
