"""Tables of samples on the command line: what was left out is said, and ends with its own exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytally.cli.dosimetry.given import plain
from cytally.cli.main import SKIPPED
from cytally.cli.options import refuse_unused

if TYPE_CHECKING:
    from cytally.dosimetry.curves.calibrate import Curve
    from cytally.dosimetry.laboratory.exercise import ExerciseTable
    from cytally.dosimetry.laboratory.samples import SampleTable

_SHOWN = 20


def read_said(path: Path, curve: Curve | None = None) -> SampleTable:
    """Read a table of samples (for a curve); notes, and lines that were left out, go to standard error."""
    from cytally.dosimetry.laboratory.samples import read_sample_table

    table = read_sample_table(path, curve.aberration if curve is not None else None)
    say_left_out(table)
    return table


def say_left_out(table: SampleTable | ExerciseTable) -> None:
    """Notes, and lines that were left out, to standard error."""
    for note in table.notes:
        click.echo(f"note: {note}", err=True)
    for one in table.left_out[:_SHOWN]:
        click.echo(f"left out {one}", err=True)
    if len(table.left_out) > _SHOWN:
        click.echo(f"left out {len(table.left_out) - _SHOWN} lines more", err=True)


def refuse_d0(table: SampleTable) -> None:
    """Refuse --d0 where no sample has a distribution over cells: it would change nothing."""
    without = all(one.distribution is None for one in table.samples)
    refuse_unused("d0", unless="distributions over cells", because=without)


def as_json(samples: Sequence[object], table: SampleTable | ExerciseTable) -> str:
    """What each sample gave, and the lines that were left out, each under its own key."""
    left = [{"sample": one.name, "line": one.where, "reason": one.reason} for one in table.left_out]
    return json.dumps(plain({"samples": list(samples), "left_out": left}))


def end(table: SampleTable | ExerciseTable) -> None:
    """Exit code 3 where lines were left out."""
    if table.left_out:
        sys.exit(SKIPPED)
