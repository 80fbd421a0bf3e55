"""`cytally dosimetry compose` and `adapt`: from cells that nobody labelled."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.command import command_line
from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.main import SKIPPED
from cytally.cli.options import Finite
from cytally.cli.progress import reporting
from cytally.wording import counted

if TYPE_CHECKING:
    from cytally.dosimetry.training.adapt import Adapted, Check
    from cytally.types import Skipped

_FOLDER = click.Path(path_type=Path, file_okay=False)
_EXISTING = click.Path(path_type=Path, file_okay=False, exists=True)


@dosimetry.command()
@click.argument("normal_cells", type=_EXISTING)
@click.option("--out", required=True, type=_FOLDER, help="Labelled folder.")
@click.option("--cells", type=click.IntRange(1), default=1000, show_default=True, help="Number of composed cells.")
@click.option("--dicentrics", type=Finite(0), default=2.5, show_default=True, help="Mean number per cell.")
@click.option(
    "--excess",
    type=Finite(0),
    default=1.2,
    show_default=True,
    help="Mean number of excess fragments per cell.",
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same cells.")
@click.option("--outlines", type=_EXISTING, help="Class maps (M-FISH) of NORMAL_CELLS, which are fluorescence then.")
@click.option(
    "--restyled",
    type=Finite(0, 1),
    default=0.0,
    show_default=True,
    help="Share of cells in the look of another stain, microscope and camera, drawn anew for each.",
)
def compose(
    normal_cells: Path,
    out: Path,
    cells: int,
    dicentrics: float,
    excess: float,
    seed: int,
    outlines: Path | None,
    restyled: float,
) -> None:
    """Make labelled cells out of NORMAL_CELLS, unexposed metaphases that nobody labelled.

    Single chromosomes are cut out, broken, joined into dicentrics and fragments and
    laid back into the picture that they came from, among normal ones pasted by
    the same steps. OUT gets images, labels.csv and cells.csv, as `train` reads them.

    With --outlines chromosomes are cut along given outlines, and fluorescence gets the look of a solid stain: a class
    map has the image's name, or K where the image's name ends in D; 0 none, 1 to 22, 23 (X), 24 (Y), 255 overlap.

    \b
    Example:
      cytally dosimetry compose slides/0Gy --out composed --cells 1000
      cytally dosimetry compose mfish --outlines mfish --restyled 0.8 --out composed
    """
    from cytally.dosimetry.compose.cell import Wanted
    from cytally.dosimetry.compose.folder import check_fields, read_fields, write_composed
    from cytally.dosimetry.compose.outlined.folder import read_outlined

    skipped: list[Skipped] = []
    with reporting() as progress:
        if outlines is None:
            fields = read_fields(normal_cells, skipped, progress)
        else:
            fields = read_outlined(normal_cells, outlines, skipped, progress)
        check_fields(fields, normal_cells)
        write_composed(fields, out, cells, seed, Wanted(dicentrics, excess, restyled=restyled), progress)
    able = sum(bool(field.uprights) for field in fields)
    click.echo(f"{counted(cells, 'cells')} in {out}, composed from {able} of {counted(len(fields), 'usable fields')}")
    _say_skipped(skipped)


@dosimetry.command()
@click.argument("normal_cells", type=_EXISTING)
@click.option("--out", required=True, type=_FOLDER, help="New ensemble; calling again resumes an interrupted run.")
@click.option("--ensemble", type=_FOLDER, help="Ensemble to begin from.  [default: the shipped one]")
@click.option("--epochs", type=click.IntRange(1), help="Longer or shorter; may change on resuming.")
@click.option("--share", type=Finite(0, 1), default=0.6, show_default=True, help="Of composed cells.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same result.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def adapt(
    normal_cells: Path,
    out: Path,
    ensemble: Path | None,
    epochs: int | None,
    share: float,
    seed: int,
    as_json: bool,
) -> None:
    """Fit the detector to a laboratory's microscope and stain, from its own NORMAL_CELLS.

    Give unexposed metaphases, 15 or more; nothing needs to be labelled. Labelled
    cells are composed from them, the ensemble is fine-tuned on these and on
    simulated ones, and both are measured on fields kept aside, before and after.
    Where dicentrics are found no better there, OUT gets the former ensemble.

    \b
    Example:
      cytally dosimetry adapt slides/0Gy --out ensembles/ours
      cytally dosimetry score slides/S17 --ensemble ensembles/ours --out runs/S17
    """
    from cytally.dosimetry.detectors.ensemble import shipped_folder
    from cytally.dosimetry.training.adapt import ADAPT, figures
    from cytally.dosimetry.training.adapt import adapt as fine_tune

    length = epochs or ADAPT.epochs
    settings = replace(ADAPT, seed=seed, epochs=length, late_from=min(ADAPT.late_from, length))
    line = command_line(click.get_current_context())
    with reporting() as progress:
        result = fine_tune(
            normal_cells,
            out,
            ensemble or shipped_folder(),
            progress,
            settings=settings,
            share=share,
            command=line,
        )
    click.echo(json.dumps(figures(result)) if as_json else words(result))
    _say_skipped(list(result.skipped))


def words(result: Adapted) -> str:
    """Before and after, for people."""
    from cytally.dosimetry.training.adapt import NOT_BETTER

    lines = [
        f"learnt from {result.learnt} field(s), checked on {result.kept}"
        + (" of the same (one field only: no fair check)" if result.learnt == result.kept == 1 else ""),
        f"{'':34}{'before':>10}{'after':>10}",
    ]
    for name in result.before.recall:
        for what in ("recall", "precision"):
            lines.append(_line(f"{name}, {what} on composed cells", what, name, result.before, result.after))
    for old, new in zip(result.before.normal, result.after.normal, strict=True):
        lines.append(f"{old.name + 's per normal cell':<34}{old.per_cell:>10.3f}{new.per_cell:>10.3f}")
    if result.better:
        lines.append(f"detector {result.ensemble.identity}; count its own calibration curve before estimating doses")
    else:
        lines.append(
            "on the fields kept aside dicentrics are not found better than before "
            f"(F1 {result.before.worth():.2f}, now {result.after.worth():.2f}): the former ensemble "
            f"{result.ensemble.identity} is kept, and curves counted with it remain valid; "
            f"what was learnt lies in {NOT_BETTER}. More fields, or fields of more slides, may help"
        )
    return "\n".join(lines)


def _line(title: str, what: str, name: str, before: Check, after: Check) -> str:
    old, new = getattr(before, what)[name], getattr(after, what)[name]
    return f"{title:<34}{old:>10.2f}{new:>10.2f}"


def _say_skipped(skipped: list[Skipped]) -> None:
    for one in skipped:
        click.echo(f"  skipped {one.image}: {one.reason}", err=True)
    if skipped:
        sys.exit(SKIPPED)
