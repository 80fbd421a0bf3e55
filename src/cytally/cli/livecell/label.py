"""`cytally livecell label`: fluorescence -> masks of single nuclei."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.livecell.group import livecell
from cytally.cli.livecell.options import FOLDER, LABELLING, NAMING, THERE
from cytally.cli.progress import reporting, say_skipped
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.livecell.labelling.folder import LabelSettings
    from cytally.livecell.names.frame import Naming


@livecell.command()
@click.argument("phase", type=THERE)
@click.option("--fluorescence", required=True, type=THERE, help="Stained partners of some or all images.")
@click.option("--out", required=True, type=FOLDER, help="Folder for the result; calling again resumes.")
@LABELLING
@NAMING
def label(
    phase: Path,
    fluorescence: Path,
    out: Path,
    settings: LabelSettings,
    naming: Naming,
) -> None:
    """Make masks of single nuclei from fluorescence, for the images in PHASE.

    OUT gets labels/, labels.csv with the reason of each rejection, and contact.jpg
    to look at: kept labels green, rejected ones red.

    \b
    Example:
      cytally livecell label plate/phase --fluorescence plate/green --out labels
    """
    from cytally.livecell.labelling.folder import SHEET, label_folder

    with reporting() as progress:
        made = label_folder(phase, fluorescence, out, settings, naming=naming, progress=progress)
    click.echo(
        f"{counted(len(made.kept), 'labels')} kept, {len(made.fields) - len(made.kept)} rejected; look at {out / SHEET}"
    )
    if made.offset.row or made.offset.col:
        click.echo(
            f"the fluorescence camera looks {made.offset.row:.1f} rows and {made.offset.col:.1f} columns beside; corrected"
        )
    if made.measured:
        click.echo(f"  {made.measured}", err=True)
    for hint in made.hints:
        click.echo(f"  {hint}", err=True)
    say_skipped(made.skipped)
