"""`cytally dosimetry interlab`: laboratories side by side."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.group import dosimetry
from cytally.cli.options import JSON, OUT, PICTURE, Finite, draw, write_table

if TYPE_CHECKING:
    from cytally.dosimetry.laboratory.exercise import Compared

_FILE = click.Path(path_type=Path, dir_okay=False)


@dosimetry.command()
@click.argument("values", type=_FILE)
@click.option("--reference", type=Finite(0, 30), help="The physical dose (Gy).  [default: the robust mean]")
@click.option(
    "--algorithm",
    type=click.Choice(["A", "B", "QHampel"]),
    default="A",
    show_default=True,
    help="Robust mean and standard deviation of ISO 13528.",
)
@OUT
@click.option("--plot", type=PICTURE, help="Also draw the z scores (SVG or PNG).")
@JSON
def interlab(
    values: Path, reference: float | None, algorithm: str, out: Path | None, plot: Path | None, as_json: bool
) -> None:
    """Compare laboratories by z scores (ISO 13528).

    VALUES is a table with laboratory and value (doses or yields); with a column sample too,
    each sample is compared by itself, and a column reference gives its physical dose. Where
    so many values coincide that their robust standard deviation is 0, that is said, and the
    other samples are still compared. A line that cannot be used is left out and named; then the
    exit code is 3.

    \b
    Examples:
      cytally dosimetry interlab doses.csv --reference 2.5
      cytally dosimetry interlab exercise.csv --plot scores.svg --out scores.xlsx
    """
    from cytally.cli.laboratory.tables import as_json as tables_json
    from cytally.cli.laboratory.tables import end, say_left_out
    from cytally.dosimetry.laboratory.exercise import (
        compare_laboratories,
        exercise_rows,
        exercise_table,
        read_exercise_table,
    )

    read = read_exercise_table(values, reference)
    say_left_out(read)
    found = [compare_laboratories(sample, algorithm) for sample in read.samples]
    told = [_compared_json(one, algorithm) for one in found]
    click.echo(tables_json(told, read) if as_json else exercise_table(found))
    write_table(out, exercise_rows(found))
    if plot is not None:
        _draw_scores(found, plot)
    end(read)


def _draw_scores(found: list[Compared], plot: Path) -> None:
    from cytally.figures.laboratory import ScorePanel, z_score_figure

    panels = [
        ScorePanel(f"sample {one.sample.name}" if one.sample.name else "", one.sample.laboratories, one.z, one.reason)
        for one in found
    ]
    draw(z_score_figure(panels), plot)


def _compared_json(one: Compared, algorithm: str) -> object:
    lines = zip(one.sample.laboratories, one.sample.values.tolist(), one.z.tolist(), one.verdicts, strict=True)
    return {
        "sample": one.sample.name,
        "algorithm": algorithm,
        "compared_with": one.centre,
        "reference": one.sample.reference,
        "robust": asdict(one.robust) if one.robust is not None else None,
        "note": one.reason,
        "laboratories": [
            {"laboratory": name, "value": value, "z": z, "verdict": word or None} for name, value, z, word in lines
        ],
    }
