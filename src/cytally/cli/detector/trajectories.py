"""`cytally dosimetry trajectories`: what a training's checkpoints show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import gathered
from cytally.cli.progress import reporting

if TYPE_CHECKING:
    from cytally.dosimetry.trajectories.study import TrajectorySettings


def _settings(cells: int, seed: int, layer: str, align: str, every: int, begin: int) -> TrajectorySettings:
    from cytally.dosimetry.trajectories.study import TrajectorySettings

    return TrajectorySettings(cells, seed, layer, align, begin, every)


_SETTINGS = gathered(
    "settings",
    _settings,
    click.option(
        "--cells",
        type=click.IntRange(2, 10_000),
        default=60,
        show_default=True,
        help="Simulated cells whose places are followed; as many others are judged.",
    ),
    click.option(
        "--layer", default="decoder", show_default=True, help="Whose features: decoder, deepest, down.0, up.1."
    ),
    click.option(
        "--align",
        type=click.Choice(["last", "first", "generalised"]),
        default="last",
        show_default=True,
        help="What epochs are aligned to; the first, as in the thesis, is a nearly untrained space.",
    ),
    click.option("--from", "begin", type=click.IntRange(1), default=1, show_default=True, help="First epoch."),
    click.option(
        "--every", type=click.IntRange(1), default=1, show_default=True, help="Take every N-th epoch, and the last."
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=2026,
        show_default=True,
        help="Of the cells; not that of the training.",
    ),
)


@dosimetry.command()
@click.argument("run", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the page.")
@_SETTINGS
def trajectories(run: Path, out: Path, settings: TrajectorySettings) -> None:
    """Show how a network's features move from epoch to epoch of a training RUN.

    RUN is what `train --out` made, or the folder `training` in it, which keeps every
    epoch. The same places of simulated cells are looked up in one layer at each
    epoch: dicentrics, fragments, and background whose kind the simulator knows.
    The page shows them in one plane with a classifier per epoch, the entropy of
    all classifiers together, and beside every path a random walk of the same
    steps. It ends with a test: does that entropy tell false detections from true
    ones, beside confidence, spread and votes?

    \b
    Example:
      cytally dosimetry train --preset paper-small --sparsity 0 --out ensembles/paper
      cytally dosimetry trajectories ensembles/paper --out paths
    """
    from cytally.dosimetry.trajectories.study import trajectories as follow_all
    from cytally.dosimetry.trajectories.telling.page import PAGE, check_folder, write_trajectories
    from cytally.dosimetry.trajectories.telling.sentences import sentences

    check_folder(out)
    with reporting() as progress:
        found = follow_all(run, settings, progress)
    write_trajectories(found, out)
    for line in sentences(found).values():
        click.echo(line)
    click.echo(f"page: {out / PAGE}")
