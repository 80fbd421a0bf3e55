"""`cytally dosimetry verify`: verifiers for an ensemble."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.command import command_line
from cytally.cli.dosimetry.group import composed_from, dosimetry
from cytally.cli.main import SKIPPED
from cytally.cli.progress import reporting

if TYPE_CHECKING:
    from cytally.types import Skipped

_FOLDER = click.Path(path_type=Path, file_okay=False)


@dosimetry.command()
@click.argument("ensemble", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=_FOLDER, help="New ensemble; calling again resumes an interrupted run.")
@click.option(
    "--cells",
    type=click.IntRange(1),
    default=8000,
    show_default=True,
    help="Cells in which the ensemble proposes places.",
)
@click.option("--count", type=click.IntRange(1), default=3, show_default=True, help="Number of verifiers.")
@click.option("--epochs", type=click.IntRange(1), default=10, show_default=True, help="Passes over all candidates.")
@composed_from(0.2)
@click.option("--further", is_flag=True, help="Go on from the verifiers that the ensemble has, in smaller steps.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same result.")
def verify(
    ensemble: Path,
    out: Path,
    cells: int,
    count: int,
    epochs: int,
    normal: Path | None,
    composed: float,
    further: bool,
    seed: int,
) -> None:
    """Teach verifiers to judge what an ENSEMBLE proposes.

    The members of the ensemble look at whole cells and then only propose, under
    thresholds that let few aberrations escape. The verifiers look closely at every
    place proposed and say what it is: dicentric, fragment or neither. They learn
    from the ensemble's own false alarms in simulated and composed cells.

    \b
    Example:
      cytally dosimetry train --out ensembles/first
      cytally dosimetry verify ensembles/first --out ensembles/second --normal slides/0Gy
    """
    from cytally.dosimetry.training.verifier import VerifierTraining, verifier_source, with_verifiers
    from cytally.training.tasks.crops import REFRESH, VerifierSettings

    steps = REFRESH if further else VerifierSettings()
    course = VerifierTraining(cells, count, settings=replace(steps, epochs=epochs, seed=seed))
    skipped: list[Skipped] = []
    with reporting() as progress:
        source, data = verifier_source(normal, composed, seed, skipped, progress)
        notes: dict[str, object] = {"command": command_line(click.get_current_context()), "data": data}
        made = with_verifiers(ensemble, out, source, course, progress, notes, further=further)
    click.echo(f"{len(made.verifiers)} verifiers in {out}, detector {made.card.identity}")
    for one in skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if skipped:
        sys.exit(SKIPPED)
