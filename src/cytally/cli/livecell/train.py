"""`cytally livecell train` and `evaluate`: labels -> an ensemble, and how good it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.command import command_line
from cytally.cli.livecell.group import livecell
from cytally.cli.livecell.options import FOLDER, LEARNING, THERE
from cytally.cli.options import JSON
from cytally.cli.progress import reporting
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.livecell.learn import Preset


@livecell.command()
@click.argument("folders", nargs=-1, required=True, type=THERE)
@click.option("--out", required=True, type=FOLDER, help="Ensemble; calling again resumes an interrupted run.")
@click.option("--start", type=THERE, help="Ensemble to begin from: transfer with few pairs.")
@LEARNING
def train(folders: tuple[Path, ...], out: Path, preset: Preset, start: Path | None) -> None:
    """Train an ensemble on labelled FOLDERS: one cell line, or several mixed.

    A folder is what 'label' wrote, or holds phase/ and labels/ (masks under the same
    names). Whole wells, else positions, are kept apart for validation and test; fewer
    than three images are cut in parts (OUT/tiles).

    \b
    Example:
      cytally livecell train labels --out ensembles/bj
    """
    from cytally.livecell.learn import learn

    line = command_line(click.get_current_context())
    with reporting() as progress:
        learnt = learn(folders, out, preset, start=start, progress=progress, command=line)
    notes = learnt.ensemble.card.training
    sizes = ", ".join(f"{len(learnt.split.of(part))} {part}" for part in ("train", "validation", "test"))
    click.echo(
        f"{counted(len(learnt.ensemble.members), 'members')} in {out}; fields: {sizes}, kept apart by {learnt.split.by}"
    )
    click.echo(f"validation: object F1 {notes['validation_f1']:.3f} at IoU 0.5")
    for leak in learnt.split.leaks:
        click.echo(f"  left out of training, shows the same as a test field: {leak}", err=True)


@livecell.command()
@click.argument("folder", type=THERE)
@click.option("--ensemble", required=True, type=THERE, help="Ensemble folder.")
@click.option("--out", type=FOLDER, help="For evaluation.json and overlays.")
@click.option(
    "--part",
    type=click.Choice(["all", "test", "validation", "train"]),
    default="all",
    show_default=True,
    help="Only fields that the ensemble's training kept for this.",
)
@JSON
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
