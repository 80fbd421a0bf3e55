"""`cytally dosimetry select`: which cells can be scored, and why not."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.main import SKIPPED
from cytally.cli.progress import reporting
from cytally.wording import counted


@dosimetry.command()
@click.argument("images", nargs=-1, required=True)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Gets cells.csv (image, status, reason, chromosomes) and selection.html.",
)
@click.option(
    "--copy", is_flag=True, help="Also copy the images that can be scored to OUT/scorable, to score that folder."
)
@click.option("--jobs", type=click.IntRange(1), help="Processes; the result is the same.  [default: one for each core]")
def select(images: tuple[str, ...], out: Path, copy: bool, jobs: int | None) -> None:
    """Tell which of IMAGES (folders, files or globs) can be scored, and why the others cannot.

    A cell can be scored where it is one whole metaphase, spread and in focus. The
    reasons are: incomplete, two cells, prometaphase, smear, out of focus, clumped, no
    metaphase. What a cell carries plays no part. Unreadable images, and those that are
    the same bytes as another, are skipped; then the exit code is 3.

    \b
    Examples:
      cytally dosimetry select slides/S17 --out selected/S17
      cytally dosimetry select slides/S17 --out selected/S17 --copy
      cytally dosimetry score selected/S17/scorable --out runs/S17
    """
    from cytally.dosimetry.scoring.workers import cores
    from cytally.dosimetry.selection.choose import SCORABLE, choose, copy_scorable, write_cells
    from cytally.dosimetry.selection.model import shipped
    from cytally.dosimetry.selection.page import write_page
    from cytally.images.inputs import name_images

    paths = name_images(images)
    with reporting() as progress:
        cells = choose(paths, jobs=jobs or cores(), progress=progress)
    write_cells(out, cells)
    page = write_page(out, cells, paths, shipped().identity)
    if copy:
        copy_scorable(out, cells, paths)
    reasons = Counter(cell.reason or SCORABLE for cell in cells if cell.skipped is None)
    click.echo(f"{reasons.pop(SCORABLE, 0)} of {counted(sum(c.skipped is None for c in cells), 'cells')} can be scored")
    for reason, number in reasons.most_common():
        click.echo(f"  {reason}: {number}")
    skipped = [cell.skipped for cell in cells if cell.skipped is not None]
    for one in skipped[:20]:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    click.echo(f"page: {page}")
    if skipped:
        sys.exit(SKIPPED)
