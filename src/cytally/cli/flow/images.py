"""`cytally flow simulate`: sequences with truth."""

from __future__ import annotations

from pathlib import Path

import click

from cytally.cli.flow.group import flow
from cytally.cli.options import POSITIVE, Finite
from cytally.cli.progress import reporting
from cytally.wording import counted


@flow.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--frames", type=click.IntRange(2), default=60, show_default=True, help="Of the sequence.")
@click.option(
    "--size", nargs=2, type=click.IntRange(64), default=(256, 448), show_default=True, help="Rows and columns."
)
@click.option(
    "--cells", type=click.IntRange(0, 20_000), default=40, show_default=True, help="In the picture at a time."
)
@click.option(
    "--kinds",
    default="red,yeast,bead",
    show_default=True,
    help="Kinds of cells with commas between them: red, yeast, bead, white, parasite, debris.",
)
@click.option(
    "--speed",
    type=click.Choice(["constant", "sinusoid", "steps", "pulsatile"]),
    default="constant",
    show_default=True,
    help="How the flow changes over time.",
)
@click.option("--umax", type=Finite(0, 24), default=8.0, show_default=True, help="Fastest flow, pixels per frame.")
@click.option("--contrast", type=Finite(0, 2), default=1.0, show_default=True, help="Of the shadows; 1 is usual.")
@click.option("--drift", type=Finite(0, 12), default=0.0, show_default=True, help="Pixels by which the sensor wanders.")
@click.option("--fps", type=POSITIVE, default=30.0, show_default=True, help="Frames per second.")
@click.option("--um-per-px", type=POSITIVE, default=1.4, show_default=True, help="Size of a pixel in micrometres.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same bytes.")
def simulate(out: Path, size: tuple[int, int], kinds: str, **typed: int | float | str) -> None:
    """Simulate a sequence of cells in a channel: OUT/frames and OUT/truth.

    Truth is labels, tracks, dense displacement to the next frame, and each crossing of three lines.
    An interrupted call leaves no OUT; calling again starts from the beginning.

    \b
    Example:
      cytally flow simulate lane --frames 60 --seed 5
    """
    from cytally.flow.simulate.folder import write_scene
    from cytally.flow.simulate.scene import Scene

    names = tuple(name.strip() for name in kinds.split(","))
    scene = Scene(shape=size, kinds=names, **typed)  # type: ignore[arg-type]  # click gives each its kind
    with reporting() as progress:
        write_scene(scene, out, progress)
    click.echo(f"{counted(scene.frames, 'frames')} in {out}")
